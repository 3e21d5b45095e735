"""Adapters as a linear map of the scores: what DPG is without its hypernetwork."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lightning_dpg.models.hypernetwork import INITIAL_CORE, turned
from lightning_dpg.models.lora import LoRA, Site, shared_parameters
from lightning_dpg.records import HIGHEST, TRAITS


class LinearLoRA(nn.Module):
    """A core for each trait, which the scores turn like dials: B (1 + C + Σ p_t C_t) A.

    The form of `hypernetwork.DialHead`, with the same scales at the start, but for each site all of
    it is plain parameters: nothing is generated, no site knows of another, and descriptions are not
    heard. B starts at zero, so the model starts unchanged.

    Args:
        sites: where adapters go.
        rank: r.
        scale: alpha / r.
    """

    def __init__(self, sites: Sequence[Site], rank: int, scale: float) -> None:
        super().__init__()
        self.sites, self.scale = list(sites), scale
        self.a, self.b = shared_parameters(sites, rank)
        cores = torch.randn(len(self.sites), 1 + len(TRAITS), rank, rank)
        self.cores = nn.Parameter(INITIAL_CORE * cores)

    def forward(
        self, profiles: Tensor, descriptions: Tensor, guidance: float = 1.0
    ) -> dict[str, LoRA]:
        """Adapters for a batch.

        Args:
            profiles: (batch, 5), scores in [-5, 5]; a calibrated dial may go beyond.
            descriptions: (batch, width), ignored.
            guidance: ignored.
        """
        del descriptions, guidance
        cores = turned(self.cores[None], profiles / HIGHEST)
        return {
            site.name: LoRA(a[None], b @ cores[:, i], self.scale)
            for i, (site, a, b) in enumerate(zip(self.sites, self.a, self.b, strict=True))
        }
