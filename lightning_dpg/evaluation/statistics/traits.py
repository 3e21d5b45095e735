"""What is computed trait by trait and profile by profile, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from lightning_dpg.evaluation.statistics.intervals import Interval, interval, mean_interval
from lightning_dpg.evaluation.statistics.resampling import draws
from lightning_dpg.metrics import agreement
from lightning_dpg.metrics.functional import scored
from lightning_dpg.records import TRAITS

LEAST_DEFINED = 0.95
"""Share of resamples that must have a coefficient: of few characters, one may come alone."""

Statistic = Callable[[Tensor, Tensor, Tensor | None], Tensor]

STATISTICS: dict[str, Statistic] = {
    "pearson": agreement.trait_pearson,
    "spearman": agreement.trait_spearman,
    "concordance": agreement.trait_concordance,
    "mae": agreement.trait_mae,
    "bias": agreement.trait_bias,
    "slope": agreement.trait_slope,
}
"""By name in `results.json`."""


class TraitMatrix(TypedDict):
    """Correlations of prompted (rows) with measured traits (columns), and what they come to.

    `diagonal` is the mean of the five dials on their own trait, `off_diagonal` the mean absolute
    value of the others; None where a trait does not vary.
    """

    matrix: list[list[float | None]]
    diagonal: float | None
    off_diagonal: float | None


def trait_table(
    targets: Tensor,
    measured: Tensor,
    clusters: Sequence[str] | None,
    resamples: int,
    seed: int,
    names: Collection[str] = tuple(STATISTICS),
) -> dict[str, dict[str, Interval]]:
    """Per trait each of `STATISTICS` with its interval, over scored personas.

    Args:
        targets: prompted scores, (personas, 5).
        measured: the same, NaN where unscored.
        clusters: the character of each persona, see `intervals`.
        resamples: of the bootstrap.
        seed: of the bootstrap.
        names: which of them.
    """
    kept = scored(measured)
    x, y = targets[kept], measured[kept]
    weights = draws(len(x), of_kept(clusters, kept), resamples, seed)
    table: dict[str, dict[str, Interval]] = {trait: {} for trait in TRAITS}
    for name in names:
        statistic = STATISTICS[name]
        found = statistic(x, y, None).tolist()
        drawn = None if weights is None else statistic(x, y, torch.from_numpy(weights))
        for i, trait in enumerate(TRAITS):
            column = None if drawn is None else drawn[:, i].double().numpy()
            table[trait][name] = interval(found[i], column, LEAST_DEFINED)
    return table


def profile_agreement(
    targets: Tensor,
    measured: Tensor,
    corpus_mean: Tensor,
    clusters: Sequence[str] | None,
    resamples: int,
    seed: int,
) -> Interval:
    """Mean over personas of `agreement.profile_correlation`; those without one do not count.

    Args:
        targets: prompted scores, (personas, 5).
        measured: the same, NaN where unscored.
        corpus_mean: (5,).
        clusters: the character of each persona, see `intervals`.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    kept = scored(measured)
    found = agreement.profile_correlation(targets, measured, corpus_mean)
    known = ~found.isnan()
    whose = of_kept(of_kept(clusters, kept), known)
    values = found[known].double().numpy()
    return mean_interval(values, resamples, seed, whose)


def trait_matrix(targets: Tensor, measured: Tensor) -> TraitMatrix:
    """See `agreement.trait_matrix`; both (personas, 5), NaN in `measured` where unscored."""
    matrix = agreement.trait_matrix(targets, measured)
    return TraitMatrix(
        matrix=[[_nullable(r) for r in row] for row in matrix.tolist()],
        diagonal=_nullable(float(agreement.diagonal_mean(matrix))),
        off_diagonal=_nullable(float(agreement.off_diagonal_mean(matrix))),
    )


def selectivity(
    targets: Tensor,
    measured: Tensor,
    clusters: Sequence[str] | None,
    resamples: int,
    seed: int,
) -> Interval:
    """Diagonal minus off-diagonal of `trait_matrix`: how much more dials move their own trait.

    Args:
        targets: prompted scores, (personas, 5).
        measured: the same, NaN where unscored.
        clusters: the character of each persona, see `intervals`.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        Of a mean r and a mean |r|, in [-2, 1]; chance correlations off the diagonal lower it.
    """
    kept = scored(measured)
    x, y = targets[kept], measured[kept]

    def gap(weights: Tensor | None) -> Tensor:
        shifts = range(len(TRAITS))  # by so many columns, the matrix diagonal by diagonal
        own, *others = (agreement.trait_pearson(x, y.roll(-k, 1), weights) for k in shifts)
        return own.mean(-1) - torch.stack(others).abs().mean((0, -1))

    weights = draws(len(x), of_kept(clusters, kept), resamples, seed)
    drawn = None if weights is None else gap(torch.from_numpy(weights)).double().numpy()
    return interval(float(gap(None)), drawn, LEAST_DEFINED)


def of_kept(clusters: Sequence[str] | None, kept: Tensor) -> list[str] | None:
    """The clusters of those personas that are kept, (personas,)."""
    if clusters is None:
        return None
    return [cluster for cluster, keep in zip(clusters, kept.tolist(), strict=True) if keep]


def _nullable(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
