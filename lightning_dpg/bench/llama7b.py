"""A model of Llama-7B's shapes with random weights, built so that it fits wherever it runs."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from lightning_dpg.bench.floor import LLAMA_7B, Shapes
from lightning_dpg.config import BackboneConfig
from lightning_dpg.models.backbone import Backbone, byte_tokenizer, load_backbone

FEW_WORDS = 320
"""Vocabulary of the models whose layers alone are taken: that of the tokenizer of bytes."""
LONGEST = 4096


def build(config: BackboneConfig, shapes: Shapes = LLAMA_7B) -> Backbone:
    """Load it layer by layer: never more than one layer is there that is not quantised.

    One layer's random weights are written once and loaded as often as there are layers, each time
    through `load_backbone` as any model's are. All layers have the same weights, in memory of their
    own: that costs the time and the memory of different ones.

    Args:
        config: precision, quantisation and device.
        shapes: of the model.

    Raises:
        UserError: what `load_backbone` raises.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole, layer = Path(folder, "whole"), Path(folder, "layer")
        _write(whole, shapes, shapes.vocabulary)
        backbone = load_backbone(replace(config, source="hub", name=str(whole), revision=None))
        _write(layer, shapes, FEW_WORDS)
        source = replace(config, source="hub", name=str(layer), revision=None)
        for number in range(1, shapes.layers):
            _append(backbone.model, load_backbone(source).model, number)
    identity = f"{shapes.name}@random/{config.quantization}/{config.dtype}"
    return replace(backbone, identity=identity)


def _append(model: Any, other: Any, number: int) -> None:
    """Move the only layer of another model behind those of this one."""
    layer = other.model.layers[0]
    layer.self_attn.layer_idx = number
    layer.self_attn.config = model.config
    model.model.layers.append(layer)
    model.config.num_hidden_layers = number + 1


def _write(folder: Path, shapes: Shapes, vocabulary: int) -> None:
    """A model of one layer as a folder that `load_backbone` takes."""
    config = LlamaConfig(
        vocab_size=vocabulary,
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
    model.save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
