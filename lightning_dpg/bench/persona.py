"""A new persona: the time until its adapter is there, against one decoded token at 7 B."""

from __future__ import annotations

from typing import Any

import torch

from lightning_dpg.bench import floor, timing
from lightning_dpg.bench.floor import LLAMA_7B
from lightning_dpg.bench.machine import bandwidth, seconds
from lightning_dpg.config import load
from lightning_dpg.models.hypernetwork import Hypernetwork, make_hypernetwork
from lightning_dpg.models.injection import Factors
from lightning_dpg.models.lora import Site

EXPERIMENT = "dpg_llama7b"
RANK, SCALE = 8, 2.0
REPEATS = 20
CONTEXT = 512
"""Tokens in the cache of the decoded token's sample."""


def network(sites: list[Site], width: int) -> Hypernetwork:
    """A hypernetwork as the experiment at 7 B has it, with the imprint of descriptions.

    Args:
        sites: where adapters go.
        width: of encoded descriptions, which is that of the model's hidden states.
    """
    return make_hypernetwork(load(EXPERIMENT).hypernetwork, sites, RANK, SCALE, width)


def trained_parameters(shapes: floor.Shapes, first_layer: int = 0) -> int:
    """Parameters of the hypernetwork for q and v of a model's layers, counted without making it."""
    with torch.device("meta"):
        made = network(shapes.sites(["q", "v"], first_layer), shapes.hidden)
    return sum(parameter.numel() for parameter in made.parameters())


def new_persona(device: torch.device, shapes: floor.Shapes = LLAMA_7B) -> dict[str, Any]:
    """Time from scores and an encoded description to adapters that are ready to be injected.

    The description is encoded already: that is a forward pass of the model over its words, once for
    each text, and is kept on the CPU with what every site hears of it (`DescriptionEncoder`). The
    token's time is the least that its bytes take at the bandwidth measured here.

    Args:
        device: where both would run.
        shapes: of the model, in NF4 with bfloat16.
    """
    sites = shapes.sites(["q", "v"])
    made = network(sites, shapes.hidden).to(device).eval()
    profile = torch.full((1, 5), 2.0, device=device)
    heard = sum(site.in_features + site.out_features for site in sites)
    described = torch.randn(1, shapes.hidden + heard)

    @torch.inference_mode()
    def ready() -> None:
        for lora in made(profile, described.to(device)).values():
            Factors.of(lora, torch.bfloat16)

    ready()
    spread = timing.spread([seconds(ready, device) for _ in range(REPEATS)])
    read = floor.decoding_bytes(shapes, sites, RANK, 1, CONTEXT, "bfloat16", "nf4").frozen
    speed = bandwidth(device)
    return {
        **spread,
        "model": shapes.name,
        "token_bytes": read,
        "bandwidth": speed,
        "token_seconds": read / speed,
        "token_measured": None,
    }
