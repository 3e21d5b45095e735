"""Intervals by the bootstrap over personas, or over the characters that they are.

`clusters` names the character of each persona: those of one character are drawn together. None, or
all different, draws every persona by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypedDict

import numpy as np

from lightning_dpg.evaluation.statistics.resampling import Floats, draws

LEAST_SPREAD = 1e-12
"""Below it nothing varies: what is left is rounding of floating-point numbers."""


class Interval(TypedDict):
    """An estimate with its 95% bootstrap interval; None where it cannot be computed."""

    mean: float | None
    low: float | None
    high: float | None


def mean_interval(
    values: Floats, resamples: int, seed: int, clusters: Sequence[Hashable] | None = None
) -> Interval:
    """Mean of one value a persona, (personas,), with the percentile interval."""
    if len(values) == 0:
        return nothing()

    def mean(weights: Floats) -> Floats:
        return np.asarray(weights @ values / weights.sum(-1))

    return _resampled(len(values), mean, resamples, seed, clusters)


def ratio_interval(
    above: Floats,
    below: Floats,
    resamples: int,
    seed: int,
    clusters: Sequence[Hashable] | None = None,
) -> Interval:
    """Ratio of two means over the same personas, resampled in pairs; both (personas,)."""
    if len(above) == 0 or not below.mean() > 0:
        return nothing()

    def ratio_of_means(weights: Floats) -> Floats:
        return np.asarray((weights @ above) / (weights @ below))

    return _resampled(len(above), ratio_of_means, resamples, seed, clusters)


def correlation_interval(
    first: Floats,
    second: Floats,
    resamples: int,
    seed: int,
    clusters: Sequence[Hashable] | None = None,
) -> Interval:
    """Pearson's r, in [-1, 1], of two values a persona, resampled in pairs; both (personas,).

    There is none with fewer than three personas, or where one of the two does not vary.
    """
    if len(first) < 3 or not np.ptp(first) > 0 or not np.ptp(second) > 0:
        return nothing()

    def correlation(weights: Floats) -> Floats:
        total = weights.sum(-1)
        x = first - (weights @ first / total)[..., None]
        y = second - (weights @ second / total)[..., None]
        spread = np.sqrt((weights * x * x).sum(-1) * (weights * y * y).sum(-1))
        return np.where(spread > LEAST_SPREAD, (weights * x * y).sum(-1) / spread, np.nan)

    return _resampled(len(first), correlation, resamples, seed, clusters)


def nothing() -> Interval:
    """Where there is no estimate."""
    return Interval(mean=None, low=None, high=None)


def interval(found: float, resampled: Floats | None, least_defined: float = 1.0) -> Interval:
    """An estimate with the percentile interval of its resamples.

    Args:
        found: the estimate, not finite where there is none.
        resampled: the statistic of each resample, (resamples,); None where there are none.
        least_defined: share of resamples that must have the statistic; the others are left out.
    """
    if not np.isfinite(found):
        return nothing()
    low = high = None
    if resampled is not None:
        known = resampled if least_defined >= 1 else resampled[np.isfinite(resampled)]
        if len(known) >= least_defined * len(resampled):
            low, high = (float(bound) for bound in np.percentile(known, [2.5, 97.5]))
    if low is None or high is None or not np.isfinite([low, high]).all():
        return Interval(mean=float(found), low=None, high=None)
    return Interval(mean=float(found), low=low, high=high)


def _resampled(
    count: int,
    statistic: Callable[[Floats], Floats],
    resamples: int,
    seed: int,
    clusters: Sequence[Hashable] | None,
) -> Interval:
    """A statistic of personas that count by weights, without interval where a resample lacks it."""
    weights = draws(count, clusters, resamples, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = float(statistic(np.ones(count)))
        resampled = None if weights is None else statistic(weights)
        return interval(found, resampled)
