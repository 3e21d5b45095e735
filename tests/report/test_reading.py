"""What a broken or partial folder says, and how gaps in the numbers are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.errors import UserError
from lightning_dpg.report.reading import read_run

MakeRun = Callable[..., Path]


def test_missing_results_name_the_file_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"results\.json is missing.*Evaluate the run first"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"arms": {', "not valid JSON"),
        ("[]", "the file expected an object"),
        ("{}", "expected at least one entry each"),
        ('{"arms": {"dpg": []}, "personas": [{"id": "a", "target": [0,0,0,0,0]}]}', "arms.dpg"),
        ('{"arms": {"dpg": {}}, "personas": [{"id": "a", "target": [0, 0]}]}', "5 numbers"),
        ('{"arms": {"dpg": {}}, "personas": [{"id": "a", "target": null}]}', "5 numbers"),
        ('{"arms": {"dpg": {}}, "personas": [{"target": [0,0,0,0,0]}]}', r"personas\[0\]\.id"),
        (
            '{"arms": {"dpg": {"psdc": {"l2": {"mean": "low"}}}}, "personas": []}',
            r"`arms\.dpg\.psdc\.l2\.mean` expected a number or null, got 'low'",
        ),
    ],
)
def test_broken_results_name_the_file_and_the_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "results.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said) as caught:
        read_run(tmp_path)
    assert str(tmp_path / "results.json") in str(caught.value)


def test_broken_reply_names_its_line(make_run: MakeRun) -> None:
    folder = make_run()
    with (folder / "replies.jsonl").open("a", encoding="utf-8") as out:
        out.write('{"arm": "dpg", "pers')
    with pytest.raises(UserError, match=r"replies\.jsonl is broken: line \d+"):
        read_run(folder)


def test_not_a_number_is_no_number(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        results["arms"]["dpg"]["psdc"]["l2"]["mean"] = float("nan")
        results["arms"]["dpg"]["trait_r"]["openness"] = float("nan")

    arm = read_run(make_run(change)).main
    assert "l2" not in arm.psdc
    assert arm.trait_r[0] is None


def test_curves_skip_empty_and_torn_cells(make_run: MakeRun) -> None:
    folder = make_run()
    text = "step,train/loss,val/psdc\n0,2.5,\n1,,4.0\n2,nan,\n3,2.2,\n4,2.1e"
    (folder / "dpg" / "metrics.csv").write_text(text, encoding="utf-8")
    curves = read_run(folder).curves["dpg"]
    assert curves == {"train/loss": [(0.0, 2.5), (3.0, 2.2)], "val/psdc": [(1.0, 4.0)]}
