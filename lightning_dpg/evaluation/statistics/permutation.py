"""Permutation tests by scipy: two-sided, of a difference of means.

Where there are few arrangements all are tried; else so many are drawn, and p is
(1 + as large) / (1 + drawn) (Phipson and Smyth 2010), which is never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
from scipy.stats import permutation_test

from lightning_dpg.evaluation.statistics.resampling import Floats

EXACT = 2**12
"""Up to so many arrangements are all tried: the sign flips of twelve characters."""


def sign_flips(
    differences: Floats, groups: Sequence[int], permutations: int, seed: int
) -> float | None:
    """Test of paired differences: if two arms did alike, either sign is as likely.

    Args:
        differences: one a persona, (personas,).
        groups: the number of each persona's cluster; all of a cluster are flipped together.
        permutations: flips to draw.
        seed: of the flips.

    Returns:
        p; None with fewer than two clusters.
    """
    count = len(set(groups))
    if count < 2:
        return None
    # The mean over personas is the sum over clusters but for a constant, whatever is flipped.
    sums = np.bincount(groups, weights=differences)
    test = permutation_test(
        (sums,),
        lambda x, axis: np.abs(x.sum(axis=axis)),
        permutation_type="samples",
        alternative="greater",  # of the absolute value: two-sided
        n_resamples=2**count if 2**count <= EXACT else permutations,
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def divisions(first: Floats, second: Floats, permutations: int, seed: int) -> float | None:
    """Test of two groups: if they were one, any division into such sizes is as likely.

    Args:
        first: one value a character of the first group, (characters,).
        second: of the other group, (other characters,).
        permutations: divisions to draw.
        seed: of the divisions.

    Returns:
        p; None where a group has fewer than two.
    """
    if min(len(first), len(second)) < 2:
        return None
    ways = comb(len(first) + len(second), len(first))
    test = permutation_test(
        (first, second),
        lambda x, y, axis: np.abs(x.mean(axis=axis) - y.mean(axis=axis)),
        alternative="greater",
        n_resamples=ways if ways <= EXACT else permutations,
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)
