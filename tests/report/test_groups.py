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
    assert zero[6] and zero[6].mean == pytest.approx(newcomers.by_kind["contradictory"].zero)
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
def test_below_zero_is_the_whole_interval(value: Estimate | None, expected: bool) -> None:
    assert not below(value, None)
    assert below(value, 4.0) == expected


def test_constant_zero_is_taken_on_the_personas_that_each_arm_has_scored(
    make_run: MakeRun,
) -> None:
    """Of the first arm only those near the middle have a score; DPG beats zero on everybody."""
    far, near = [3.0, 4.0, 0.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0, 0.0]

    def change(results: dict[str, Any]) -> None:
        task = results["tasks"]["questions"]
        task["trivial"]["constant_zero"]["psdc"]["l2"] = {"mean": 3.5}
        for i, persona in enumerate(task["personas"]):
            persona["target"] = near if i % 2 else far
        names = [persona["id"] for persona in task["personas"]]
        for name, odd in (("unadapted", 2.0), ("dpg", 3.5)):
            arm = task["arms"][name]
            scored = names[1::2] if name == "unadapted" else names
            arm["measured"] = {who: [0.0] * 5 if who in scored else None for who in names}
            arm["psdc"]["l2"] = {"mean": 3.0, "low": 2.9, "high": 3.1}
            for group in arm["by_kind"].values():
                group |= {"l2": {"mean": 3.0, "low": 2.9, "high": 3.1}, "zero": odd}

    run = read_run(make_run(change))
    found = {row.name: row for row in rows(run, columns(run))}
    # Over all personas, and over each kind: (5 + 2) / 2 where everybody was scored.
    assert [cell.mean for cell in found["constant_zero"].cells[:3] if cell] == [3.5] * 3
    assert found["unadapted"].zeros[:3] == (2.0,) * 3 and found["dpg"].zeros[:3] == (3.5,) * 3
    marked = {
        name: [below(*pair) for pair in zip(row.cells[:3], row.zeros[:3], strict=True)]
        for name, row in found.items()
    }
    assert marked["unadapted"] == [False] * 3 and marked["dpg"] == [True] * 3


def test_languages_are_columns_where_there_are_several(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        task = results["tasks"]["questions"]
        for i, persona in enumerate(task["personas"]):
            persona["language"] = "zh" if i < 10 else "en"
            persona["target"] = [0.0, 6.0 if i < 10 else 5.0, 0.0, 0.0, 0.0]
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
    assert zeros_of_characters(run) == pytest.approx(
        (seen.zero.mean, run.main.by_kind["held_out"].zero)
    )


def test_without_seen_characters_there_are_no_zeros(make_run: MakeRun) -> None:
    assert zeros_of_characters(read_run(make_run(lambda r: r["tasks"].pop("seen")))) is None
