"""How measured scores follow the prompted ones, trait by trait, as pure functions.

`prompted` and `measured` are as in `functional`: (personas, 5), and personas without a complete
rating are left out. Functions that take `weights`, (..., personas), let each persona count so often
and give (..., 5): with one row of weights a resample they do a whole bootstrap at once. All are NaN
where they are not defined, and correlations and slopes with fewer than three personas.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lightning_dpg.metrics.functional import (
    LEAST_SPREAD,
    correlation,
    scored,
    trait_correlation,
    weighted_mean,
)

FEWEST = 3
"""Two points lie on a line whatever they are."""


def trait_pearson(prompted: Tensor, measured: Tensor, weights: Tensor | None = None) -> Tensor:
    """Pearson correlation per trait, in [-1, 1]; `functional.trait_correlation` with weights."""
    if weights is None:
        return trait_correlation(prompted, measured)
    x, y, counts = _scored_pairs(prompted, measured, weights)
    return _of_enough(x, correlation(x, y, counts))


def trait_spearman(prompted: Tensor, measured: Tensor, weights: Tensor | None = None) -> Tensor:
    """Spearman's rank correlation per trait, in [-1, 1]; ties share the mean of their ranks."""
    x, y, counts = _scored_pairs(prompted, measured, weights)
    return _of_enough(x, correlation(_ranks(x, counts), _ranks(y, counts), counts))


def trait_concordance(prompted: Tensor, measured: Tensor, weights: Tensor | None = None) -> Tensor:
    """Concordance correlation per trait (Lin 1989), in [-1, 1], with variances over n.

    1 only where measured scores *are* the prompted ones: a wrong mean or a wrong spread lowers it,
    as neither does Pearson's. 0, not NaN, where only one side varies.
    """
    x, y, counts = _scored_pairs(prompted, measured, weights)
    mean_x, mean_y = weighted_mean(x, counts), weighted_mean(y, counts)
    together = weighted_mean((x - mean_x) * (y - mean_y), counts)
    # Of all squared differences the part that independent scores of these spreads would have.
    apart = weighted_mean((x - mean_x).square() + (y - mean_y).square(), counts)
    apart = apart + (mean_x - mean_y).square()
    found = torch.where(apart > LEAST_SPREAD, 2 * together / apart, torch.nan)
    return _of_enough(x, found.squeeze(-2))


def trait_slope(prompted: Tensor, measured: Tensor, weights: Tensor | None = None) -> Tensor:
    """Measured points a point prompted, per trait, by least squares; NaN at a single target."""
    x, y, counts = _scored_pairs(prompted, measured, weights)
    away_x, away_y = x - weighted_mean(x, counts), y - weighted_mean(y, counts)
    spread = (counts * away_x.square()).sum(-2)
    together = (counts * away_x * away_y).sum(-2)
    found = torch.where(spread > LEAST_SPREAD, together / spread, torch.nan)
    return _of_enough(x, found)


def trait_mae(prompted: Tensor, measured: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean absolute difference per trait, in points: the P.S.D.C. of one trait, in any norm."""
    x, y, counts = _scored_pairs(prompted, measured, weights)
    return weighted_mean((x - y).abs(), counts).squeeze(-2).float()


def trait_bias(prompted: Tensor, measured: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean of measured minus prompted per trait, in points: above 0, all come out too high."""
    x, y, counts = _scored_pairs(prompted, measured, weights)
    return weighted_mean(y - x, counts).squeeze(-2).float()


def trait_matrix(prompted: Tensor, measured: Tensor) -> Tensor:
    """Pearson correlation of every prompted (row) with every measured trait (column), (5, 5)."""
    traits = prompted.shape[-1]
    rows, columns = prompted.repeat_interleave(traits, -1), measured.repeat(1, traits)
    return trait_correlation(rows, columns).reshape(traits, traits)


def diagonal_mean(matrix: Tensor) -> Tensor:
    """Mean of the diagonal of `trait_matrix`, a scalar: how well dials move their own trait."""
    return matrix.diagonal().mean()


def off_diagonal_mean(matrix: Tensor) -> Tensor:
    """Mean absolute value off the diagonal, a scalar: how much dials move the other traits.

    Targets that go together make it larger than what dials do by themselves.
    """
    return matrix[~torch.eye(len(matrix), dtype=torch.bool, device=matrix.device)].abs().mean()


def profile_correlation(prompted: Tensor, measured: Tensor, center: Tensor) -> Tensor:
    """Correlation over the five traits of each scored persona, (scored personas,), in [-1, 1].

    Args:
        prompted: (personas, 5).
        measured: (personas, 5).
        center: (5,), the corpus mean, removed from both sides: what all profiles have in common
            would correlate by itself (Cronbach 1955; Furr 2008, "distinctive" agreement).

    Returns:
        One value for each scored persona; NaN where one side stands at the same distance from the
        center in all traits.
    """
    kept = scored(measured)
    x, y = ((side[kept].double() - center.double()).T for side in (prompted, measured))
    return correlation(x, y, torch.ones(len(center), 1, dtype=x.dtype, device=x.device)).float()


def _scored_pairs(
    prompted: Tensor, measured: Tensor, weights: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Both sides of scored personas, (scored, 5), and their weights, (..., scored, 1)."""
    kept = scored(measured)
    x, y = prompted[kept].double(), measured[kept].double()
    counts = x.new_ones(len(x)) if weights is None else weights[..., kept].double()
    return x, y, counts[..., None]


def _ranks(values: Tensor, counts: Tensor) -> Tensor:
    """Mid-ranks, but for a constant, of rows that come so often, (..., personas, 5)."""
    counts = counts.squeeze(-1)
    columns = []
    for column in values.unbind(-1):
        distinct, level = column.unique(return_inverse=True)
        mass = counts.new_zeros(*counts.shape[:-1], len(distinct)).index_add(-1, level, counts)
        columns.append((mass.cumsum(-1) - mass / 2)[..., level])
    return torch.stack(columns, -1)


def _of_enough(personas: Tensor, found: Tensor) -> Tensor:
    return (found if len(personas) >= FEWEST else torch.full_like(found, torch.nan)).float()
