"""An adapter folder read as vLLM reads it: written from vllm/lora, independently of the exporter.

Rules of `PEFTHelper.validate_legal`, `LoRAModel.from_local_checkpoint` and
`parse_fine_tuned_lora_name`, for a Llama, whose modules with adapters are those of `LLAMA`.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

LLAMA = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
MAX_LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def load_as_vllm(folder: Path, max_lora_rank: int = 16) -> dict[str, tuple[Tensor, Tensor]]:
    """A and the scaled B of each module.

    Raises:
        ValueError: a rule is broken.
    """
    config = json.loads((folder / "adapter_config.json").read_text())
    if missing := {"r", "lora_alpha", "target_modules"} - set(config):
        raise ValueError(f"missing required configuration fields: {missing}")
    if max_lora_rank not in MAX_LORA_RANKS or config["r"] > max_lora_rank:
        raise ValueError(f"rank {config['r']} is greater than max_lora_rank {max_lora_rank}")
    if config.get("modules_to_save") or config.get("use_dora"):
        raise ValueError("modules_to_save and DoRA are not supported")
    if config.get("bias", "none") != "none" or config.get("lora_bias"):
        raise ValueError("a bias is not supported")
    scaling = config["lora_alpha"] / (config["r"] ** (0.5 if config.get("use_rslora") else 1))
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in load_file(folder / "adapter_model.safetensors").items():
        parts = name.split(".")
        if parts[:2] != ["base_model", "model"] or parts[-1] != "weight":
            raise ValueError(f"{name} is unsupported LoRA weight")
        if parts[-2] not in ("lora_A", "lora_B") or parts[-3] not in LLAMA:
            raise ValueError(f"{name}: unexpected module")
        if tensor.dtype not in (torch.float32, torch.float16, torch.bfloat16):
            raise ValueError(f"{name}: {tensor.dtype}")
        found.setdefault(".".join(parts[2:-2]), {})[parts[-2]] = tensor
    for module, both in found.items():
        a, b = both["lora_A"], both["lora_B"]
        if a.shape[0] != config["r"] or b.shape[1] != config["r"]:
            raise ValueError(f"{module}: shapes {tuple(a.shape)}, {tuple(b.shape)}")
    return {module: (both["lora_A"], both["lora_B"] * scaling) for module, both in found.items()}
