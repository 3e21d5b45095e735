"""Fourth stage: how far each part lies from its character's centre."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.reference import Floats
from lightning_dpg.corpus.stages.read import Row, is_complete, parts_of
from lightning_dpg.records import TRAITS

ONE_SIGMA = 0.6827
"""Of normal deviations, the share within one standard deviation."""
LEAST_SPREAD = 0.25
"""Points; finer than assessors tell apart. A trait on which parts of a character hardly differ must
not decide alone."""


def measure_distances(rows: Sequence[Row], kept: Artefacts) -> list[Row]:
    """The rows with `distance`, where a part has all scores and its character another such one."""
    rated = [i for i, row in enumerate(rows) if is_complete(row["dialogue_scores"])]
    parts = parts_of([rows[i] for i in rated])
    scores = [rows[rated[part[0]]]["dialogue_scores"] for part in parts.values()]

    def make() -> dict[str, Any]:
        people = [character for _, character in parts]
        centres, spread, distances = distances_from_centres(
            np.array(scores, dtype=float).reshape(len(scores), len(TRAITS)), people
        )
        return {
            "spread": spread.tolist(),
            "centres": {person: centre.tolist() for person, centre in centres.items()},
            "distances": [
                [*part, None if np.isnan(distance) else float(distance)]
                for part, distance in zip(parts, distances, strict=True)
            ],
        }

    measured = kept.get(
        "centred", [[*part, *s] for part, s in zip(parts, scores, strict=True)], make
    )
    result = [dict(row) for row in rows]
    for (_, _, distance), part in zip(measured["distances"], parts.values(), strict=True):
        for i in part:
            result[rated[i]]["distance"] = distance
    return result


def distances_from_centres(
    scores: Floats, people: Sequence[str]
) -> tuple[dict[str, Floats], Floats, Floats]:
    """How far each part lies from where the other parts of its person are.

    A centre is the median of each trait: half of the parts may be anything without moving it out of
    the other half, and the few that a character has are enough for it. A part is measured from the
    median of the others: of four parts each pulls the median of all towards itself, and would look
    nearer, or the rest farther, than it is. The median of m normal values has itself a variance of
    about π/(2m + 1), by which deviations are shortened, so that few and many parts compare.

    One spread a trait is taken over everybody's deviations, as those of one person are too few. It
    is the quantile that is one standard deviation of a normal distribution; up to 32% of the parts
    may be anything. (The median absolute deviation withstands 50%, but is 0 as soon as half of the
    deviations are, which integer scores of steady characters give.)

    The distance is Euclidean over the traits in these units. With normal deviations its square
    follows chi-squared with five degrees of freedom: half of the parts lie beyond 2.1, one in 40
    beyond 3.6.

    Args:
        scores: (parts, traits).
        people: whose part each is.

    Returns:
        centres (traits,) by person; spread (traits,) around them, in points; distances
        (parts,), NaN where a person has one part alone.
    """
    found: dict[str, list[int]] = defaultdict(list)
    for i, person in enumerate(people):
        found[person].append(i)
    centres = {person: np.median(scores[mine], axis=0) for person, mine in found.items()}
    deviations = np.full(scores.shape, np.nan)
    for mine in found.values():
        others = len(mine) - 1
        if others:
            shorter = np.sqrt(1.0 + np.pi / (2 * others + 1))
            deviations[mine] = (scores[mine] - medians_of_others(scores[mine])) / shorter
    known = np.abs(deviations[~np.isnan(deviations[:, 0])])
    spread = np.full(scores.shape[1], LEAST_SPREAD)
    if len(known):
        spread = np.maximum(np.quantile(known, ONE_SIGMA, axis=0), LEAST_SPREAD)
    return centres, spread, np.linalg.norm(deviations / spread, axis=1)


def medians_of_others(scores: Floats) -> Floats:
    """For each of two or more parts, the median of all others by trait, (parts, traits)."""
    count = len(scores)
    ordered = np.sort(scores, axis=0)
    rank = np.argsort(np.argsort(scores, axis=0, kind="stable"), axis=0)

    def remaining(place: int) -> Floats:
        """What stands at a place of the order once a part is taken out of it."""
        low, high = ordered[place], ordered[min(place + 1, count - 1)]
        values: Floats = np.where(rank > place, low, high)
        return values

    return (remaining((count - 2) // 2) + remaining((count - 1) // 2)) / 2
