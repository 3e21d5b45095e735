"""What an evaluation counted of an arm's replies, whatever personality they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lightning_dpg.records import TRAITS
from lightning_dpg.report.fields import Fields
from lightning_dpg.report.reading.values import Estimate, count, estimate, numbers

N_GRAMS = (1, 2, 3)


@dataclass(frozen=True)
class Judged:
    """What a language model makes of the replies, 1 to 5 each, higher is better.

    Attributes:
        judge: its name.
        unscored: replies or personas that it gave no usable answer to, by `reasons`.
    """

    judge: str
    fluency: Estimate | None
    coherency: Estimate | None
    consistency: Estimate | None
    unscored: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class Quality:
    """Fluency, coherency and consistency of replies, and what was counted of them.

    Attributes:
        nll: how unlikely the frozen model finds the replies, in nats a token; lower is better.
        coherency: how much the context raises the likelihood, in nats a token; higher is better.
        consistency: agreement of disjoint halves of a persona's replies, at most 1.
        consistency_by_trait: the same, one per trait.
        distinct: share of different 1-, 2- and 3-grams, in [0, 1].
        loops: share of replies that go round; `refusals` of those that refuse.
        words: mean length.
        judged: by a language model, where one was asked.
    """

    nll: Estimate | None = None
    coherency: Estimate | None = None
    consistency: float | None = None
    consistency_by_trait: tuple[float | None, ...] = ()
    distinct: tuple[float | None, ...] = (None,) * len(N_GRAMS)
    loops: float | None = None
    refusals: float | None = None
    words: float | None = None
    judged: Judged | None = None


def quality_of(entry: Fields) -> Quality | None:
    """What is written under `quality` of an arm; None where nothing is."""
    if not entry.values:
        return None
    by_trait = entry.child("consistency_by_trait")
    return Quality(
        nll=estimate(entry.child("nll")),
        coherency=estimate(entry.child("coherency")),
        consistency=entry.number("consistency"),
        consistency_by_trait=tuple(by_trait.number(trait) for trait in TRAITS),
        distinct=tuple(entry.number(f"distinct_{n}") for n in N_GRAMS),
        loops=entry.number("loops"),
        refusals=entry.number("refusals"),
        words=entry.number("words"),
        judged=_judged(entry.child("judged")),
    )


def _judged(entry: Fields) -> Judged | None:
    if not entry.values:
        return None
    reasons = numbers(entry.child("reasons"))
    return Judged(
        judge=entry.text("judge", ""),
        fluency=estimate(entry.child("fluency")),
        coherency=estimate(entry.child("coherency")),
        consistency=estimate(entry.child("consistency")),
        unscored=count(entry, "unscored"),
        reasons={reason: int(times or 0) for reason, times in reasons.items()},
    )
