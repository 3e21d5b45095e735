"""P.S.D.C. by task and group, beside what constant zero gets on the same personas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.report.groups import below, columns, rows, zeros_of_characters
from lightning_dpg.report.reading import Estimate, read_run

MakeRun = Callable[..., Path]


def test_columns_are_tasks_and_their_kinds(make_run: MakeRun) -> None:
    run = read_run(make_run())
    found = [(c.task.name, c.title, c.personas) for c in columns(run)]
    assert found == [
        ("questions", "all", 32),
        ("questions", "held-out", 16),
        ("questions", "drawn", 16),
        ("scripted", "all", 16),
        ("newcomers", "all", 16),
        ("newcomers", "new region", 8),
        ("newcomers", "contradictory", 8),
        ("seen", "all", 12),
    ]
    assert all(c.group == "" for c in columns(run, "language"))


def test_cells_are_those_of_the_task_and_group(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        del results["tasks"]["seen"]["arms"]["prompted"]

    run = read_run(make_run(change))
    found = {row.name: row for row in rows(run, columns(run))}
    assert list(found) == ["constant_zero", "gold", *run.arm_names]
    dpg, zero = found["dpg"].cells, found["constant_zero"].cells
    newcomers = run.tasks[2].main
    assert dpg[0] == run.main.psdc["l2"]
    assert dpg[2] == run.main.by_kind["drawn"].l2
    assert dpg[6] == newcomers.by_kind["contradictory"].l2
    assert zero[0] and run.headline.zero and zero[0].mean == run.headline.zero.mean
    assert zero[6] == Estimate(newcomers.by_kind["contradictory"].zero or 0.0)
    assert [cell is not None for cell in found["gold"].cells] == [False] * 3 + [True] + [False] * 4
    assert found["prompted"].cells[7] is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Estimate(3.0, 2.0, 3.9), True),
        (Estimate(3.0, 2.0, 4.1), False),
        (Estimate(3.0), False),
        (None, False),
    ],
)
def test_below_zero_is_the_whole_interval(
    make_run: MakeRun, value: Estimate | None, expected: bool
) -> None:
    def change(results: dict[str, Any]) -> None:
        zero = results["tasks"]["questions"]["trivial"]["constant_zero"]
        zero["psdc"]["l2"] = {"mean": 4.0}

    whole = columns(read_run(make_run(change)))[0]
    assert below(value, whole) == expected


def test_languages_are_columns_where_there_are_several(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        task = results["tasks"]["questions"]
        for persona in task["personas"][:10]:
            persona["language"] = "zh"
        for place, arm in enumerate(task["arms"].values()):
            arm["by_language"] = {
                "en": {"l2": {"mean": 3.0 + place}, "zero": 5.0, "personas": 22},
                "zh": {"l2": {"mean": 4.0 + place}, "zero": 6.0, "personas": 10},
            }

    run = read_run(make_run(change))
    found = columns(run, "language")
    assert [(c.group, c.personas, c.zero) for c in found[1:3]] == [("en", 22, 5.0), ("zh", 10, 6.0)]
    dpg = next(row for row in rows(run, found) if row.name == "dpg")
    assert dpg.cells[2] == Estimate(7.0)


def test_zeros_of_seen_and_held_out_characters(make_run: MakeRun) -> None:
    run = read_run(make_run())
    seen = run.tasks[3]
    assert seen.zero
    assert zeros_of_characters(run) == (seen.zero.mean, run.main.by_kind["held_out"].zero)


def test_without_seen_characters_there_are_no_zeros(make_run: MakeRun) -> None:
    assert zeros_of_characters(read_run(make_run(lambda r: r["tasks"].pop("seen")))) is None
