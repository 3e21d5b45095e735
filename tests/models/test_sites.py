"""Which layers receive adapters, and in which order."""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from lightning_dpg.models.lora import Site, find_sites


def llama(layers: int) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=8,
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    with torch.device("meta"):
        return LlamaForCausalLM(config)


def test_layer_two_comes_before_layer_ten() -> None:
    sites = find_sites(llama(12), ["q"])
    assert [site.name for site in sites] == [
        f"model.layers.{layer}.self_attn.q_proj" for layer in range(12)
    ]


def test_sites_are_sorted_by_layer_then_name_whatever_order_is_asked() -> None:
    expected = [
        Site("model.layers.1.self_attn.k_proj", 8, 4),
        Site("model.layers.1.self_attn.o_proj", 8, 8),
        Site("model.layers.1.self_attn.q_proj", 8, 8),
        Site("model.layers.1.self_attn.v_proj", 8, 4),
    ]
    assert find_sites(llama(2), ["q", "k", "v", "o"], first_layer=1) == expected
    assert find_sites(llama(2), ["v", "o", "k", "q"], first_layer=1) == expected


def test_only_the_projections_asked_for_are_sites() -> None:
    assert {site.projection for site in find_sites(llama(2), ["o", "k"])} == {"o_proj", "k_proj"}
