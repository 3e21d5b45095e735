"""The dial: from the profile that is asked for to the one that adapters are made for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lightning_dpg.records import TRAITS

RIDGE = 0.05
"""How strongly a dial stays where it is asked to stand: one that moves nothing is not turned."""
FEWEST = len(TRAITS) + 3
"""Personas for a fit: one more than it has unknowns for a trait."""


class Dial(nn.Module):
    """An affine map that makes the measured profile what was asked for.

    A trained model answers a profile x with b + S x on average, and with b + d + S x where a
    description speaks too: biased, compressed, and with traits that move together. The dial turns
    what is asked for into the x that gives it. It starts as the identity, is fitted once after
    training (`fit`) and kept in the checkpoint.

    Attributes:
        matrix: (5, 5), dial = asked @ matrix + offset.
        offset: (5,).
        described: (5,), added where there is a description.
        limit: settings beyond ±limit are cut.
    """

    matrix: Tensor
    offset: Tensor
    described: Tensor

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self.register_buffer("matrix", torch.eye(len(TRAITS)))
        self.register_buffer("offset", torch.zeros(len(TRAITS)))
        self.register_buffer("described", torch.zeros(len(TRAITS)))

    def forward(self, asked: Tensor, described: Tensor | None = None) -> Tensor:
        """Dial settings for profiles, (batch, 5).

        Args:
            asked: (batch, 5).
            described: (batch,), 1 where there is a description and 0 elsewhere; None for nowhere.
        """
        turned = asked @ self.matrix + self.offset
        if described is not None:
            turned = turned + described[:, None] * self.described
        return turned.clamp(-self.limit, self.limit)

    def fit(self, settings: Tensor, measured: Tensor, described: Tensor | None = None) -> Tensor:
        """Fit to what settings of the dial were measured to give.

        For a profile a, the setting x minimises |b + d + S x - a|² + ridge · |x - a|², where b and
        S are the least-squares fit of the measurements, and d is shrunk towards 0 before it; d is
        left out without a description.

        Args:
            settings: (personas, 5).
            measured: (personas, 5).
            described: (personas,), as in `forward`; d is 0 where all are alike in it.

        Returns:
            The response, (6 or 7, 5): a row for each trait's dial, then b, then d where some have a
            description and some have none.

        Raises:
            ValueError: fewer personas than the fit has unknowns.
        """
        if len(settings) < FEWEST:
            raise ValueError(
                f"fitting a dial expected {FEWEST} personas or more, got {len(settings)}"
            )
        design = torch.cat([settings, torch.ones(len(settings), 1)], dim=1).double()
        answers, added = measured.double(), torch.zeros(len(TRAITS), dtype=torch.float64)
        some = described is not None and bool(described.min() < described.max())
        if described is not None and some:
            added = _description_effect(design, described.double(), answers)
            answers = answers - described.double()[:, None] * added
        response = torch.linalg.lstsq(design, answers).solution
        slopes, bias = response[: len(TRAITS)], response[len(TRAITS)]
        eye = torch.eye(len(TRAITS), dtype=torch.float64)
        inverse = torch.linalg.inv(slopes @ slopes.T + RIDGE * eye)
        self.matrix.copy_((slopes.T + RIDGE * eye) @ inverse)
        self.offset.copy_(-bias @ slopes.T @ inverse)
        self.described.copy_(-added @ slopes.T @ inverse)
        result = torch.cat([response, added[None]]) if some else response
        return result.float()


def _description_effect(design: Tensor, described: Tensor, answers: Tensor) -> Tensor:
    """What a description adds to each trait, (5,), as far as it stands out from chance.

    Five differences between two dozen personas and two dozen others are mostly noise, so they are
    shrunk together by the positive-part James-Stein estimator with an estimated variance (James and
    Stein 1961), each in units of its standard error. Errors of the five traits are taken as
    independent, which readings made uncorrelated nearly are.
    """
    full = torch.cat([design, described[:, None]], dim=1)
    response = torch.linalg.lstsq(full, answers).solution
    freedom = len(full) - full.shape[1]
    left = (answers - full @ response).square().sum(0) / freedom
    variance = left * torch.linalg.inv(full.T @ full)[-1, -1]
    size = (response[-1].square() / variance.clamp(min=1e-12)).sum().clamp(min=1e-12)
    by_chance = (len(TRAITS) - 2) * freedom / (freedom + 2)
    shrunk: Tensor = response[-1] * (1.0 - by_chance / size).clamp(min=0.0)
    return shrunk
