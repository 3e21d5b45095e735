"""The hypernetwork: from a profile and an encoded description to an adapter for every site."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lightning_dpg.models.lora import LoRA, Site, shared_parameters
from lightning_dpg.records import HIGHEST, TRAITS


class Hypernetwork(nn.Module):
    """One token per site, self-attention over sites, and a factorised head (DPG, section 3).

    The personality (five scores and a description) is added to a learned embedding of each site;
    a transformer encoder lets the sites agree with one another; a head turns each token into the
    site's adapter. A head that wrote A and B directly would need billions of parameters at 7 B.

    Args:
        sites: where adapters go.
        rank: r.
        scale: alpha / r.
        description_width: width of encoded descriptions.
        width: width of the tokens.
        depth: layers of self-attention.
        heads: attention heads.
        output: `core` or `full`, see `CoreHead` and `FullHead`.
        basis: size of the basis of `full`.
    """

    def __init__(
        self,
        sites: Sequence[Site],
        rank: int,
        scale: float,
        description_width: int,
        *,
        width: int = 128,
        depth: int = 2,
        heads: int = 4,
        output: str = "core",
        basis: int = 32,
    ) -> None:
        super().__init__()
        self.sites = list(sites)
        first, second = nn.Linear(len(TRAITS), width), nn.Linear(width, width)
        self.profile = nn.Sequential(first, nn.GELU(), second)
        self.description = nn.Sequential(
            nn.LayerNorm(description_width), nn.Linear(description_width, width)
        )
        self.layer = nn.Embedding(1 + max(site.layer for site in sites), width)
        self.projection = nn.Embedding(len(_projections(sites)), width)
        kinds = _projections(sites)
        self.register_buffer("layers", torch.tensor([s.layer for s in sites]), persistent=False)
        self.register_buffer(
            "kinds", torch.tensor([kinds.index(s.projection) for s in sites]), persistent=False
        )
        block = nn.TransformerEncoderLayer(
            width,
            heads,
            4 * width,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(block, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        # What differs between people must not drown in what differs between sites, or the contrast
        # between profiles finds no gradient: embeddings start small, the profile at full size.
        nn.init.normal_(self.layer.weight, std=0.3)
        nn.init.normal_(self.projection.weight, std=0.3)
        nn.init.normal_(first.weight, std=1.0)
        nn.init.normal_(second.weight, std=(2.0 / width) ** 0.5)
        self.head: nn.Module = (
            CoreHead(sites, rank, scale, width)
            if output == "core"
            else FullHead(sites, rank, scale, width, basis)
        )

    def forward(self, profiles: Tensor, descriptions: Tensor) -> dict[str, LoRA]:
        """Adapters for a batch.

        Args:
            profiles: (batch, 5), scores in [-5, 5].
            descriptions: (batch, description_width); a row of zeros where there is none.
        """
        known = descriptions.abs().sum(-1, keepdim=True) > 0
        person = self.profile(profiles / HIGHEST) + self.description(descriptions) * known
        place = self.layer(self.layers) + self.projection(self.kinds)
        tokens = person[:, None, :] + place[None, :, :]  # (B, S, width)
        adapters: dict[str, LoRA] = self.head(self.norm(self.encoder(tokens)))
        return adapters


class CoreHead(nn.Module):
    """Learned A and B shared by everybody, and between them a generated core: B (1 + C) A.

    With C = 0 this is a plain static LoRA of the same rank: what all characters have in common
    needs no hypernetwork. B starts at zero, so the model starts unchanged.
    """

    def __init__(self, sites: Sequence[Site], rank: int, scale: float, width: int) -> None:
        super().__init__()
        self.sites, self.rank, self.scale = list(sites), rank, scale
        self.a, self.b = shared_parameters(sites, rank)
        self.core = nn.Linear(width, rank * rank)
        nn.init.normal_(self.core.weight, std=width**-0.5)

    def forward(self, tokens: Tensor) -> dict[str, LoRA]:
        """tokens: (batch, sites, width)."""
        cores = self.core(tokens).unflatten(-1, (self.rank, self.rank))  # (B, S, r, r)
        cores = cores + torch.eye(self.rank, device=cores.device)
        return {
            site.name: LoRA(a[None], b @ cores[:, i], self.scale)
            for i, (site, a, b) in enumerate(zip(self.sites, self.a, self.b, strict=True))
        }


class FullHead(nn.Module):
    """Learned A, and a B generated as a combination of a learned basis for each width of output.

    The basis starts at zero, so the model starts unchanged.
    """

    def __init__(
        self, sites: Sequence[Site], rank: int, scale: float, width: int, basis: int
    ) -> None:
        super().__init__()
        self.sites, self.rank, self.scale, self.basis = list(sites), rank, scale, basis
        self.a, _ = shared_parameters(sites, rank)
        self.weights = nn.Linear(width, rank * basis)
        kinds = _projections(sites)
        widths = {site.projection: site.out_features for site in sites}
        self.bases = nn.ParameterDict(
            {kind: nn.Parameter(torch.zeros(widths[kind], basis)) for kind in kinds}
        )

    def forward(self, tokens: Tensor) -> dict[str, LoRA]:
        """tokens: (batch, sites, width)."""
        weights = self.weights(tokens).unflatten(-1, (self.basis, self.rank))  # (B, S, basis, r)
        return {
            site.name: LoRA(a[None], self.bases[site.projection] @ weights[:, i], self.scale)
            for i, (site, a) in enumerate(zip(self.sites, self.a, strict=True))
        }


def _projections(sites: Sequence[Site]) -> list[str]:
    return sorted({site.projection for site in sites})
