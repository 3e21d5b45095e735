"""An adapter as PEFT writes it: `adapter_config.json` and `adapter_model.safetensors`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional as F

from lightning_dpg.errors import UserError
from lightning_dpg.files import write_atomically
from lightning_dpg.models.lora import LAYER, Adapters

CONFIG, WEIGHTS, CARD = "adapter_config.json", "adapter_model.safetensors", "README.md"
FILES = frozenset({CONFIG, WEIGHTS, CARD})

Dtype = Literal["float32", "float16", "bfloat16"]
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes as `--max-lora-rank` (vllm/config/lora.py)."""


def write_adapter(
    folder: Path,
    adapters: Adapters,
    *,
    base: str,
    card: str,
    revision: str | None = None,
    dtype: Dtype = "float32",
) -> None:
    """Write one sample of adapters into a folder, as PEFT and vLLM load it.

    Args:
        folder: is made if it is not there.
        adapters: one sample for each site.
        base: `base_model_name_or_path`.
        card: the model card.
        revision: of the base model, where one is fixed.
        dtype: of the tensors in the file.

    Raises:
        UserError: a rank beyond what vLLM takes, or values that the dtype cannot hold.
    """
    tensors = peft_tensors(adapters, dtype)
    config = peft_config(adapters, base, revision)
    # One entry alone: safetensors writes several in any order, and equal adapters are equal files.
    write_atomically(folder / WEIGHTS, save(tensors, {"format": "pt"}))
    write_atomically(folder / CARD, card.encode("utf-8"))
    text = json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_atomically(folder / CONFIG, text.encode("utf-8"))


def peft_tensors(adapters: Adapters, dtype: Dtype = "float32") -> dict[str, Tensor]:
    """Plain A (rank, in_features) and B (out_features, rank) by the names that PEFT gives them.

    The scale is folded into B. All have one rank: the next that vLLM takes, with rows and columns
    of zeros beyond their own.

    Raises:
        UserError: what `write_adapter` raises.
    """
    rank, kind = padded_rank(adapters), getattr(torch, dtype)
    tensors = {}
    for site, lora in adapters.items():
        assert lora.a.shape[0] == lora.b.shape[0] == 1, f"{site}: one sample expected"
        missing = rank - lora.a.shape[1]
        parts = {
            "A": F.pad(lora.a[0].float(), (0, 0, 0, missing)),
            "B": F.pad(lora.b[0].float() * lora.scale, (0, missing)),
        }
        for letter, part in parts.items():
            name = f"base_model.model.{site}.lora_{letter}.weight"
            tensors[name] = part.detach().to("cpu", kind).contiguous()
            if not tensors[name].isfinite().all():
                largest = float(part.detach().abs().max())
                raise UserError(
                    f"The adapter of {site} holds values that {dtype} cannot (largest "
                    f"{largest:g}): take --dtype float32, or smaller weights and strength"
                )
    return tensors


def padded_rank(adapters: Adapters) -> int:
    """The smallest rank that vLLM takes and that holds all adapters.

    Raises:
        UserError: there is none.
    """
    own = max(lora.a.shape[1] for lora in adapters.values())
    for rank in RANKS:
        if rank >= own:
            return rank
    raise UserError(
        f"The adapter has rank {own}, and servers take {RANKS[-1]} at most: blend fewer personas, "
        "or train with a smaller lora.rank"
    )


def peft_config(adapters: Adapters, base: str, revision: str | None = None) -> dict[str, Any]:
    """What `adapter_config.json` says. Alpha equals the rank: the scale is in B.

    Raises:
        UserError: what `padded_rank` raises.
    """
    rank = padded_rank(adapters)
    layers = {int(found[1]) for site in adapters if (found := LAYER.search(site))}
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "revision": revision,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "target_modules": sorted({site.rsplit(".", 1)[-1] for site in adapters}),
        "layers_to_transform": sorted(layers),
        "layers_pattern": None,
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "modules_to_save": None,
        "use_dora": False,
        "use_rslora": False,
    }
