"""Files that are written whole: what is there after a kill, and what is on the disk."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg import files
from lightning_dpg.files import flush_tree, put_back, replacing, write_atomically

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from lightning_dpg import files

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(os, {when!r}, kill)
files.write_atomically(Path({path!r}), b"new")
"""
ROOT = str(Path(files.__file__).parent.parent)


@pytest.mark.parametrize("when", ["fsync", "replace"])
@pytest.mark.parametrize("before", [b"old", None])
def test_a_kill_between_write_and_rename_leaves_what_was(
    tmp_path: Path, when: str, before: bytes | None
) -> None:
    path = tmp_path / "model.ckpt"
    if before is not None:
        path.write_bytes(before)
    code = KILLED.format(root=ROOT, when=when, path=str(path))
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.exists() == (before is not None)
    assert before is None or path.read_bytes() == before
    write_atomically(path, b"newer")  # what the kill left behind is in nobody's way
    assert path.read_bytes() == b"newer"


def test_content_then_name_then_folder_come_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def name(descriptor: int) -> str:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}")).relative_to(tmp_path).as_posix()

    def flushed(descriptor: int) -> None:
        done.append("flush " + re.sub("-[0-9a-f]{12}$", "-ID", name(descriptor)))
        fsync(descriptor)

    def renamed(source: Any, target: Any) -> None:
        done.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    write_atomically(tmp_path / "run" / "arm" / "last.ckpt", b"new")
    assert done == [
        "flush .",  # which names the folder `run`
        "flush run",
        "flush run/arm/.last.ckpt-ID",
        "rename",
        "flush run/arm",
    ]
    done.clear()
    (tmp_path / "run" / "table").write_bytes(b"rows")
    flush_tree(tmp_path / "run")
    assert set(done) == {"flush run/arm/last.ckpt", "flush run/arm", "flush run/table", "flush run"}


def test_what_fails_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.ckpt"
    write_atomically(path, b"old")

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["model.ckpt"]
    assert path.read_bytes() == b"old"


def fill(folder: Path, content: str) -> None:
    with replacing(folder) as new:
        (new / "content").write_text(content)


def holds(folder: Path) -> str:
    return (folder / "content").read_text()


STEPS: dict[str, tuple[Any, str, int]] = {
    "while it is filled": (os, "fsync", 0),
    "before the old one goes": (os, "rename", 0),
    "before the new one comes": (os, "rename", 1),
    "before the old one is deleted": (shutil, "rmtree", 0),
}
"""A function that kills the process instead of doing its work, and in which of its calls."""


def die_at(step: str, folder: Path) -> None:
    """Replace a folder in a process of its own, which is killed."""
    module, name, call = STEPS[step]
    do, calls = getattr(module, name), iter(range(9))

    def killing(*args: Any, **settings: Any) -> Any:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return do(*args, **settings)

    setattr(module, name, killing)
    fill(folder, "new")


def killed(step: str, folder: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=die_at, args=(step, folder))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_while_a_folder_is_replaced_leaves_the_old_one_or_the_new(
    tmp_path: Path, step: str
) -> None:
    folder = tmp_path / "anna"
    fill(folder, "old")
    killed(step, folder)
    assert folder.exists() == (step != "before the new one comes")
    put_back(folder)  # as whoever reads does
    assert holds(folder) == ("new" if "deleted" in step else "old")
    killed(step, folder)
    fill(folder, "newer")
    assert holds(folder) == "newer"
    left = [path for path in tmp_path.iterdir() if path != folder]
    assert all(path.name.endswith("-new") for path in left)
    for path in left:  # nobody knows of one that is young whether it is still being filled
        os.utime(path, (0, 0))
    fill(folder, "newest")
    assert list(tmp_path.iterdir()) == [folder] and holds(folder) == "newest"


def test_only_its_own_old_folder_is_put_back(tmp_path: Path) -> None:
    for name in (".anna-b-0123456789ab-old", ".anna-old", "anna-0123456789ab-old"):
        (tmp_path / name).mkdir()
    put_back(tmp_path / "anna")
    assert not (tmp_path / "anna").exists()
    put_back(tmp_path / "anna-b")
    assert (tmp_path / "anna-b").is_dir()
    put_back(tmp_path / "nowhere" / "anna")


def test_a_reader_that_puts_back_while_a_writer_replaces_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, rename = tmp_path / "anna", os.rename
    fill(folder, "old")
    readers: list[Callable[[], None]] = [lambda: put_back(folder)]

    def renamed(source: Any, target: Any) -> None:
        if str(source).endswith("-new") and readers:
            readers.pop()()
            assert holds(folder) == "old"
        rename(source, target)

    monkeypatch.setattr(os, "rename", renamed)
    fill(folder, "new")
    assert not readers and holds(folder) == "new"
    assert list(tmp_path.iterdir()) == [folder]
