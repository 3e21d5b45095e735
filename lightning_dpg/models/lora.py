"""Low-rank adapters as plain tensors: one per site, each sample of a batch with its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lightning_dpg.errors import UserError

LAYER = re.compile(r"\.(\d+)(?=\.)")
"""The number of the decoder layer in a module's name."""
PROJECTIONS = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "o_proj"}


@dataclass(frozen=True)
class Site:
    """A linear layer that receives an adapter.

    Attributes:
        name: dotted name of the module in the backbone.
        in_features: width of its input.
        out_features: width of its output.
    """

    name: str
    in_features: int
    out_features: int

    @property
    def projection(self) -> str:
        """Last part of the name, such as `q_proj`."""
        return self.name.rsplit(".", 1)[-1]

    @property
    def layer(self) -> int:
        """Number of its decoder layer; 0 where the name has none."""
        found = LAYER.search(self.name)
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class LoRA:
    """The adapter of one site for a batch: delta = scale · B(Ax) (Hu et al. 2021, eq. 3).

    Attributes:
        a: shape (batch or 1, r, in_features).
        b: shape (batch or 1, out_features, r).
        scale: alpha / r.
    """

    a: Tensor
    b: Tensor
    scale: float

    def to(self, dtype: torch.dtype) -> LoRA:
        """The same adapter in another precision, the scale folded into B."""
        if self.scale == 1.0 and self.a.dtype == self.b.dtype == dtype:
            return self
        return LoRA(self.a.to(dtype), (self.b * self.scale).to(dtype), 1.0)

    def expand(self, index: Tensor) -> LoRA:
        """The adapter with its samples picked by `index`, shape (new batch,); shared parts stay."""
        return LoRA(_pick(self.a, index), _pick(self.b, index), self.scale)

    def delta_weight(self) -> Tensor:
        """What to add to the site's weight, shape (batch or 1, out_features, in_features)."""
        return self.scale * self.b @ self.a


Adapters = Mapping[str, LoRA]
"""An adapter for every site, by the site's name."""


def _pick(part: Tensor, index: Tensor) -> Tensor:
    return part if part.shape[0] == 1 else part[index]


def expand_adapters(adapters: Adapters, index: Tensor) -> dict[str, LoRA]:
    """Adapters for a batch of samples `index`, shape (new batch,), as when beams multiply it."""
    return {name: lora.expand(index) for name, lora in adapters.items()}


def find_sites(model: nn.Module, projections: Sequence[str], first_layer: int = 0) -> list[Site]:
    """The sites of a model, sorted by layer and name, so that every process orders them alike.

    Args:
        model: a decoder whose attention layers name their projections `q_proj` and so on.
        projections: any of q, k, v, o.
        first_layer: layers below this one are left alone.

    Raises:
        UserError: no module matches.
    """
    wanted = {PROJECTIONS[projection] for projection in projections}
    sites = []
    for name, module in model.named_modules():
        layer = LAYER.search(name)
        if name.rsplit(".", 1)[-1] in wanted and layer and int(layer[1]) >= first_layer:
            sites.append(Site(name, int(module.in_features), int(module.out_features)))
    if not sites:
        raise UserError(
            f"No module of {type(model).__name__} matches {', '.join(sorted(wanted))} from layer "
            f"{first_layer} upwards: check lora.projections and lora.first_layer"
        )
    return sorted(sites, key=lambda site: _natural(site.name))


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key that puts layer 2 before layer 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]


class StaticLoRA(nn.Module):
    """One LoRA for everybody: the LoRA-SFT baseline.

    Shares its interface with the hypernetwork, and ignores whose profile it is given.
    """

    def __init__(self, sites: Sequence[Site], rank: int, scale: float) -> None:
        super().__init__()
        self.sites, self.scale = list(sites), scale
        self.a, self.b = shared_parameters(sites, rank)

    def forward(
        self, profiles: Tensor, descriptions: Tensor, guidance: float = 1.0
    ) -> dict[str, LoRA]:
        """Adapters with a batch of 1.

        Args:
            profiles: (batch, 5), ignored.
            descriptions: (batch, width), ignored.
            guidance: ignored.
        """
        del profiles, descriptions, guidance
        return {
            site.name: LoRA(a[None], b[None], self.scale)
            for site, a, b in zip(self.sites, self.a, self.b, strict=True)
        }


def shared_parameters(
    sites: Sequence[Site], rank: int
) -> tuple[nn.ParameterList, nn.ParameterList]:
    """Learned A (rank, in_features) and B (out_features, rank) of every site.

    B starts at zero and A does not: the model starts unchanged, and gradients flow.
    """

    def parameters(make: Callable[[Site], Tensor]) -> nn.ParameterList:
        return nn.ParameterList([nn.Parameter(make(site)) for site in sites])

    a = parameters(lambda site: torch.randn(rank, site.in_features) * site.in_features**-0.5)
    return a, parameters(lambda site: torch.zeros(site.out_features, rank))
