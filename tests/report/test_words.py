"""The smaller sentences say what the numbers say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lightning_dpg.report.reading import Comparison, Control, Estimate, Ratio, read_run
from lightning_dpg.report.words import (
    comparison_verdict,
    control_title,
    control_verdict,
    ratio_title,
    ratio_verdict,
    setting,
)

MakeRun = Callable[..., Path]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.6, 0.9, "deviates less"),
        (0.9, 1.1, "no clear difference: the interval holds 1"),
        (1.1, 1.4, "deviates more"),
        (None, None, "no interval"),
    ],
)
def test_ratio(low: float | None, high: float | None, said: str) -> None:
    ratio = Ratio("dpg_over_best_prompt", Estimate(1.0, low, high), "few_shot")
    assert ratio_verdict(ratio) == said
    assert ratio_title(ratio) == "DPG over the best prompt-only arm (Few-shot)"


@pytest.mark.parametrize(
    ("difference", "p_holm", "said"),
    [
        (-1.0, 0.049, "nearer to what was asked"),
        (-1.0, 0.051, "no clear difference"),
        (1.0, 0.01, "farther from it"),
        (1.0, None, "not tested"),
        (None, 0.01, "not tested"),
    ],
)
def test_comparison_reads_the_corrected_p(
    difference: float | None, p_holm: float | None, said: str
) -> None:
    value = None if difference is None else Estimate(difference)
    assert comparison_verdict(Comparison("lora_sft", value, 0.001, p_holm)) == said


@pytest.mark.parametrize(
    ("measure", "broken", "p", "said"),
    [
        ("nll", 3.0, 0.01, "caught"),
        ("nll", 1.0, 0.01, "missed"),
        ("nll", 3.0, 0.2, "missed"),
        ("coherency", 1.0, 0.01, "caught"),
        ("consistency", 3.0, 0.01, "missed"),
        ("consistency", 1.0, None, "not tested"),
    ],
)
def test_a_control_is_caught_where_the_measure_turns_worse(
    measure: str, broken: float, p: float | None, said: str
) -> None:
    control = Control("mixed", measure, Estimate(2.0), Estimate(broken), None, p, "", "")
    assert control_verdict(control) == said
    assert control_verdict(replace(control, intact=None)) == "not tested"
    assert control_title(control.name) == "two personas spliced"


def test_setting_names_tasks_arms_and_judge(make_run: MakeRun) -> None:
    said = setting(read_run(make_run()))
    assert said.startswith(
        "Open-ended questions: 32 personas (16 held-out, 16 drawn), 4 prompts; "
        "Scripted dialogue: 16 personas (16 held-out); "
    )
    assert "Arms: Unadapted · Prompted, scores · LoRA-SFT · DPG on SmolLM2" in said
    assert said.endswith("seed 0; judged by local/markers-1/SmolLM2-135M-Instruct.")
