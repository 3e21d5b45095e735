"""Intervals: bootstrap over personas, which are the unit of everything that is compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import DegenerateDataWarning, bootstrap, pearsonr

Floats = NDArray[np.float64]


class Interval(TypedDict):
    """An estimate with its 95% bootstrap interval; None where it cannot be computed."""

    mean: float | None
    low: float | None
    high: float | None


def mean_interval(values: Floats, resamples: int, seed: int) -> Interval:
    """Mean of one value a persona, (personas,), with the percentile interval over personas."""
    if len(values) == 0:
        return Interval(mean=None, low=None, high=None)
    if len(values) == 1:
        return Interval(mean=float(values[0]), low=None, high=None)
    result = bootstrap(
        (values,),
        np.mean,
        n_resamples=resamples,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return Interval(mean=float(values.mean()), low=float(low), high=float(high))


def ratio_interval(above: Floats, below: Floats, resamples: int, seed: int) -> Interval:
    """Ratio of two means over the same personas, resampled in pairs; both (personas,)."""
    if len(above) == 0 or not below.mean() > 0:
        return Interval(mean=None, low=None, high=None)

    def ratio_of_means(x: Floats, y: Floats, axis: int) -> Floats:
        return np.asarray(x.mean(axis=axis) / y.mean(axis=axis))

    return _paired(above, below, ratio_of_means, resamples, seed)


def correlation_interval(first: Floats, second: Floats, resamples: int, seed: int) -> Interval:
    """Pearson's r, in [-1, 1], of two values a persona, resampled in pairs; both (personas,).

    There is none with fewer than three personas, or where one of the two does not vary.
    """
    if len(first) < 3 or not np.ptp(first) > 0 or not np.ptp(second) > 0:
        return Interval(mean=None, low=None, high=None)

    def correlation(x: Floats, y: Floats, axis: int) -> Floats:
        return np.asarray(pearsonr(x, y, axis=axis).statistic)

    return _paired(first, second, correlation, resamples, seed)


def _paired(
    first: Floats,
    second: Floats,
    statistic: Callable[[Floats, Floats, int], Floats],
    resamples: int,
    seed: int,
) -> Interval:
    """A statistic of two values a persona, without an interval where some resamples lack it."""
    found = float(statistic(first, second, 0))
    if len(first) == 1:
        return Interval(mean=found, low=None, high=None)
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)
        result = bootstrap(
            (first, second),
            statistic,
            paired=True,
            n_resamples=resamples,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    low, high = result.confidence_interval
    if not np.isfinite([low, high]).all():
        return Interval(mean=found, low=None, high=None)
    return Interval(mean=found, low=float(low), high=float(high))
