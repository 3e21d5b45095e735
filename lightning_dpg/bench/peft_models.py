"""PEFT's own LoRA, with the sites, rank, precision and weights of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peft import LoraConfig, get_peft_model
from torch import Tensor

from lightning_dpg.bench.copies import keep_unpacked
from lightning_dpg.models.lora import Adapters, Site


def persona(number: int) -> str:
    """PEFT's name of an adapter."""
    return f"persona_{number}"


def with_adapters(model: Any, sites: Sequence[Site], adapters: Adapters, count: int) -> Any:
    """A PEFT model with one LoRA for each persona; `model` itself is changed, so give a copy.

    PEFT keeps adapters in float32 by default and casts what goes in and out of them at every layer:
    here they have the model's own precision, as ours do in a scope.

    Args:
        model: of transformers.
        sites: all of the same projections in a range of layers.
        adapters: A and B of `count` samples or more, and a scale.
        count: how many are loaded, named by `persona`; the first is active.
    """
    first = adapters[sites[0].name]
    rank = first.a.shape[1]
    config = LoraConfig(
        r=rank,
        lora_alpha=first.scale * rank,  # type: ignore[arg-type]
        target_modules=sorted({site.projection for site in sites}),
        layers_to_transform=sorted({site.layer for site in sites}),
        lora_dropout=0.0,
        bias="none",
        init_lora_weights=False,
        task_type="CAUSAL_LM",
    )
    made: Any = get_peft_model(model, config, persona(0), autocast_adapter_dtype=False)
    for number in range(1, count):
        made.add_adapter(persona(number), config, autocast_adapter_dtype=False)
    for number in range(count):
        fill(made, sites, adapters, number, persona(number))
    made.set_adapter(persona(0))
    made.eval()
    keep_unpacked(made)
    return made


def fill(model: Any, sites: Sequence[Site], adapters: Adapters, sample: int, name: str) -> None:
    """Give an adapter the weights of one sample.

    Args:
        model: of PEFT.
        sites: where adapters are.
        adapters: A and B of each sample, or one for all.
        sample: whose.
        name: of PEFT's adapter.
    """
    for site in sites:
        lora = adapters[site.name]
        for module, part in zip(_parts(model, site), (lora.a, lora.b), strict=True):
            module[name].weight.data = part[min(sample, len(part) - 1)].detach().clone()


def trained(model: Any, sites: Sequence[Site]) -> list[Tensor]:
    """A and B of the active adapter, site by site."""
    return [part[persona(0)].weight for site in sites for part in _parts(model, site)]


def _parts(model: Any, site: Site) -> tuple[Any, Any]:
    module = model.base_model.model.get_submodule(site.name)
    return module.lora_A, module.lora_B
