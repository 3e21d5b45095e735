"""The adapters of personas, each on its own: from the cache, or from the module."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from lightning_dpg import __version__
from lightning_dpg.adapters.cache import AdapterCache
from lightning_dpg.models.lora import Adapters, LoRA, expand_adapters
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile

FORMAT = 1
"""Of what the cache keeps: another number makes everything anew."""

SAMPLE = 64
"""Numbers of each of the frozen model's parameters that its digest is taken of."""

Person = tuple[Profile, str]
"""Profile and description."""


@torch.inference_mode()
def adapters_of(
    module: PersonalityModule, people: Sequence[Person], cache: AdapterCache | None = None
) -> list[Adapters]:
    """Adapters of personas, on the module's device.

    What is not in the cache is generated in one batch, by `PersonalityModule.adapters_for`, so that
    the dial and the guidance are as they are for replies.

    Args:
        module: a trained one.
        people: whose.
        cache: where they may lie already.

    Returns:
        For each persona one sample in float32, scale 1.
    """

    def make(missing: Sequence[int]) -> list[Adapters]:
        chosen = [people[i] for i in missing]
        batch = module.adapters_for([p for p, _ in chosen], [text for _, text in chosen])
        plain = {name: lora.to(torch.float32) for name, lora in batch.items()}
        index = torch.arange(len(chosen), device=module.device)
        return [expand_adapters(plain, one) for one in index.split(1)]

    if not people:
        return []
    if cache is None:
        return make(range(len(people)))
    source = _source(module)
    keys = [_digest(source, *map(float, profile.scores), text) for profile, text in people]
    return [_on(module.device, adapters) for adapters in cache.get(keys, make)]


def _on(device: torch.device, adapters: Adapters) -> Adapters:
    return {
        n: LoRA(lora.a.to(device), lora.b.to(device), lora.scale) for n, lora in adapters.items()
    }


def _source(module: PersonalityModule) -> str:
    """Digest of all that a module's adapters depend on beside the persona.

    It is taken of the trained weights themselves, the dial among them, and not of a checkpoint's
    file: a module that was changed since it was loaded finds nothing that is wrong.
    """
    config = module.config
    return _digest(
        __version__,
        module.backbone.identity,
        _sample_digest(module.backbone.model),
        [site.name for site in module.sites],
        type(module.adapters).__name__,
        asdict(config.lora),
        asdict(config.hypernetwork),
        module.dial.limit,
        _weights_digest(module),
    )


def _sample_digest(model: nn.Module) -> str:
    """SHA-256 of the first numbers of each of a model's parameters.

    A name says little of a folder whose files were exchanged, and all weights are gigabytes.
    """
    digest = hashlib.sha256()
    for name, part in model.named_parameters():
        digest.update(f"{name} {tuple(part.shape)} {part.dtype}".encode())
        few = part.detach().flatten()[:SAMPLE].cpu().contiguous()
        digest.update(few.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _digest(*values: Any) -> str:
    return hashlib.sha256(json.dumps([FORMAT, *values], sort_keys=True).encode()).hexdigest()


_known: WeakKeyDictionary[nn.Module, tuple[list[tuple[int, int]], str]] = WeakKeyDictionary()


def _weights_digest(module: nn.Module) -> str:
    """SHA-256 of a module's state, taken again only after something was written into it."""
    state: dict[str, Tensor] = module.state_dict()
    versions = [(part.data_ptr(), part._version) for part in state.values()]
    if module not in _known or _known[module][0] != versions:
        digest = hashlib.sha256()
        for name, part in state.items():
            digest.update(f"{name} {tuple(part.shape)} {part.dtype}".encode())
            digest.update(part.detach().cpu().flatten().view(torch.uint8).numpy().data)
        _known[module] = versions, digest.hexdigest()
    return _known[module][1]
