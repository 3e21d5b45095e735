"""The hypernetwork: from a profile and an encoded description to an adapter for every site."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lightning_dpg.config import HypernetworkConfig
from lightning_dpg.models.imprint import Imprint
from lightning_dpg.models.lora import LoRA, Site, shared_parameters
from lightning_dpg.records import HIGHEST, TRAITS

INITIAL_CORE = 0.3
"""Standard deviation of the generated cores' entries at the start."""
INITIAL_DESCRIPTION = 0.1
"""How far descriptions move a site's token at the start: more is noise in the dials."""
STEP = 0.3
"""Without a description a site's token is the same for everybody, so that all weights of the head
pull together and one step of Adam turns a core far: its input is made smaller."""
DIAL_GAIN = 3.0**0.5
"""Brings scores that are spread evenly over their range to unit variance."""


class Hypernetwork(nn.Module):
    """One token per site, self-attention over sites, and a factorised head (DPG, section 3).

    The description, and for all outputs but `dial` the profile too, is added to a learned embedding
    of each site; a transformer encoder lets the sites agree with one another; a head turns each
    token into the site's adapter. A head that wrote A and B directly would need billions of
    parameters at 7 B.

    Args:
        sites: where adapters go.
        rank: r.
        scale: alpha / r.
        description_width: width of encoded descriptions.
        width: width of the tokens.
        depth: layers of self-attention.
        heads: attention heads.
        output: `dial`, `core` or `full`, see `DialHead`, `CoreHead` and `FullHead`.
        basis: size of the basis of `full`.
        imprint: share of the description's imprint to begin with (`imprint.Imprint`), which takes
            one of the ranks; 0 leaves it out.
        reads_scores: whether profiles reach it; where not, it is given zeros instead, and all else
            is the same.
        reads_description: the same of descriptions, and of their imprint.
    """

    usual_mean: Tensor
    usual_spread: Tensor

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
        output: str = "dial",
        basis: int = 32,
        imprint: float = 0.0,
        reads_scores: bool = True,
        reads_description: bool = True,
    ) -> None:
        super().__init__()
        self.reads_scores, self.reads_description = reads_scores, reads_description
        self.sites, self.description_width = list(sites), description_width
        self.imprint = Imprint(sites, imprint) if imprint else None
        self.profile = None if output == "dial" else _profile_encoder(width)
        self.description = nn.Linear(description_width, width)
        self.register_buffer("usual_mean", torch.zeros(description_width))
        self.register_buffer("usual_spread", torch.ones(description_width))
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
        nn.init.normal_(self.description.weight, std=INITIAL_DESCRIPTION * description_width**-0.5)
        ranks = rank - 1 if imprint else rank
        self.head = _make_head(output, sites, ranks, scale, width, basis)

    def usual(self, descriptions: Tensor) -> None:
        """Take what is usual from encoded descriptions, as `forward` takes them.

        Encoded texts of one language lie close together: what tells them apart shows only against
        their mean and spread.
        """
        if len(descriptions) > 1:
            words, heard = self._parts(descriptions)
            self.usual_mean.copy_(words.mean(0))
            self.usual_spread.copy_(words.std(0).clamp(min=1e-3))
            if self.imprint is not None:
                self.imprint.usual(heard)

    def forward(
        self, profiles: Tensor, descriptions: Tensor, guidance: float = 1.0
    ) -> dict[str, LoRA]:
        """Adapters for a batch.

        Args:
            profiles: (batch, 5), scores in [-5, 5]; a calibrated dial may go beyond.
            descriptions: (batch, description_width), followed by what the sites hear where there is
                an imprint (`Imprint.usual`); a row of zeros where there is no description.
            guidance: how many times the imprint's learned share.
        """
        if not self.reads_scores:
            profiles = torch.zeros_like(profiles)
        if not self.reads_description:
            descriptions = torch.zeros_like(descriptions)
        dials = profiles / HIGHEST
        words, heard = self._parts(descriptions)
        known = words.abs().sum(-1, keepdim=True) > 0
        person = self.description((words - self.usual_mean) / self.usual_spread) * known
        if self.profile is not None:
            person = person + self.profile(dials)
        place = self.layer(self.layers) + self.projection(self.kinds)
        tokens = person[:, None, :] + place[None, :, :]  # (B, S, width)
        adapters: dict[str, LoRA] = self.head(self.norm(self.encoder(tokens)), dials)
        return adapters if self.imprint is None else self.imprint(adapters, heard, guidance)

    def _parts(self, descriptions: Tensor) -> tuple[Tensor, Tensor]:
        """Encoded words, and what the sites hear of them."""
        return descriptions[:, : self.description_width], descriptions[:, self.description_width :]


def _profile_encoder(width: int) -> nn.Sequential:
    first, second = nn.Linear(len(TRAITS), width), nn.Linear(width, width)
    nn.init.normal_(first.weight, std=1.0)
    nn.init.normal_(second.weight, std=(2.0 / width) ** 0.5)
    return nn.Sequential(first, nn.GELU(), second)


def make_hypernetwork(
    settings: HypernetworkConfig,
    sites: Sequence[Site],
    rank: int,
    scale: float,
    description_width: int,
) -> Hypernetwork:
    """The hypernetwork that settings speak of; the other arguments as in `Hypernetwork`."""
    return Hypernetwork(
        sites,
        rank,
        scale,
        description_width,
        width=settings.width,
        depth=settings.depth,
        heads=settings.heads,
        output=settings.output,
        basis=settings.basis,
        imprint=settings.imprint,
        reads_scores=settings.reads_scores,
        reads_description=settings.reads_description,
    )


def _make_head(
    output: str, sites: Sequence[Site], rank: int, scale: float, width: int, basis: int
) -> nn.Module:
    if output == "full":
        return FullHead(sites, rank, scale, width, basis)
    return (DialHead if output == "dial" else CoreHead)(sites, rank, scale, width)


class DialHead(nn.Module):
    """A core for each trait, which the scores turn like dials: B (1 + C + Σ p_t C_t) A.

    A and B are learned and shared by everybody; C and the five C_t are generated for each site from
    the description alone. The profile p enters linearly: equal steps of a score are equal steps of
    the weights, the opposite profile is the opposite change, and no sample can be learned by heart
    through a profile that is its own. B starts at zero, so the model starts unchanged.
    """

    def __init__(self, sites: Sequence[Site], rank: int, scale: float, width: int) -> None:
        super().__init__()
        self.sites, self.rank, self.scale = list(sites), rank, scale
        self.a, self.b = shared_parameters(sites, rank)
        self.cores = nn.Linear(width, (1 + len(TRAITS)) * rank * rank)
        nn.init.normal_(self.cores.weight, std=INITIAL_CORE / STEP * width**-0.5)
        nn.init.zeros_(self.cores.bias)

    def forward(self, tokens: Tensor, dials: Tensor) -> dict[str, LoRA]:
        """tokens: (batch, sites, width). dials: (batch, 5), 1 at the highest score."""
        shape = (1 + len(TRAITS), self.rank, self.rank)
        cores = self.cores(STEP * tokens).unflatten(-1, shape)  # (B, S, 1 + 5, r, r)
        cores = turned(cores, dials)
        return {
            site.name: LoRA(a[None], b @ cores[:, i], self.scale)
            for i, (site, a, b) in enumerate(zip(self.sites, self.a, self.b, strict=True))
        }


def turned(cores: Tensor, dials: Tensor) -> Tensor:
    """1 + C + Σ p_t C_t, (batch, sites, r, r).

    Args:
        cores: (batch or 1, sites, 1 + 5, r, r), C and then the five C_t.
        dials: (batch, 5), 1 at the highest score.
    """
    cores = cores.expand(len(dials), -1, -1, -1, -1)
    moved = torch.einsum("bt,bstij->bsij", dials * DIAL_GAIN, cores[:, :, 1:])
    return cores[:, :, 0] + moved + torch.eye(cores.shape[-1], device=cores.device)


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

    def forward(self, tokens: Tensor, dials: Tensor) -> dict[str, LoRA]:
        """tokens: (batch, sites, width), which know the profile; dials are not read."""
        del dials
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

    def forward(self, tokens: Tensor, dials: Tensor) -> dict[str, LoRA]:
        """tokens: (batch, sites, width), which know the profile; dials are not read."""
        del dials
        weights = self.weights(tokens).unflatten(-1, (self.basis, self.rank))  # (B, S, basis, r)
        return {
            site.name: LoRA(a[None], self.bases[site.projection] @ weights[:, i], self.scale)
            for i, (site, a) in enumerate(zip(self.sites, self.a, strict=True))
        }


def _projections(sites: Sequence[Site]) -> list[str]:
    return sorted({site.projection for site in sites})
