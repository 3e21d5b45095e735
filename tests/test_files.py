"""Files that are written whole: what is there after a kill, and what is on the disk."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg import files
from lightning_dpg.files import flush_tree, write_atomically

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
