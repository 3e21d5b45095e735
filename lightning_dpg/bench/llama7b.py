"""A model of Llama-7B's shapes with random weights, built so that it fits wherever it runs."""

from __future__ import annotations

import copy
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from lightning_dpg.bench.floor import LLAMA_7B, Shapes
from lightning_dpg.config import BackboneConfig
from lightning_dpg.models.backbone import Backbone, byte_tokenizer, load_backbone

LONGEST = 4096


def build(config: BackboneConfig, shapes: Shapes = LLAMA_7B) -> Backbone:
    """Load one layer and copy it: never more than one layer is there that is not quantised.

    A model of one layer is written and loaded through `load_backbone` as any model is; the other
    layers are copies of that layer as it was loaded. All have the same weights, in memory of their
    own: that costs the time and the memory of different ones.

    Args:
        config: precision, quantisation and device.
        shapes: of the model.

    Raises:
        UserError: what `load_backbone` raises.
    """
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), shapes)
        backbone = load_backbone(replace(config, source="hub", name=folder, revision=None))
    model: Any = backbone.model
    for number in range(1, shapes.layers):
        layer = copy.deepcopy(model.model.layers[0])
        layer.self_attn.layer_idx = number
        layer.self_attn.config = model.config
        model.model.layers.append(layer)
    model.config.num_hidden_layers = shapes.layers
    identity = f"{shapes.name}@random/{config.quantization}/{config.dtype}"
    return replace(backbone, identity=identity)


def _write(folder: Path, shapes: Shapes) -> None:
    """A model of one layer as a folder that `load_backbone` takes."""
    config = LlamaConfig(
        vocab_size=shapes.vocabulary,
        hidden_size=shapes.hidden,
        intermediate_size=shapes.intermediate,
        num_hidden_layers=1,
        num_attention_heads=shapes.heads,
        num_key_value_heads=shapes.key_heads,
        max_position_embeddings=LONGEST,
        tie_word_embeddings=shapes.tied,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    _calm(model, shapes.layers)
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)


@torch.no_grad()
def _calm(model: Any, layers: int) -> None:
    """Divide what each layer adds by the square root of the number of additions (GPT-2, 2.3).

    Otherwise layer after layer magnifies rounding, and in bfloat16 equal adapters would say things
    nearly as far apart as slightly different ones.
    """
    for name in ("self_attn.o_proj", "mlp.down_proj"):
        model.get_submodule(f"model.layers.0.{name}").weight.mul_((2 * layers) ** -0.5)
