"""What one task gave: personas, arms, trivial answers, and DPG against the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

from lightning_dpg.report.fields import Fields
from lightning_dpg.report.reading.arm import Arm, Persona, arm_of, persona_of
from lightning_dpg.report.reading.values import Estimate, count, estimate, estimates

GOLD = "gold"
"""The characters' own lines, rated as replies are."""


@dataclass(frozen=True)
class Ratio:
    """P.S.D.C. of one arm over another's; `against` names the other where the key does not."""

    name: str
    value: Estimate
    against: str = ""


@dataclass(frozen=True)
class Comparison:
    """DPG minus another arm, persona by persona.

    Attributes:
        other: the other arm, or the trait where the difference is of absolute errors of one.
        difference: in points; below 0 DPG lies nearer to what was asked.
        p: of a paired sign-flip test; `p_holm` after Holm's correction.
        effect: paired Cohen's d_z; None for a trait.
        personas: that both have a score for.
        traits: the same for each trait; empty inside.
    """

    other: str
    difference: Estimate | None
    p: float | None
    p_holm: float | None
    effect: float | None = None
    personas: int = 0
    traits: tuple[Comparison, ...] = ()


@dataclass(frozen=True)
class Task:
    """One task of an evaluation, in the order of the file.

    Attributes:
        prompts: what everybody was asked; empty where each persona heard its own.
        trivial: answers that read no prompt.
        gold: the characters' own lines rated again, where they are known: the noise floor.
        comparisons: DPG against each other arm.
    """

    name: str
    title: str
    prompts: tuple[str, ...]
    personas: tuple[Persona, ...]
    arms: tuple[Arm, ...]
    trivial: tuple[Arm, ...]
    gold: Arm | None
    ratios: tuple[Ratio, ...]
    comparisons: tuple[Comparison, ...]

    def arm(self, name: str) -> Arm | None:
        """The arm of that name, if the task had it."""
        return next((arm for arm in self.arms if arm.name == name), None)

    def ratio(self, name: str) -> Ratio | None:
        """The ratio of that name, if it could be computed."""
        return next((ratio for ratio in self.ratios if ratio.name == name), None)

    @property
    def main(self) -> Arm:
        """The arm that the report is about: DPG, or else the last one."""
        return self.arm("dpg") or self.arms[-1]

    @property
    def zero(self) -> Estimate | None:
        """P.S.D.C. (L2) of the answer that is always zero."""
        trivial = next((arm for arm in self.trivial if arm.name == "constant_zero"), None)
        return trivial.psdc.get("l2") if trivial else None

    def zero_of(self, arm: Arm) -> float | None:
        """The same on the personas that an arm has scored: what the arm can be compared with."""
        sizes = [math.hypot(*p.target) for p in self.personas if p.id in arm.measured]
        return fmean(sizes) if sizes else None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of its personas, in their order."""
        return tuple(dict.fromkeys(persona.kind for persona in self.personas))


def task_of(name: str, entry: Fields) -> Task:
    """One entry of `tasks`."""
    gold = entry.child("references").child(GOLD)
    comparisons = entry.children("comparisons").items()
    return Task(
        name=name,
        title=entry.text("title", name.replace("_", " ").capitalize()),
        prompts=entry.strings("prompts"),
        personas=tuple(persona_of(one) for one in entry.entries("personas")),
        arms=tuple(arm_of(*item) for item in entry.children("arms").items()),
        trivial=tuple(arm_of(*item) for item in entry.children("trivial").items()),
        gold=arm_of(GOLD, gold) if gold.values else None,
        ratios=tuple(
            Ratio(ratio, value, entry.child("ratios").child(ratio).text("arm", ""))
            for ratio, value in estimates(entry, "ratios").items()
        ),
        comparisons=tuple(_comparison(*item) for item in comparisons),
    )


def _comparison(other: str, entry: Fields) -> Comparison:
    return Comparison(
        other=other,
        difference=estimate(entry.child("difference")),
        p=entry.number("p"),
        p_holm=entry.number("p_holm"),
        effect=entry.number("effect"),
        personas=count(entry, "personas"),
        traits=tuple(_comparison(*item) for item in entry.children("traits").items()),
    )
