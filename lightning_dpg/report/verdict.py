"""What came out: one sentence, and the targets of the project, each met or missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lightning_dpg.report.reading import Dose, Ratio, RunFolder, Task
from lightning_dpg.report.style import label
from lightning_dpg.report.tables import number, signed, spread
from lightning_dpg.report.words import FARTHER, comparison_verdict, inside, kind

MOST = {"dpg_over_lora_sft": 0.74, "dpg_over_best_prompt": 0.5, "dpg_over_constant_zero": 0.75}
"""Ratios of P.S.D.C. that the project aims at; the first is that of the paper."""
CLEAR = "dpg_over_lora_sft"
"""Of this one the interval has to lie below 1, too."""
LEAST_SPEARMAN = 0.8
MOST_DRAG = 0.5
"""How steep another trait's slope may be, as a share of the dial's own."""

Outcome = Literal["missed", "not measured", "met"]
ORDER: tuple[Outcome, ...] = ("missed", "not measured", "met")


@dataclass(frozen=True)
class Target:
    """One target of the project.

    Attributes:
        name: what is aimed at, with the number.
        outcome: whether it was met.
        found: the number that was found, or what failed.
    """

    name: str
    outcome: Outcome
    found: str


def outcome(run: RunFolder) -> str:
    """What came out, in one sentence about the main arm."""
    arm = run.main
    value = arm.psdc.get("l2")
    if value is None:
        return f"{label(arm.name)} could not be measured: no persona was scored."
    parts = [_against_zero(run), _against_lora(run), _all_targets(targets(run))]
    said = [part for part in parts if part]
    if not said:
        said = [f"deviates by {spread(value)} from the profiles that were asked for"]
    listed = f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else said[0]
    return f"{label(arm.name)} {listed}."


def shortfalls(run: RunFolder) -> list[str]:
    """Where the main arm is no better than always zero, and which arms beat it, a sentence each."""
    found = []
    for task in run.tasks:
        arm = task.arm(run.main.name)
        for name, group in arm.by_kind.items() if arm else ():
            if group.l2 and group.zero is not None and group.l2.mean >= group.zero:
                where = f"{task.title}, {kind(name)} personas"
                found.append(
                    f"{where}: {label(run.main.name)} is no better than constant zero "
                    f"({spread(group.l2)} against {number(group.zero)})."
                )
    return found + [sentence for task in run.tasks for sentence in _beaten(task)]


def _beaten(task: Task) -> list[str]:
    """The arms that lie nearer to what was asked than the main one, after Holm's correction."""
    return [
        f"{task.title}: {label(other.other)} is nearer to what was asked than "
        f"{label(task.main.name)}, by {spread(other.difference)} points."
        for other in task.comparisons
        if comparison_verdict(other) == FARTHER
    ]


def targets(run: RunFolder) -> list[Target]:
    """The targets, missed ones first; none in a run without DPG."""
    if run.headline.arm("dpg") is None:
        return []
    ratios = [_ratio_target(name, run.headline.ratio(name)) for name in MOST]
    found = [*ratios, _spearman_target(run.doses), _drag_target(run.doses)]
    return sorted(found, key=lambda target: ORDER.index(target.outcome))


def _ratio_target(name: str, ratio: Ratio | None) -> Target:
    most = MOST[name]
    other = inside(name.partition("_over_")[2])
    aim = f"P.S.D.C. over {other} at most {most:g}"
    if name == CLEAR:
        aim += ", its interval below 1"
    if ratio is None:
        return Target(aim, "not measured", "no such ratio in this run")
    low, high = ratio.value.low, ratio.value.high
    met = ratio.value.mean <= most and (name != CLEAR or (high is not None and high < 1))
    said = spread(ratio.value)
    if ratio.against:
        said += f", the best being {label(ratio.against)}"
    if met and high is not None and high > most:
        said += "; the interval reaches above the target"
    if not met and low is not None and low < most:
        said += "; the interval reaches below the target"
    return Target(aim, "met" if met else "missed", said)


def _spearman_target(doses: Sequence[Dose]) -> Target:
    aim = f"Spearman of every dial at least {LEAST_SPEARMAN:g}"
    known = {d.trait: d.base.spearman for d in doses if d.base.spearman is not None}
    low = {
        trait: rho for trait, rho in known.items() if rho < LEAST_SPEARMAN - 1e-9
    }  # .8 in floats
    if low:
        said = ", ".join(f"{trait} {signed(rho)}" for trait, rho in low.items())
        return Target(aim, "missed", said)
    if not doses or len(known) < len(doses):
        return Target(aim, "not measured", "no dose-response of all dials")
    return Target(aim, "met", f"{signed(min(known.values()))} or more")


def _drag_target(doses: Sequence[Dose]) -> Target:
    aim = "Every dial moves other traits by less than half of what it moves its own"
    # A dial that does not rise drags all others along more than its own trait.
    shares = {}
    for dose in doses:
        slope, other = dose.base.slope, dose.base.steepest_other
        if slope is not None and other is not None:
            shares[dose.trait] = (abs(other[1]) / slope if slope > 0 else float("inf"), other)
    high = {trait: found for trait, found in shares.items() if found[0] >= MOST_DRAG}
    if high:
        said = ", ".join(
            f"{trait} moves {other[0]} by {signed(other[1])} a point"
            for trait, (_, other) in high.items()
        )
        return Target(aim, "missed", said)
    if not doses or len(shares) < len(doses):
        return Target(aim, "not measured", "no dose-response of all dials")
    return Target(aim, "met", f"at most {number(max(share for share, _ in shares.values()))}")


def _against_zero(run: RunFolder) -> str:
    """The main arm against the answer 0 for every trait, which knows nothing of any prompt."""
    value, everybody = run.main.psdc.get("l2"), run.headline.zero
    if value is None or everybody is None:
        return ""
    own = run.headline.zero_of(run.main)
    zero = everybody.mean if own is None else own
    where = "" if number(zero) == number(everybody) else " on the personas that have a score"
    numbers = f"({number(value)} against {number(zero)}{where})"
    if value.mean >= zero:
        return f"is worse than constant zero, the answer that ignores the persona {numbers}"
    ratio = run.headline.ratio(f"{run.main.name}_over_constant_zero")
    unclear = value.high is not None and value.high >= zero
    if ratio and ratio.value.high is not None:  # in pairs, so that it tells more
        unclear = ratio.value.high >= 1
    return f"is {'not clearly ' if unclear else ''}better than constant zero {numbers}"


def _against_lora(run: RunFolder) -> str:
    ratio = run.headline.ratio(f"{run.main.name}_over_lora_sft")
    if ratio is None:
        return ""
    return f"deviates {spread(ratio.value)} times as much as {label('lora_sft')}"


def _all_targets(found: Sequence[Target]) -> str:
    count = {name: sum(t.outcome == name for t in found) for name in ORDER}
    if not found or count["not measured"] == len(found):
        return ""
    if count["missed"] == len(found):
        return f"misses all {len(found)} targets"
    if count["missed"]:
        return f"misses {count['missed']} of {len(found)} targets"
    if count["not measured"]:
        return f"meets the {count['met']} of {len(found)} targets that were measured"
    return f"meets all {len(found)} targets"
