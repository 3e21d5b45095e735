"""The dial: from the profile that is asked for to the one that adapters are made for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lightning_dpg.records import TRAITS

RIDGE = 0.05
"""How strongly a dial stays where it is asked to stand: one that moves nothing is not turned."""


class Dial(nn.Module):
    """An affine map that makes the measured profile what was asked for.

    A trained model answers a profile x with b + S x on average: biased, compressed, and with traits
    that move together. The dial turns what is asked for into the x that gives it. It starts as the
    identity, is fitted once after training (`fit`) and kept in the checkpoint.

    Attributes:
        matrix: (5, 5), dial = asked @ matrix + offset.
        offset: (5,).
        limit: settings beyond ±limit are cut.
    """

    matrix: Tensor
    offset: Tensor

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self.register_buffer("matrix", torch.eye(len(TRAITS)))
        self.register_buffer("offset", torch.zeros(len(TRAITS)))

    def forward(self, asked: Tensor) -> Tensor:
        """Dial settings for profiles, both (batch, 5)."""
        return (asked @ self.matrix + self.offset).clamp(-self.limit, self.limit)

    def fit(self, settings: Tensor, measured: Tensor) -> Tensor:
        """Fit to what settings of the dial were measured to give, both (personas, 5).

        For a profile a, the setting x minimises |b + S x - a|² + ridge · |x - a|², where b and S
        are the least-squares fit of the measurements.

        Returns:
            The response, (6, 5): a row for each trait's dial, then b.

        Raises:
            ValueError: fewer personas than the fit has unknowns.
        """
        if len(settings) <= len(TRAITS) + 1:
            raise ValueError(
                f"fitting a dial expected more than {len(TRAITS) + 1} personas, got {len(settings)}"
            )
        design = torch.cat([settings, torch.ones(len(settings), 1)], dim=1).double()
        response = torch.linalg.lstsq(design, measured.double()).solution
        slopes, bias = response[:-1], response[-1]
        eye = torch.eye(len(TRAITS), dtype=torch.float64)
        inverse = torch.linalg.inv(slopes @ slopes.T + RIDGE * eye)
        self.matrix.copy_((slopes.T + RIDGE * eye) @ inverse)
        self.offset.copy_(-bias @ slopes.T @ inverse)
        result: Tensor = response.float()
        return result
