"""The bootstrap's draws: whole characters, since personas of one character are no new evidence."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = tuple[int, ...]


def grouped(count: int, clusters: Sequence[Hashable] | None) -> Groups:
    """Which cluster each of `count` personas is of, numbered as they come.

    Raises:
        ValueError: another number of clusters than of personas.
    """
    if clusters is None:
        return tuple(range(count))
    if len(clusters) != count:
        raise ValueError(f"clusters expected one for each of {count} personas, got {len(clusters)}")
    numbers: dict[Hashable, int] = {}
    return tuple(numbers.setdefault(cluster, len(numbers)) for cluster in clusters)


def draws(
    count: int, clusters: Sequence[Hashable] | None, resamples: int, seed: int
) -> Floats | None:
    """How often each persona comes in each resample, (resamples, personas).

    A weighted statistic over a row is the statistic of that resample, so that one table serves
    every statistic of these personas. Where clusters are all different, or None, the resamples are
    those of `scipy.stats.bootstrap` from the same seed.

    Args:
        count: of personas.
        clusters: whom each is of: as many clusters as there are are drawn with replacement, with
            all personas of each. None: every persona by itself.
        resamples: number of resamples.
        seed: of the draws.

    Returns:
        None with fewer than two clusters, of which all resamples are alike.
    """
    groups = grouped(count, clusters)
    return _draws(groups, resamples, seed) if len(set(groups)) > 1 else None


@lru_cache(maxsize=8)
def _draws(groups: Groups, resamples: int, seed: int) -> Floats:
    clusters = max(groups) + 1
    drawn = np.random.default_rng(seed).integers(0, clusters, (resamples, clusters))
    times = np.zeros((resamples, clusters))
    np.add.at(times, (np.arange(resamples)[:, None], drawn), 1.0)
    return times[:, groups]
