"""Times of contenders, taken in turn so that drift of the machine meets them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from scipy.stats import bootstrap

RESAMPLES = 2000
LEAST_PAIRS = 6
"""Below it resampled medians are hardly ever beyond what was seen: 95% would be a wrong name."""


class Spread(TypedDict):
    """Median and 95th percentile, in seconds."""

    p50: float
    p95: float


class Ratio(TypedDict):
    """A ratio of medians with its 95% interval; None where there are too few repetitions."""

    ratio: float
    low: float | None
    high: float | None


def interleaved(
    runs: Mapping[str, Callable[[], Any]],
    repeats: int,
    wait: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each run, `repeats` of each.

    A repetition runs everybody once before the next begins, each time in another order, drawn with
    a fixed seed, so that no one has always the same neighbour's leavings in the caches.

    Args:
        runs: what to time, by name.
        repeats: repetitions.
        wait: waits for the device to be done.
        clock: seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    generator = np.random.default_rng(0)
    for _ in range(repeats):
        for name in generator.permutation(list(runs)).tolist():
            wait()
            start = clock()
            runs[name]()
            wait()
            seconds[name].append(clock() - start)
    return seconds


def spread(seconds: Sequence[float]) -> Spread:
    """Median and 95th percentile (numpy's linear ones)."""
    p50, p95 = np.percentile(seconds, [50, 95])
    return Spread(p50=float(p50), p95=float(p95))


def ratio(above: Sequence[float], below: Sequence[float], seed: int = 0) -> Ratio:
    """Ratio of two medians, repetitions resampled in pairs.

    Args:
        above: seconds of one contender.
        below: seconds of another in the same repetitions.
        seed: of the resampling.
    """
    found = float(np.median(above) / np.median(below))
    if len(above) < LEAST_PAIRS:
        return Ratio(ratio=found, low=None, high=None)
    interval = bootstrap(
        (above, below),
        lambda a, b, axis: np.median(a, axis=axis) / np.median(b, axis=axis),
        n_resamples=RESAMPLES,
        paired=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Ratio(ratio=found, low=float(interval.low), high=float(interval.high))
