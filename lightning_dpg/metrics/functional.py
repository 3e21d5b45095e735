"""The arithmetic of the metrics as pure functions.

Throughout, `prompted` and `measured` have shape (personas, 5) and units of the -5..5 scale; a row
of `measured` with a NaN is a persona without a complete rating and is left out, never taken as 0.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Norm = Literal["l2", "l1", "mae", "rmse"]
NORMS: tuple[Norm, ...] = ("l2", "l1", "mae", "rmse")
LEAST_SPREAD = 1e-12
"""Below it nothing varies: what is left is rounding of floating-point numbers."""


def scored(measured: Tensor) -> Tensor:
    """Which personas have a complete rating, (personas,)."""
    return ~measured.isnan().any(dim=-1)


def persona_deviation(prompted: Tensor, measured: Tensor, norm: Norm = "l2") -> Tensor:
    """Deviation of each scored persona, (scored personas,).

    l2 is the Euclidean norm over the five traits (the P.S.D.C. of this project), l1 the sum, mae
    the mean, of absolute differences, rmse the root of the mean square.

    Raises:
        ValueError: shapes that differ, or an unknown norm.
    """
    if prompted.shape != measured.shape:
        raise ValueError(
            "prompted and measured expected equal shapes, "
            f"got {tuple(prompted.shape)} and {tuple(measured.shape)}"
        )
    kept = scored(measured)
    difference = (prompted[kept] - measured[kept]).abs()
    if norm == "l2":
        return difference.square().sum(-1).sqrt()
    if norm == "l1":
        return difference.sum(-1)
    if norm == "mae":
        return difference.mean(-1)
    if norm == "rmse":
        return difference.square().mean(-1).sqrt()
    raise ValueError(f"norm expected one of {', '.join(NORMS)}, got {norm!r}")


def psdc(prompted: Tensor, measured: Tensor, norm: Norm = "l2") -> Tensor:
    """Personality shaping deviation coefficient: mean deviation over scored personas, a scalar.

    NaN when no persona is scored.
    """
    return persona_deviation(prompted, measured, norm).mean()


def trait_correlation(prompted: Tensor, measured: Tensor) -> Tensor:
    """Pearson correlation per trait over scored personas, (5,).

    NaN with fewer than three personas or where one side does not vary.
    """
    kept = scored(measured)
    x, y = prompted[kept].double(), measured[kept].double()
    if len(x) < 3:
        return torch.full((prompted.shape[-1],), torch.nan)
    return correlation(x, y, torch.ones(len(x), 1, dtype=x.dtype, device=x.device)).float()


def correlation(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """Pearson correlation of columns whose rows count as often as their weights say.

    Args:
        x: (..., rows, columns), without gaps, in double precision.
        y: the same.
        weights: (..., rows, 1), at least one of them above 0.

    Returns:
        (..., columns), NaN where one side does not vary.
    """
    x, y = x - weighted_mean(x, weights), y - weighted_mean(y, weights)
    spread = ((weights * x.square()).sum(-2) * (weights * y.square()).sum(-2)).sqrt()
    r = (weights * x * y).sum(-2) / spread
    return torch.where(spread > LEAST_SPREAD, r, torch.nan)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean over rows, (..., 1, columns), of `values` and `weights` as `correlation` takes them."""
    return (weights * values).sum(-2, keepdim=True) / weights.sum(-2, keepdim=True)


def strangers_deviation(prompted: Tensor, measured: Tensor, norm: Norm = "l2") -> Tensor:
    """Deviation of each scored persona from the targets of all others, (scored personas,).

    The mean over everybody else's: what a shuffled target gets, without the chance of one shuffle.
    NaN where there is nobody else.
    """
    kept = scored(measured)
    people, count = kept.nonzero()[:, 0].tolist(), len(prompted)
    values = []
    for i in people:
        others = torch.cat([prompted[:i], prompted[i + 1 :]])
        values.append(persona_deviation(others, measured[i].expand(count - 1, -1), norm).mean())
    return torch.stack(values) if values else prompted.new_empty(0)
