"""Intervals: bootstrap over persons, with all subjects of a person drawn together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int_]
Statistic = Callable[[Rows], float]
"""From the numbers of the subjects that were drawn to a coefficient; NaN where it has none."""

FEWEST_PERSONS = 6
"""Resamples of fewer persons are too few different ones to bound 95%."""
LEAST_DEFINED = 0.95
"""Share of resamples that must have the coefficient: of six persons, few may be of one pole."""


class Estimate(TypedDict):
    """A coefficient with its 95% interval; None where it cannot be computed.

    `subjects` and `persons` say how many it rests on.
    """

    value: float | None
    low: float | None
    high: float | None
    subjects: int
    persons: int


@dataclass(frozen=True)
class Draws:
    """How often, and from which seed, persons are drawn."""

    resamples: int
    seed: int


def estimate(
    statistic: Statistic, people: Sequence[str], draws: Draws, value: float | None = None
) -> Estimate:
    """A coefficient over all subjects, with the percentile interval over persons.

    Args:
        statistic: computes it.
        people: who each subject is.
        draws: resamples and seed.
        value: the coefficient over all subjects, where a slower routine than `statistic` gives it.
    """
    if value is None:
        value = statistic(np.arange(len(people)))
    persons = len(set(people))
    low, high = _bounds(statistic, people, draws) if math.isfinite(value) else (None, None)
    return Estimate(
        value=value if math.isfinite(value) else None,
        low=low,
        high=high,
        subjects=len(people),
        persons=persons,
    )


def _bounds(
    statistic: Statistic, people: Sequence[str], draws: Draws
) -> tuple[float | None, float | None]:
    groups: dict[str, list[int]] = {}
    for row, person in enumerate(people):
        groups.setdefault(person, []).append(row)
    members = [np.array(rows) for rows in groups.values()]
    if len(members) < FEWEST_PERSONS:
        return None, None
    rng = np.random.default_rng(draws.seed)
    found = []
    for _ in range(draws.resamples):
        drawn = rng.integers(len(members), size=len(members))
        found.append(statistic(np.concatenate([members[i] for i in drawn])))
    known = np.array([value for value in found if math.isfinite(value)])
    if len(known) < LEAST_DEFINED * len(found):
        return None, None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
