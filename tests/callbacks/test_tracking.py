"""What an evaluation sends to Weights & Biases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from lightning_dpg.callbacks import tracking
from lightning_dpg.config import Config, load
from lightning_dpg.report.flat import flat_tables
from lightning_dpg.report.gallery import Picture
from lightning_dpg.report.reading import read_run
from tests.report.conftest import write_fake_evaluation, write_fake_run


class Recorder:
    """Takes the place of a logger and of its run."""

    def __init__(self) -> None:
        self.tables: dict[str, tuple[list[str], list[list[Any]]]] = {}
        self.logged: dict[str, Any] = {}
        self.finished = False
        self.experiment = self

    def log_table(self, key: str, columns: list[str], data: list[list[Any]]) -> None:
        self.tables[key] = columns, data

    def log(self, values: dict[str, Any]) -> None:
        self.logged |= values

    def finish(self) -> None:
        self.finished = True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What loggers were made with; the last entry of each is the recorder."""
    made: list[tuple[Any, ...]] = []

    def make(part: str, config: Config, run: Path, folder: Path) -> Recorder:
        made.append((part, run, folder, Recorder()))
        return made[-1][-1]  # type: ignore[no-any-return]

    monkeypatch.setattr(tracking, "_wandb_logger", make)
    return made


def test_tables_and_figures_of_the_report_are_sent(
    tmp_path: Path, opened: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"matrix": Picture(Figure(), ""), "dose/openness": Picture(Figure(), "")}
    monkeypatch.setattr(tracking, "overview", lambda run, look: figures)
    folder = write_fake_run(tmp_path / "run")
    tracking.log_results(load("smoke", ["logging.wandb=offline"]), folder)
    ((part, run, kept, recorder),) = opened
    assert (part, run, kept) == ("evaluation", folder, folder)
    expected = flat_tables(read_run(folder))
    assert set(recorder.tables) == {f"evaluation/{name}" for name in expected}
    for name, table in expected.items():
        assert recorder.tables[f"evaluation/{name}"] == (table.columns, table.rows)
    assert set(recorder.logged) == {"figures/matrix", "figures/dose/openness"}
    assert {type(image).__name__ for image in recorder.logged.values()} == {"Image"}
    assert recorder.finished


def test_an_evaluation_inside_a_run_is_logged_in_its_group(
    tmp_path: Path, opened: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "overview", lambda run, look: {})
    folder = write_fake_evaluation(tmp_path / "run" / "evaluations" / "full")
    tracking.log_results(load("smoke", ["logging.wandb=offline"]), folder)
    part, run, kept, _ = opened[0]
    assert (part, run, kept) == ("evaluation/full", tmp_path / "run", folder)


def test_nothing_is_sent_where_it_is_disabled(
    tmp_path: Path, opened: list[tuple[Any, ...]]
) -> None:
    tracking.log_results(load("smoke", ["logging.wandb=disabled"]), tmp_path)
    assert opened == []
