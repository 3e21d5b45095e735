"""Folders of runs."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
import yaml

from lightning_dpg import files, runs
from lightning_dpg.config import Config, from_dict
from lightning_dpg.errors import UserError
from lightning_dpg.runs import REPORT, RESULTS, latest_run, link_latest, write_atomically

CONFIG = Config(name="mine", seed=3)


def open_run(config: Config, root: Path, corpus: str = "abc") -> Path:
    return runs.open_run(config, corpus, root)


def finish(folder: Path) -> Path:
    (folder / REPORT).write_text("done")
    link_latest(folder)
    return folder


def test_a_run_begins_with_its_settings(tmp_path: Path) -> None:
    folder = open_run(CONFIG, tmp_path)
    assert folder.parent == tmp_path / "mine"
    saved = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    assert from_dict(saved) == CONFIG
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]


def test_an_unfinished_run_is_taken_up(tmp_path: Path) -> None:
    folder = open_run(CONFIG, tmp_path)
    (folder / RESULTS).write_text("{}")  # results without a report: still unfinished
    assert open_run(CONFIG, tmp_path) == folder


def test_a_finished_run_is_left_alone(tmp_path: Path) -> None:
    first = finish(open_run(CONFIG, tmp_path))
    second = open_run(CONFIG, tmp_path)
    assert second != first
    assert not (second / REPORT).exists()
    assert open_run(CONFIG, tmp_path) == second


def test_other_settings_start_another_run(tmp_path: Path) -> None:
    first = open_run(CONFIG, tmp_path)
    other = dataclasses.replace(CONFIG, seed=4)
    second = open_run(other, tmp_path)
    assert second != first
    assert open_run(CONFIG, tmp_path) == first
    assert open_run(other, tmp_path) == second


def test_another_experiment_starts_another_run(tmp_path: Path) -> None:
    first = open_run(CONFIG, tmp_path)
    second = open_run(dataclasses.replace(CONFIG, name="yours"), tmp_path)
    assert (first.parent.name, second.parent.name) == ("mine", "yours")


def test_a_folder_that_died_before_its_settings_is_not_taken_up(tmp_path: Path) -> None:
    folder = open_run(CONFIG, tmp_path)
    (folder / "config.yaml").unlink()
    assert open_run(CONFIG, tmp_path) != folder


def test_runs_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    folders = [finish(open_run(CONFIG, tmp_path)) for _ in range(5)]
    assert len(set(folders)) == 5


def test_another_corpus_or_version_starts_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_run(CONFIG, tmp_path)
    assert open_run(CONFIG, tmp_path, corpus="def") != first
    monkeypatch.setattr(runs, "__version__", "99")
    assert open_run(CONFIG, tmp_path) != first


def test_latest_is_the_run_that_was_finished_last(tmp_path: Path) -> None:
    first = finish(open_run(CONFIG, tmp_path))
    assert latest_run("mine", tmp_path) == first.resolve()
    second = open_run(dataclasses.replace(CONFIG, seed=4), tmp_path)
    assert latest_run("mine", tmp_path) == first.resolve()  # the second has nothing to show yet
    finish(second)
    assert latest_run("mine", tmp_path) == second.resolve()
    link = tmp_path / "mine" / "latest"
    assert link.is_symlink()
    assert not Path(os.readlink(link)).is_absolute()  # the folder of runs can be moved


def test_an_experiment_that_never_ran_lists_those_that_did(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Runs there: none"):
        latest_run("mine", tmp_path)
    finish(open_run(CONFIG, tmp_path))
    finish(open_run(dataclasses.replace(CONFIG, name="yours"), tmp_path))
    with pytest.raises(UserError) as caught:
        latest_run("nobodys", tmp_path)
    assert "There is no finished run of 'nobodys'" in str(caught.value)
    assert "`make train EXP=nobodys`" in str(caught.value)
    assert str(caught.value).endswith("Runs there: mine, yours")


def test_a_text_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "text.json"
    write_atomically(path, "Grüße, 你好")
    write_atomically(path, "short")
    assert path.read_text(encoding="utf-8") == "short"
    assert [p.name for p in tmp_path.iterdir()] == ["text.json"]


def test_a_write_that_fails_leaves_the_old_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "text.json"
    write_atomically(path, "old")

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"


def test_the_link_to_a_finished_run_comes_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[Path, str]] = []

    def flush(folder: Path) -> None:
        flushed.append((folder, (folder / "latest").readlink().name))

    monkeypatch.setattr(files, "flush_folder", flush)
    folder = finish(open_run(CONFIG, tmp_path))
    assert flushed == [(folder.parent, folder.name)]
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, "latest"}
