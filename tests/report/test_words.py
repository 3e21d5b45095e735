"""The sentences say what the numbers say, a poor result included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.report.reading import Estimate, Ratio, read_run
from lightning_dpg.report.words import outcome, ratio_verdict

MakeRun = Callable[..., Path]


def _with_dpg(mean: float, low: float, high: float) -> Callable[[dict[str, Any]], None]:
    def change(results: dict[str, Any]) -> None:
        results["arms"]["dpg"]["psdc"]["l2"] = {"mean": mean, "low": low, "high": high}
        results["trivial"]["constant_zero"]["psdc"]["l2"] = {"mean": 4.0}
        results["ratios"] = {"dpg_over_lora_sft": {"mean": 0.71, "low": 0.6, "high": 0.8}}

    return change


@pytest.mark.parametrize(
    ("mean", "low", "high", "said"),
    [
        (3.0, 2.6, 3.4, "it is better than constant zero (3.00 against 4.00)"),
        (3.8, 3.4, 4.2, "it is not clearly better than constant zero (3.80 against 4.00)"),
        (4.5, 3.9, 5.1, "it is worse than constant zero"),
    ],
)
def test_outcome(make_run: MakeRun, mean: float, low: float, high: float, said: str) -> None:
    sentence = outcome(read_run(make_run(_with_dpg(mean, low, high))))
    assert sentence.startswith("DPG deviates 0.71 times as much as LoRA-SFT [0.60, 0.80]; ")
    assert said in sentence


def test_outcome_without_ratios_gives_the_deviation(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        results["ratios"] = {}
        results["trivial"] = {}
        results["arms"] = {"prompted": results["arms"]["prompted"]}

    assert outcome(read_run(make_run(change))).startswith("Prompted deviates by 6.7")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.6, 0.9, "deviates less"),
        (0.9, 1.1, "no clear difference: the interval holds 1"),
        (1.1, 1.4, "deviates more"),
        (None, None, "no interval"),
    ],
)
def test_verdict(low: float | None, high: float | None, said: str) -> None:
    assert ratio_verdict(Ratio("dpg_over_lora_sft", Estimate(1.0, low, high))) == said
