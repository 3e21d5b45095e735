"""Correlation per trait as a torchmetrics class."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from lightning_dpg.metrics.functional import trait_correlation


class TraitCorrelation(Metric):
    """Pearson correlation of prompted and measured scores, one value per trait.

    Keeps the personas (ten numbers each), so that processes can be put together exactly.
    """

    full_state_update = False
    higher_is_better = True
    prompted: list[Tensor]
    measured: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("prompted", [], dist_reduce_fx="cat")
        self.add_state("measured", [], dist_reduce_fx="cat")

    def update(self, prompted: Tensor, measured: Tensor) -> None:
        """Add personas: both (personas, 5); NaN in `measured` where unscored."""
        self.prompted.append(prompted)
        self.measured.append(measured)

    def compute(self) -> Tensor:
        """(5,), NaN where it is not defined."""
        if len(self.prompted) == 0:  # a list, or one tensor once processes are put together
            return torch.full((5,), torch.nan)
        return trait_correlation(dim_zero_cat(self.prompted), dim_zero_cat(self.measured))
