"""Agreement of two halves of what the same personas said, as pure functions."""

from __future__ import annotations

import torch
from torch import Tensor

from lightning_dpg.metrics.functional import scored, trait_correlation


def spearman_brown(r: Tensor) -> Tensor:
    """Correlation of wholes from that of their halves, 2r / (1 + r), elementwise.

    For a negative r, which says that halves have nothing in common, 2r / (1 - r): the formula
    itself would run to minus infinity.
    """
    return 2 * r / (1 + r.abs())


def split_half(first: Tensor, second: Tensor) -> Tensor:
    """Split-half agreement per trait over personas, (5,), in [-1, 1].

    Pearson's r of the ratings of either half, stepped up to the length of the whole. NaN with fewer
    than three personas that were scored in both halves, or where one side does not vary.

    Args:
        first: ratings of the one half of each persona's replies, (personas, 5); NaN where unscored.
        second: of the other half.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"both halves expected equal shapes, got {tuple(first.shape)} and {tuple(second.shape)}"
        )
    both = scored(first) & scored(second)
    return spearman_brown(trait_correlation(first[both], second[both]))


def consistency(first: Tensor, second: Tensor) -> Tensor:
    """Mean of `split_half` over the traits that have one, a scalar; NaN where none has.

    It is high where personas differ from one another in both halves alike. It says nothing of a
    model that speaks as one and the same person for all: such a model gets about 0, however
    consistent that person is.
    """
    return torch.nanmean(split_half(first, second))
