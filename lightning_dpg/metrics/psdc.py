"""P.S.D.C. as torchmetrics: the classes keep sums, `functional` does the arithmetic."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric

from lightning_dpg.metrics.functional import NORMS, Norm, persona_deviation, scored


class PSDC(Metric):
    """Personality shaping deviation coefficient: prompted against measured, lower is better.

    Personas without a complete rating do not count (see `Unscored`). Reduced over processes by
    sums.

    Args:
        norm: l2 (default), l1, mae or rmse, see `functional.persona_deviation`.
    """

    full_state_update = False
    higher_is_better = False
    total: Tensor
    count: Tensor

    def __init__(self, norm: Norm = "l2") -> None:
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"norm expected one of {', '.join(NORMS)}, got {norm!r}")
        self.norm: Norm = norm
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prompted: Tensor, measured: Tensor) -> None:
        """Add personas: both (personas, 5); NaN in `measured` where unscored."""
        deviation = persona_deviation(prompted, measured, self.norm)
        self.total += deviation.double().sum()
        self.count += len(deviation)

    def compute(self) -> Tensor:
        """The mean deviation, a scalar; NaN when nothing was scored."""
        return (self.total / self.count).float()


class Unscored(Metric):
    """Personas without a complete rating: a number, not a deviation."""

    full_state_update = False
    higher_is_better = False
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, measured: Tensor) -> None:
        """Add ratings (personas, 5)."""
        self.count += (~scored(measured)).sum()

    def compute(self) -> Tensor:
        """How many personas were unscored."""
        return self.count.float()
