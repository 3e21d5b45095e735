"""Blending personas: the sum of weighted deltas, exactly, in one batch with others."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from lightning_dpg.adapters.cache import AdapterCache
from lightning_dpg.adapters.generating import Person, adapters_of
from lightning_dpg.adapters.parts import Blend, Part
from lightning_dpg.models.lora import LoRA
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import is_given

__all__ = ["Blend", "Part", "blended"]


@torch.inference_mode()
def blended(
    module: PersonalityModule, blends: Sequence[Blend], cache: AdapterCache | None = None
) -> dict[str, LoRA]:
    """The adapters of a batch, one sample for each blend.

    The delta of a blend is strength · Σ weight_k · delta_k, exactly. Adding A to A and B to B
    would give (ΣB)(ΣA), which has cross terms B_i A_j between personas.

    Args:
        module: a trained one, in whose backbone the batch will run.
        blends: who speaks; a persona that several of them share is generated once.
        cache: of adapters; None generates them all.

    Returns:
        For each site, in float32 with scale 1: A (1, r, in_features) where all personas share it,
        else (blends, r, in_features), and B (blends, out_features, r). Where personas have an A of
        their own, r is the sum of the ranks of a blend's parts, and blends of fewer are padded with
        zeros.

    Raises:
        ValueError: no blend.
    """
    if not blends:
        raise ValueError("blended expected one blend or more, got none")
    wanted = [[_person(part) for part in blend.parts] for blend in blends]
    people = list(dict.fromkeys(person for persons in wanted for person in persons))
    adapters = dict(zip(people, adapters_of(module, people, cache), strict=True))
    weights = [[blend.strength * part.weight for part in blend.parts] for blend in blends]
    joined = {}
    for site in module.sites:
        samples = [
            summed([adapters[person][site.name] for person in persons], own)
            for persons, own in zip(wanted, weights, strict=True)
        ]
        joined[site.name] = stacked(samples)
    return joined


def _person(part: Part) -> Person:
    return part.profile, part.description if is_given(part.description) else ""


def summed(loras: Sequence[LoRA], weights: Sequence[float]) -> LoRA:
    """One sample whose delta is Σ weight_k · delta_k.

    Args:
        loras: one sample each, of one site.
        weights: as many.

    Returns:
        An adapter with scale 1: of the same rank where all have the same A, since
        Σ w_k B_k A = (Σ w_k B_k) A; else A's stacked and weighted B's side by side, of the sum of
        their ranks.
    """
    b = [lora.b * (weight * lora.scale) for lora, weight in zip(loras, weights, strict=True)]
    if _alike([lora.a for lora in loras]):
        return LoRA(loras[0].a, torch.stack(b).sum(0), 1.0)
    return LoRA(torch.cat([lora.a for lora in loras], dim=1), torch.cat(b, dim=2), 1.0)


def stacked(samples: Sequence[LoRA]) -> LoRA:
    """A batch from samples of scale 1; an A that all have stays one, fewer ranks are padded."""
    rank = max(sample.a.shape[1] for sample in samples)
    b = torch.cat([F.pad(s.b, (0, rank - s.b.shape[2])) for s in samples])
    if _alike([sample.a for sample in samples]):
        return LoRA(samples[0].a, b, 1.0)
    a = torch.cat([F.pad(s.a, (0, 0, 0, rank - s.a.shape[1])) for s in samples])
    return LoRA(a, b, 1.0)


def _alike(parts: Sequence[Tensor]) -> bool:
    return all(torch.equal(part, parts[0]) for part in parts[1:])
