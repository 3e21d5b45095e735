"""Personas, and what one arm gave of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from lightning_dpg.records import TRAITS
from lightning_dpg.report.fields import Fields
from lightning_dpg.report.reading.quality import Quality, quality_of
from lightning_dpg.report.reading.values import Estimate, count, estimate, estimates, texts

Scores = tuple[float, ...]
"""One score per trait, in the order of `TRAITS`; measured ones may overshoot [-5, 5]."""

Matrix = tuple[tuple[float | None, ...], ...]
"""Correlations in [-1, 1], traits × traits: prompted in rows, measured in columns."""


@dataclass(frozen=True)
class Persona:
    """Someone the model was asked to be: `target` is the prompted profile.

    Personas of one `cluster` are one character, over tasks and over seeds.
    """

    id: str
    kind: str
    name: str
    description: str
    target: Scores
    language: str = ""
    cluster: str = ""


@dataclass(frozen=True)
class Group:
    """Some of a task's personas: P.S.D.C. (L2) of those scored, and constant zero's on the same."""

    l2: Estimate | None
    zero: float | None
    personas: int


@dataclass(frozen=True)
class Arm:
    """One way to get a personality out of the model, or a trivial answer to compare it with.

    Attributes:
        psdc: by the name of the norm (l2, l1, mae, rmse), in points of the trait scale.
        trait_r: prompted against measured, one per trait; None where it is not defined.
        measured: by persona id, for the personas that were scored.
        reasons: by persona id, why there is no score.
        shuffled: P.S.D.C. (L2) against somebody else's target.
        by_kind: the same personas by kind, `by_language` where they speak several.
        traits: by trait, then by measure (pearson, spearman, concordance, mae, bias, slope).
        matrix: empty where it was not computed; `diagonal` is the mean of its diagonal,
            `off_diagonal` the mean size of the others.
        selectivity: diagonal minus off-diagonal, with an interval; None in earlier results.
        profile_r: correlation over the five traits of a persona, without the corpus mean.
        quality: of its replies, where it was measured.
        second_r: prompted against what a second instrument measured, one per trait.
        second: name of that instrument; empty where there was none.
    """

    name: str
    psdc: Mapping[str, Estimate]
    trait_r: tuple[float | None, ...]
    scored: int
    unscored: int
    measured: Mapping[str, Scores]
    reasons: Mapping[str, str]
    shuffled: Estimate | None = None
    by_kind: Mapping[str, Group] = field(default_factory=dict)
    by_language: Mapping[str, Group] = field(default_factory=dict)
    traits: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    matrix: Matrix = ()
    diagonal: float | None = None
    off_diagonal: float | None = None
    selectivity: Estimate | None = None
    profile_r: Estimate | None = None
    quality: Quality | None = None
    second_r: tuple[float | None, ...] = ()
    second: str = ""

    def deviation(self, persona: Persona) -> float | None:
        """L2 distance from the prompted to the measured profile of one persona."""
        measured = self.measured.get(persona.id)
        return None if measured is None else math.dist(persona.target, measured)


def persona_of(entry: Fields) -> Persona:
    """One entry of `personas`."""
    target = entry.scores("target")
    if target is None:
        raise entry.wrong("target", f"{len(TRAITS)} numbers", None)
    name = entry.text("id")
    return Persona(
        id=name,
        kind=entry.text("kind", ""),
        name=entry.text("name", name),
        description=entry.text("description", ""),
        target=target,
        language=entry.text("language", ""),
        cluster=entry.text("cluster", name),
    )


def arm_of(name: str, entry: Fields) -> Arm:
    """One entry of `arms`, `trivial` or `references`."""
    measured = entry.child("measured")
    scores = {persona: measured.scores(persona) for persona in measured.values}
    correlations, second = entry.child("trait_r"), entry.child("second")
    return Arm(
        name=name,
        psdc=estimates(entry, "psdc"),
        trait_r=tuple(correlations.number(trait) for trait in TRAITS),
        scored=count(entry, "scored"),
        unscored=count(entry, "unscored"),
        measured={persona: value for persona, value in scores.items() if value is not None},
        reasons=texts(entry.child("reasons")),
        shuffled=estimates(entry, "psdc_shuffled").get("l2"),
        by_kind=_groups(entry, "by_kind"),
        by_language=_groups(entry, "by_language"),
        traits={
            trait: estimates(entry.child("traits"), trait)
            for trait in TRAITS
            if trait in entry.child("traits").values
        },
        matrix=_matrix(entry),
        diagonal=entry.number("diagonal"),
        off_diagonal=entry.number("off_diagonal"),
        selectivity=estimate(entry.child("selectivity")),
        profile_r=estimate(entry.child("profile_r")),
        quality=quality_of(entry.child("quality")),
        second_r=tuple(second.child("trait_r").number(trait) for trait in TRAITS),
        second=second.text("instrument", ""),
    )


def _groups(entry: Fields, key: str) -> dict[str, Group]:
    return {
        name: Group(estimate(group.child("l2")), group.number("zero"), count(group, "personas"))
        for name, group in entry.children(key).items()
    }


def _matrix(entry: Fields) -> Matrix:
    rows = entry.rows("matrix")
    if rows and {len(rows), *map(len, rows)} != {len(TRAITS)}:
        size = f"{len(TRAITS)}×{len(TRAITS)} numbers"
        raise entry.wrong("matrix", size, entry.values["matrix"])
    return rows
