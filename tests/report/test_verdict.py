"""The verdict and the targets say what the numbers say, a poor result included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.report.reading import read_run
from lightning_dpg.report.verdict import outcome, shortfalls, targets

MakeRun = Callable[..., Path]


def _with(
    mean: float, ratio: tuple[float, float] | None = None, **ratios: tuple[float, float, float]
) -> Callable[[dict[str, Any]], None]:
    """DPG at a mean ±.4 where zero is at 4.00, its ratio to zero in an interval, other ratios."""

    def change(results: dict[str, Any]) -> None:
        task = results["tasks"]["questions"]
        l2 = {"mean": mean, "low": mean - 0.4, "high": mean + 0.4}
        task["arms"]["dpg"]["psdc"]["l2"] = l2
        task["trivial"]["constant_zero"]["psdc"]["l2"] = {"mean": 4.0}
        for persona in task["personas"]:
            persona["target"] = [0.0, 0.0, 4.0, 0.0, 0.0]
        ends = ("mean", "low", "high")
        task["ratios"] = {
            f"dpg_over_{name}": dict(zip(ends, value, strict=True))
            for name, value in ratios.items()
        }
        if ratio:
            low, high = ratio
            zero = {"mean": mean / 4, "low": low, "high": high}
            task["ratios"]["dpg_over_constant_zero"] = zero

    return change


@pytest.mark.parametrize(
    ("mean", "ratio", "said"),
    [
        (3.0, None, "is better than constant zero (3.00 against 4.00)"),
        (3.8, None, "is not clearly better than constant zero (3.80 against 4.00)"),
        (3.8, (0.91, 0.99), "is better than constant zero (3.80 against 4.00)"),
        (3.8, (0.85, 1.05), "is not clearly better than constant zero"),
        (4.5, (1.0, 1.3), "is worse than constant zero, the answer that ignores the persona (4.50"),
    ],
)
def test_against_constant_zero(
    make_run: MakeRun, mean: float, ratio: tuple[float, float] | None, said: str
) -> None:
    sentence = outcome(read_run(make_run(_with(mean, ratio))))
    assert sentence.startswith("DPG ") and said in sentence


def test_constant_zero_stands_on_the_personas_that_were_scored(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        _with(3.0)(results)
        task = results["tasks"]["questions"]
        for persona in task["personas"]:
            if task["arms"]["dpg"]["measured"][persona["id"]] is not None:
                persona["target"] = [0.0, 0.0, 2.5, 0.0, 0.0]

    assert (
        "is worse than constant zero, the answer that ignores the persona "
        "(3.00 against 2.50 on the personas that have a score)"
    ) in outcome(read_run(make_run(change)))


def test_one_sentence_with_targets(make_run: MakeRun) -> None:
    change = _with(3.0, (0.7, 0.8), lora_sft=(0.71, 0.6, 0.8), best_prompt=(0.6, 0.5, 0.7))
    assert outcome(read_run(make_run(change))) == (
        "DPG is better than constant zero (3.00 against 4.00), deviates 0.71 [0.60, 0.80] times as "
        "much as LoRA-SFT and misses 1 of 5 targets."
    )


def test_nothing_met_is_said_plainly(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        _with(5.0, (1.1, 1.4), lora_sft=(1.0, 0.9, 1.2), best_prompt=(0.9, 0.8, 1.1))(results)
        for dose in results["dose_response"].values():
            dose["spearman"] = 0.1
            dose["slopes"] = [0.2] * 5

    assert outcome(read_run(make_run(change))).endswith(" and misses all 5 targets.")


def test_outcome_without_ratios_gives_the_deviation(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        task = results["tasks"]["questions"]
        task["ratios"] = {}
        task["trivial"] = {}
        task["arms"] = {"prompted": task["arms"]["prompted"]}

    run = read_run(make_run(change))
    assert outcome(run).startswith("Prompted, scores deviates by 6.")
    assert targets(run) == []


def test_nothing_scored(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        results["tasks"]["questions"]["arms"]["dpg"]["psdc"] = {"l2": {"mean": None}}

    said = outcome(read_run(make_run(change)))
    assert said == "DPG could not be measured: no persona was scored."


@pytest.mark.parametrize(
    ("name", "value", "said", "found"),
    [
        ("lora_sft", (0.73, 0.6, 0.9), "met", "0.73 [0.60, 0.90]; the interval reaches above"),
        ("lora_sft", (0.73, 0.5, 1.1), "missed", "0.73 [0.50, 1.10]"),
        ("lora_sft", (0.75, 0.6, 0.9), "missed", "the interval reaches below the target"),
        ("constant_zero", (0.75, 0.7, 1.2), "met", "0.75"),
        ("constant_zero", (0.76, 0.755, 0.8), "missed", "0.76 [0.76, 0.80]"),
        ("best_prompt", (0.5, 0.4, 0.5), "met", "0.50 [0.40, 0.50]"),
    ],
)
def test_ratios_are_met_or_missed(
    make_run: MakeRun, name: str, value: tuple[float, float, float], said: str, found: str
) -> None:
    every = targets(read_run(make_run(_with(3.0, None, **{name: value}))))
    inside = {"lora_sft": "LoRA-SFT", "best_prompt": "prompt-only", "constant_zero": "zero"}[name]
    (target,) = [t for t in every if inside in t.name and "over" in t.name]
    assert target.outcome == said and found in target.found
    others = [t.outcome for t in every if "P.S.D.C." in t.name and t is not target]
    assert others == ["not measured"] * 2


def test_dials_are_met_or_missed_by_name(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        doses = results["dose_response"]
        doses["openness"]["spearman"] = 0.79
        doses["agreeableness"]["slopes"] = [0.0, 0.45, 0.0, 0.9, 0.0]
        doses["neuroticism"]["slopes"] = [0.0, 0.0, 0.1, 0.0, -0.5]
        doses["extraversion"]["slopes"] = [0.0, 0.449, 0.9, 0.0, 0.0]

    found = targets(read_run(make_run(change)))
    # Missed ones come first.
    assert [target.outcome for target in found] == ["missed"] * 2 + ["met"] * 3
    assert found[0].found == "openness +0.79"
    assert found[1].found == (
        "agreeableness moves conscientiousness by +0.45 a point, "
        "neuroticism moves extraversion by +0.10 a point"
    )


def test_dials_that_were_not_measured(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        results["dose_response"]["openness"] |= {"spearman": None, "slopes": None}

    run = read_run(make_run(change))
    assert [t.outcome for t in targets(run)] == ["not measured"] * 2 + ["met"] * 3
    assert outcome(run).endswith("meets the 3 of 5 targets that were measured.")


def test_a_group_on_which_it_is_no_better_than_zero_is_named(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        groups = results["tasks"]["questions"]["arms"]["dpg"]["by_kind"]
        groups["held_out"] = {
            "l2": {"mean": 4.4, "low": 4.0, "high": 4.8},
            "zero": 3.6,
            "personas": 16,
        }

    assert shortfalls(read_run(make_run(change))) == [
        "Open-ended questions, held-out personas: DPG is no better than constant zero "
        "(4.40 [4.00, 4.80] against 3.60)."
    ]


@pytest.mark.parametrize(
    ("mean", "p_holm", "named"), [(1.4, 0.01, True), (1.4, 0.2, False), (-1.4, 0.01, False)]
)
def test_an_arm_that_is_clearly_nearer_is_named_and_one_that_may_be_is_not(
    make_run: MakeRun, mean: float, p_holm: float, named: bool
) -> None:
    def change(results: dict[str, Any]) -> None:
        compared = results["tasks"]["questions"]["comparisons"]["lora_sft"]
        compared["difference"] = {"mean": mean, "low": mean - 0.9, "high": mean + 0.6}
        compared["p_holm"] = p_holm

    said = (
        "Open-ended questions: LoRA-SFT is nearer to what was asked than DPG, "
        "by 1.40 [0.50, 2.00] points."
    )
    assert shortfalls(read_run(make_run(change))) == ([said] if named else [])
