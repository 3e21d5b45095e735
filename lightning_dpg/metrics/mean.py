"""The mean over batches of unequal sizes, and over processes of unequal shares."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric


class WeightedMean(Metric):
    """Mean of means, each weighted by what it is a mean of; reduced over processes by sums.

    Lightning's own average over processes rounds counts down: shares of 2 and 1 samples count as
    one each. torchmetrics' `MeanMetric` (1.9) drops a NaN, or with that switched off the weights:
    here a NaN stays to be seen.
    """

    full_state_update = False
    higher_is_better = None
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, mean: Tensor, count: Tensor | int) -> None:
        """Add a batch: its mean, a scalar, and how many samples or tokens it is a mean of."""
        # Not in place: Lightning resets inside of inference mode.
        self.total = self.total + mean.float() * count
        self.count = self.count + count

    def compute(self) -> Tensor:
        """The mean over all that came, a scalar; NaN when nothing did."""
        return self.total / self.count
