"""Metrics that keep rows, for statistics that are no sums."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class OfRows(Metric):
    """Keeps rows in lists, so that processes are put together exactly, whatever each of them met.

    Args:
        names: of the states, lists of tensors with a row for each thing met.
        shape: of a row.
        dtype: of its numbers, in every process alike.
    """

    full_state_update = False

    def __init__(
        self, names: tuple[str, ...], shape: tuple[int, ...], dtype: torch.dtype = torch.float64
    ) -> None:
        super().__init__()
        self.names, self.shape, self.row_type = names, shape, dtype
        for name in names:
            self.add_state(name, [], dist_reduce_fx="cat")

    def add(self, **rows: Tensor) -> None:
        """Add rows to states by their names, each (rows, *shape)."""
        for name, some in rows.items():
            getattr(self, name).append(some.to(self.row_type))

    def sync(self, *args: Any, **options: Any) -> None:
        """Put processes together; one that met nobody hands in no rows, of the shape of the others.

        It has to take part: the others wait, and a tensor of another shape would not fit theirs.
        """
        for name in self.names:
            if len(getattr(self, name)) == 0:
                getattr(self, name).append(self._nothing())
        super().sync(*args, **options)

    def rows(self, name: str) -> Tensor:
        """All rows of a state, (rows, *shape)."""
        kept = getattr(self, name)  # a list, or one tensor once processes are put together
        return dim_zero_cat(kept) if len(kept) else self._nothing()

    def _nothing(self) -> Tensor:
        return torch.empty(0, *self.shape, dtype=self.row_type, device=self.device)
