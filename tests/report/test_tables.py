"""The headline table holds the numbers of `results.json`, and nothing where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import Estimate, read_run
from lightning_dpg.report.tables import (
    headline_rows,
    interval,
    markdown,
    number,
    p_value,
    percent,
    signed,
    spread,
)

MakeRun = Callable[..., Path]


def test_rows_are_the_results(make_run: MakeRun) -> None:
    folder = make_run()
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    task = results["tasks"]["questions"]
    rows = headline_rows(read_run(folder))
    assert [row.name for row in rows] == [*task["arms"], *task["trivial"]]
    for row in rows:
        written = task["trivial" if row.trivial else "arms"][row.name]
        assert row.l2 is not None
        assert vars(row.l2) == written["psdc"]["l2"]
        r = written.get("trait_r", dict.fromkeys(TRAITS))
        assert row.trait_r == tuple(r[trait] for trait in TRAITS)


def test_markdown_lines_up_and_holds_every_arm(make_run: MakeRun) -> None:
    rows = headline_rows(read_run(make_run()))
    lines = markdown(rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert len({len(line) for line in lines}) == 1
    for row, line in zip(rows, lines[2:], strict=True):
        assert row.label in line
        assert number(row.l2) in line


def test_mean_r_says_over_how_many_traits(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        values = (0.5, None, 0.7, None, None)
        dpg = results["tasks"]["questions"]["arms"]["dpg"]
        dpg["trait_r"] = dict(zip(TRAITS, values, strict=True))

    row = next(r for r in headline_rows(read_run(make_run(change))) if r.name == "dpg")
    assert row.mean_r == "+0.60 (2 of 5)"


@pytest.mark.parametrize(
    ("value", "said"), [(0.5, "+0.50"), (-0.5, "−0.50"), (-0.001, "0.00"), (None, "–")]
)
def test_signs(value: float | None, said: str) -> None:
    assert signed(value) == said


def test_numbers_as_text() -> None:
    assert [number(x) for x in (-0.004, -0.006, 2.345, None)] == ["0.00", "−0.01", "2.35", "–"]
    assert [p_value(p) for p in (0.0005, 0.001, 0.0426, None)] == ["<0.001", "0.001", "0.043", "–"]
    assert [percent(x) for x in (0.126, None)] == ["13%", "–"]
    assert percent(0.126, 1) == "12.6%"
    known, alone = Estimate(3.804, 3.41, 4.2), Estimate(3.804)
    assert (spread(known), spread(alone), spread(None)) == ("3.80 [3.41, 4.20]", "3.80", "–")
    assert (interval(known), interval(alone)) == ("[3.41, 4.20]", "–")
