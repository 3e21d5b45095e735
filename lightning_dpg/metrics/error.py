"""Errors per trait as torchmetrics classes, reduced over processes by sums."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from torchmetrics import Metric

from lightning_dpg.metrics.functional import scored


class MeanOfTraits(Metric):
    """Mean over scored personas of something of each trait."""

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros(5, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prompted: Tensor, measured: Tensor) -> None:
        """Add personas: both (personas, 5); NaN in `measured` where unscored."""
        kept = scored(measured)
        difference = measured[kept].double() - prompted[kept].double()
        self.total += self.counted(difference).sum(0)
        self.count += len(difference)

    def compute(self) -> Tensor:
        """(5,), NaN when nothing was scored."""
        return (self.total / self.count).float()

    @abstractmethod
    def counted(self, difference: Tensor) -> Tensor:
        """What counts of measured minus prompted, both (personas, 5)."""


class TraitMAE(MeanOfTraits):
    """Mean absolute difference per trait in points, (5,): the P.S.D.C. of one trait."""

    higher_is_better = False

    def counted(self, difference: Tensor) -> Tensor:
        """The size of the difference."""
        return difference.abs()


class TraitBias(MeanOfTraits):
    """Mean of measured minus prompted per trait in points, (5,); best at 0."""

    higher_is_better = None

    def counted(self, difference: Tensor) -> Tensor:
        """The difference itself."""
        return difference
