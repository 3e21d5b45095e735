"""Plain tables hold the numbers of the results, one column for each name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning_dpg.report.flat import flat_tables
from lightning_dpg.report.flat_table import Flat
from lightning_dpg.report.reading import read_run
from tests.report.conftest import only

MakeRun = Callable[..., Path]


def cell(table: Flat, column: str, *start: str) -> Any:
    """The cell of the only row whose first columns are these."""
    (row,) = [row for row in table.rows if tuple(row[: len(start)]) == start]
    return row[table.columns.index(column)]


def test_every_table_is_rectangular_and_holds_the_results(make_run: MakeRun) -> None:
    folder = make_run()
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    tables = flat_tables(read_run(folder))
    assert list(tables) == [
        *("targets", "arms", "by_task", "traits", "matrix", "matrix_summary", "comparisons"),
        *("ratios", "quality", "second_instrument", "personas", "dose_response", "descriptions"),
        *("controls", "overfitting", "worst_personas", "unscored", "skipped", "facts"),
    ]
    for table in tables.values():
        assert {len(row) for row in table.rows} == {len(table.columns)}
        assert len(set(table.columns)) == len(table.columns)
    task = results["tasks"]["questions"]
    dpg = task["arms"]["dpg"]
    assert cell(tables["arms"], "psdc_l2_low", "dpg") == dpg["psdc"]["l2"]["low"]
    assert cell(tables["arms"], "r_neuroticism", "dpg") == dpg["trait_r"]["neuroticism"]
    assert cell(tables["arms"], "unscored", "constant_zero") is None
    drawn = dpg["by_kind"]["drawn"]
    assert cell(tables["by_task"], "psdc_l2", "questions", "drawn", "dpg") == drawn["l2"]["mean"]
    assert cell(tables["by_task"], "constant_zero", "questions", "drawn", "dpg") == drawn["zero"]
    fit = dpg["traits"]["agreeableness"]
    found = cell(tables["traits"], "slope_high", "questions", "dpg", "agreeableness")
    assert found == fit["slope"]["high"]
    assert cell(tables["matrix"], "extraversion", "dpg", "openness") == dpg["matrix"][0][2]
    start = ("questions", "lora_sft", "all")
    assert cell(tables["comparisons"], "p_holm", *start) == 0.0015
    assert cell(tables["comparisons"], "p", "questions", "lora_sft", "openness") == 0.01
    assert cell(tables["dose_response"], "second_r", "openness", "zero") == 0.61
    assert cell(tables["dose_response"], "slope", "openness", "no adapter") == 0.02
    assert cell(tables["dose_response"], "spearman", "openness", "0,-2,2,-2,2") == 0.9
    assert cell(tables["quality"], "nll", "scripted", "dpg") == 2.75
    assert cell(tables["quality"], "judged_coherency", "questions", "dpg") == 3.2
    assert cell(tables["dose_response"], "spearman_low", "openness", "zero") == 0.95 - 0.09
    assert cell(tables["dose_response"], "steps", "openness", "zero") == 8
    assert cell(tables["arms"], "mae", "dpg") == dpg["psdc"]["mae"]["mean"]
    assert cell(tables["arms"], "personas", "dpg") == 32
    ratio = ("questions", "dpg_over_best_prompt")
    assert cell(tables["ratios"], "against", *ratio) == "prompted"
    assert cell(tables["ratios"], "target", *ratio) == 0.5
    assert (
        cell(tables["matrix_summary"], "profile_r", "questions", "dpg")
        == (dpg["profile_r"]["mean"])
    )
    assert (
        cell(tables["matrix_summary"], "selectivity_high", "questions", "dpg")
        == (dpg["selectivity"]["high"])
    )
    assert cell(tables["comparisons"], "effect", "questions", "lora_sft", "openness") == -0.4
    assert cell(tables["quality"], "consistency_openness", "questions", "dpg") == 0.41
    assert cell(tables["quality"], "judged_unscored", "questions", "dpg") == 2
    assert cell(tables["second_instrument"], "instrument", "questions", "dpg") == "lexicon/1"
    assert cell(tables["descriptions"], "explained", "words") == 0.234
    assert cell(tables["skipped"], "reason", "arm", "api").startswith("no key")
    assert cell(tables["unscored"], "count", "described", "dpg") == 4
    assert (
        cell(tables["unscored"], "ids", "questions", "dpg")
        == (results["tasks"]["questions"]["personas"][7]["id"])
    )
    assert cell(tables["facts"], "value", "Wall time in seconds", "total") == "870.1"
    assert cell(tables["controls"], "broken", "mixed") == 0.1
    assert cell(tables["overfitting"], "p", "dpg") == 0.03
    assert len(tables["worst_personas"].rows) == 10
    assert "I have a shop to open at seven." in tables["worst_personas"].rows[0][-1]  # type: ignore[operator]


def test_absent_parts_are_no_tables(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        only()(results)
        task = results["tasks"]["questions"]
        task.pop("comparisons")
        for arm in task["arms"].values():
            for name in ("traits", "matrix", "profile_r", "quality", "measured", "second"):
                arm.pop(name)

    found = list(flat_tables(read_run(make_run(change))))
    assert found == ["targets", "arms", "by_task", "ratios", "unscored", "facts"]
