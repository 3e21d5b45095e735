"""The instruments of an evaluation, what they make of replies, and whether two of them agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.base import Assessor, Normed
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.results import ratings_tensor, trait_r
from lightning_dpg.metrics.functional import scored
from lightning_dpg.progress import Advance
from lightning_dpg.records import Rating


@dataclass(frozen=True)
class Instruments:
    """Who rates what, in one language.

    Attributes:
        judge: rates personas by all their replies; its scores are the P.S.D.C.'s.
        reader: rates single replies, as they were labelled.
        second: an instrument that neither labelled nor judges.
    """

    judge: Assessor
    reader: Assessor
    second: Assessor


Panel = Callable[[str], Instruments]
"""The instruments for a language, by its two-letter code."""


def by_judge(instruments: Instruments) -> Assessor:
    """The instrument of the P.S.D.C."""
    return instruments.judge


def by_second(instruments: Instruments) -> Assessor:
    """The instrument beside it."""
    return instruments.second


def rate(
    personas: Sequence[Persona],
    said: Sequence[Sequence[str]],
    panel: Panel,
    choose: Callable[[Instruments], Assessor],
    kept: Artefacts,
    advance: Advance | None = None,
) -> list[Rating]:
    """A rating for each persona, by the instrument for its language; kept in the run.

    Args:
        personas: who spoke.
        said: the replies of each.
        panel: instruments by language.
        choose: which of them rates.
        kept: finished work of the run.
        advance: told how many replies are rated.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for i, persona in enumerate(personas):
        groups[persona.language].append(i)
    ratings: dict[int, Rating] = {}
    for language, members in groups.items():
        assessor, texts = choose(panel(language)), [list(said[i]) for i in members]
        found = _rate(assessor, language, texts, kept, advance)
        ratings |= dict(zip(members, found, strict=True))
    return [ratings[i] for i in range(len(personas))]


def _rate(
    assessor: Assessor,
    language: str,
    texts: list[list[str]],
    kept: Artefacts,
    advance: Advance | None,
) -> list[Rating]:
    told = 0

    def tell(count: int) -> None:
        nonlocal told
        told += count
        if advance:
            advance(count)

    def make() -> list[dict[str, Any]]:
        return [asdict(rating) for rating in assessor.rate(texts, advance=tell)]

    # A local assessor's scores depend on the people that it compares with.
    norms = assessor.reference if isinstance(assessor, Normed) else None
    given = {
        "assessor": assessor.identity,
        "norms": norms and norms.to_dict(),
        "language": language,
        "texts": texts,
    }
    rows = kept.get("ratings", given, make, lambda rows: [row["reason"] for row in rows])
    tell(sum(map(len, texts)) - told)  # kept ones, and what nothing had to be read of
    return [Rating(tuple(row["scores"]), row["reason"]) for row in rows]


def agreement(
    personas: Sequence[Persona], ratings: Sequence[Rating], instrument: str
) -> dict[str, Any]:
    """What a second instrument makes of the replies: correlation with what was asked."""
    measured = ratings_tensor(ratings)
    targets = torch.tensor([p.target.scores for p in personas])
    return {
        "instrument": instrument,
        "trait_r": trait_r(targets, measured),
        "scored": int(scored(measured).sum()),
    }
