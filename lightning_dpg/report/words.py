"""The sentences of the report, computed from its numbers: a poor result is said as plainly."""

from __future__ import annotations

from lightning_dpg.report.reading import Arm, Estimate, Ratio, RunFolder
from lightning_dpg.report.style import label
from lightning_dpg.report.tables import interval, number

PAPER = {"dpg_over_lora_sft": 3.14 / 4.25, "dpg_over_best_prompt": 3.14 / 3.36}
"""The paper's ratios (Llama-7B; its prompt-only arm is GPT-4): orientation, not a comparison."""


def outcome(run: RunFolder) -> str:
    """What came out, in one sentence about the main arm."""
    arm = run.main
    value = arm.psdc.get("l2")
    if value is None:
        return f"{label(arm.name)} could not be measured: no persona was scored."
    parts = [_compared(ratio) for ratio in run.ratios if ratio.name.startswith(f"{arm.name}_over_")]
    if parts:
        said = f"{label(arm.name)} deviates {' and '.join(parts)}"
    else:
        by = f"{number(value)}{_bounds(value)}"
        said = f"{label(arm.name)} deviates by {by} from the profiles that were asked for"
    against = _against_zero(value, run)
    return f"{said}; {against}." if against else f"{said}."


def setting(run: RunFolder) -> str:
    """What was run: arms, personas, prompts, backbone, seed and judge."""
    facts = run.facts
    kinds: dict[str, int] = {}
    for persona in run.personas:
        kinds[kind(persona.kind)] = kinds.get(kind(persona.kind), 0) + 1
    people = ", ".join(f"{count} {name}" for name, count in kinds.items())
    arms = ", ".join(label(arm.name) for arm in run.arms)
    prompts = f" {counted(len(run.prompts), 'prompt')}" if run.prompts else ""
    backbone = f" on {facts['backbone']}" if facts.get("backbone") else ""
    judge = f"; judged by {facts['judge']}" if facts.get("judge") else ""
    return (
        f"{arms} answered{prompts} as {counted(len(run.personas), 'persona')} ({people})"
        f"{backbone}, seed {facts.get('seed', 'unknown')}{judge}."
    )


def ratio_title(ratio: Ratio) -> str:
    """`dpg_over_best_prompt` → `DPG over best prompt (Prompted)`."""
    upper, _, lower = ratio.name.partition("_over_")
    title = f"{label(upper)} over {_inside(lower)}" if lower else label(upper)
    return f"{title} ({label(ratio.against)})" if ratio.against else title


def ratio_verdict(ratio: Ratio) -> str:
    """What an interval of a ratio of deviations says."""
    low, high = ratio.value.low, ratio.value.high
    if low is None or high is None:
        return "no interval"
    if high < 1:
        return "deviates less"
    return "deviates more" if low > 1 else "no clear difference: the interval holds 1"


def kind(name: str) -> str:
    """The kind of a persona as a reader sees it."""
    return {"held_out": "held-out", "": "unnamed kind"}.get(name, name.replace("_", " "))


def counted(count: int, noun: str) -> str:
    """`1 prompt`, `2 prompts`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def reasons(arm: Arm) -> list[tuple[str, list[str]]]:
    """Why personas of an arm have no score: each reason with the ids, most frequent first."""
    grouped: dict[str, list[str]] = {}
    for persona, reason in arm.reasons.items():
        grouped.setdefault(reason or "no reason was written down", []).append(persona)
    return sorted(grouped.items(), key=lambda item: -len(item[1]))


def _compared(ratio: Ratio) -> str:
    other = _inside(ratio.name.partition("_over_")[2])
    against = f" ({label(ratio.against)})" if ratio.against else ""
    bounds = _bounds(ratio.value)
    return f"{number(ratio.value)} times as much as {other}{against}{bounds}"


def _against_zero(value: Estimate, run: RunFolder) -> str:
    """The main arm against the answer 0 for every trait, which knows nothing of any prompt."""
    trivial = next((arm for arm in run.trivial if arm.name == "constant_zero"), None)
    zero = None if trivial is None else trivial.psdc.get("l2")
    if zero is None:
        return ""
    numbers = f"{number(value)} against {number(zero)}"
    if value.mean >= zero.mean:
        return f"it is worse than constant zero, the answer that ignores the persona ({numbers})"
    if value.high is not None and value.high >= zero.mean:
        return f"it is not clearly better than constant zero ({numbers})"
    return f"it is better than constant zero ({numbers})"


def _inside(name: str) -> str:
    """A label inside a sentence."""
    return {"best_prompt": "the best prompt-only arm"}.get(name) or label(name)


def _bounds(value: Estimate) -> str:
    """The interval with a space before it, or nothing at all."""
    return "" if value.low is None or value.high is None else f" {interval(value)}"
