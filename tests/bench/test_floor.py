"""The arithmetic of the floor, against models that are counted and sums done by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaConfig, LlamaForCausalLM

from lightning_dpg.bench import arithmetic, budget, floor
from lightning_dpg.bench.floor import LLAMA_7B, SMOLLM2, Shapes
from lightning_dpg.bench.persona import trained_parameters
from lightning_dpg.config import load
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.lora import find_sites
from lightning_dpg.models.module import make_adapter_source
from tests.models.conftest import random_adapters

PERFORMANCE = Path(__file__).parents[2] / "docs" / "performance.md"
RANK = 4


def small(attention: str) -> LlamaForCausalLM:
    """A model with fewer key heads than heads."""
    config = LlamaConfig(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    model = LlamaForCausalLM(config).requires_grad_(False)
    model.set_attn_implementation(attention)
    return model


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    return small("sdpa")


@pytest.fixture(scope="module")
def shapes(model: LlamaForCausalLM) -> Shapes:
    return Shapes.of(model.config, "small")


def test_weights_of_a_model_are_counted(model: LlamaForCausalLM, shapes: Shapes) -> None:
    matrices = [p.numel() for n, p in model.named_parameters() if "proj" in n]
    assert shapes.layers * shapes.layer_weights == sum(matrices)
    ends = [p.numel() for n, p in model.named_parameters() if "embed" in n or "lm_head" in n]
    assert shapes.embedding_weights == sum(ends)


def test_llama_7b_has_6_7_billion_weights_and_smollm2_135_million() -> None:
    for shapes, millions in ((LLAMA_7B, 6738), (SMOLLM2, 134.5)):
        total = shapes.layers * shapes.layer_weights + shapes.embedding_weights
        assert total / 1e6 == pytest.approx(millions, rel=1e-3)


def test_sites_are_those_that_are_found_in_a_model(model: LlamaForCausalLM, shapes: Shapes) -> None:
    for first in (0, 1):
        assert shapes.sites(["v", "q"], first) == find_sites(model, ["q", "v"], first)


def test_operations_are_those_that_torch_counts(shapes: Shapes) -> None:
    """Except in attention, where torch counts all keys and the mask leaves half of them."""
    model = small("eager")
    batch, tokens = 2, 8
    sites = shapes.sites(["q", "v"], 1)
    install(model, sites)
    ids = torch.randint(96, (batch, tokens))
    counted = []
    for adapters in (None, random_adapters(sites, batch, rank=RANK)):
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), injected(model, adapters), counter:
            model(input_ids=ids, logits_to_keep=1, use_cache=False)
        counted.append(counter.get_total_flops())
    cost = floor.forward_operations(shapes, sites, RANK, batch, tokens)
    unseen = batch * shapes.layers * 2 * shapes.hidden * tokens * tokens
    assert cost.frozen + unseen == counted[0]
    assert cost.adapters == counted[1] - counted[0]
    assert cost.ratio == 1 + cost.adapters / cost.frozen


def test_training_is_forward_backward_from_the_lowest_site_and_recomputation(
    shapes: Shapes,
) -> None:
    high, low = shapes.sites(["q"], 2), shapes.sites(["q"], 0)
    plain = floor.training_operations(shapes, high, RANK, 1, 8)
    forward = floor.forward_operations(shapes, high, RANK, 1, 8, logits=4)
    layer, attention = 8 * 2 * shapes.layer_weights, 2 * shapes.hidden * 64
    output = 4 * 2 * shapes.vocabulary * shapes.hidden
    assert plain.frozen - forward.frozen == layer + 2 * attention + output
    again = floor.training_operations(shapes, high, RANK, 1, 8, checkpointing=True)
    assert again.frozen - plain.frozen == layer + attention
    deep = floor.training_operations(shapes, low, RANK, 1, 8)
    assert deep.frozen - plain.frozen == 2 * (layer + 2 * attention)
    assert plain.adapters == 3 * forward.adapters


def test_a_decoded_token_reads_weights_cache_and_adapters() -> None:
    sites = LLAMA_7B.sites(["q", "v"])
    own = floor.decoding_bytes(LLAMA_7B, sites, 8, 8, 512, "bfloat16", "nf4")
    assert own.adapters == 8 * 64 * 2 * 8 * 4096 * 2  # samples, sites, A and B, rank, width, bytes
    weights = 32 * (4 * 4096**2 + 3 * 4096 * 11008) * (0.5 + 1 / 64 + 1 / 4096)
    cache = 8 * 512 * 2 * 32 * 4096 * 2
    assert own.frozen == weights + 32000 * 4096 * 2 + cache
    shared = floor.decoding_bytes(LLAMA_7B, sites, 8, 8, 512, "bfloat16", "nf4", shared=True)
    assert shared.adapters == own.adapters * (1 + 8) / 16
    plain = floor.decoding_bytes(LLAMA_7B, sites, 8, 8, 512, "float32", "none")
    assert plain.frozen == 4 * weights / floor.NF4 + 2 * (32000 * 4096 * 2 + cache)


def test_repetition_takes_as_many_times_the_memory_as_there_are_tokens() -> None:
    sites = LLAMA_7B.sites(["q", "v"])
    own = budget.adapter_bytes(sites, 8, 8, "bfloat16")
    assert own == 64 * 2**20
    assert budget.repeated_bytes(sites, 8, 8, 512, "bfloat16") == 512 * own == 32 * 2**30
    assert budget.repeated_bytes(sites, 8, 8, 512, "bfloat16", kept=False) == 512 * own / 64


def test_activations_are_those_that_autograd_keeps(model: LlamaForCausalLM, shapes: Shapes) -> None:
    """Counted with hooks on saved tensors, each memory once; what grows with T alone is left."""
    batch, tokens = 4, 64
    sites = find_sites(model, ["q", "v"])
    install(model, sites)
    adapters = random_adapters(sites, batch, rank=RANK)
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with injected(model, adapters), torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        decoder: Any = model.get_decoder()
        hidden = decoder(torch.randint(96, (batch, tokens)), use_cache=False)
        assert hidden.last_hidden_state.requires_grad
    measured = sum(size for where, size in kept.items() if where not in own)
    said = batch * tokens * budget.activation_bytes(shapes, sites, False, "float32")
    assert measured == pytest.approx(said, rel=0.25)
    assert budget.activation_bytes(shapes, sites, True, "float32") == 3 * 32 * 4


def test_memory_is_the_sum_of_its_parts_and_grows_with_the_batch() -> None:
    sites = LLAMA_7B.sites(["q", "v"])

    def need(batch: int, checkpointing: bool) -> dict[str, float]:
        return budget.training_memory(
            LLAMA_7B,
            sites,
            8,
            batch,
            512,
            checkpointing=checkpointing,
            dtype="bfloat16",
            quantization="nf4",
            trained=1000,
        )

    one, eight, light = need(1, False), need(8, False), need(8, True)
    assert eight["activations"] == 8 * one["activations"] == 8 * 512 * 32 * (18 * 4096 + 6 * 11008)
    assert light["activations"] == 8 * 512 * 32 * 4096 * 2
    assert one["weights"] == eight["weights"] == pytest.approx(3.6 * 2**30, rel=0.01)
    assert one["optimiser"] == 16_000
    assert {k for k in light if light[k] != eight[k]} == {"activations"}


def test_trained_parameters_are_those_of_a_hypernetwork() -> None:
    small = Shapes("small", 32, 48, 3, 4, 2, 96)
    sites = small.sites(["q", "v"], 1)
    backbone: Any = SimpleNamespace(hidden_size=32)
    made = make_adapter_source("hypernetwork", load("dpg_llama7b"), backbone, sites)
    assert trained_parameters(small, 1) == sum(p.numel() for p in made.parameters())
    assert any(name.startswith("imprint") for name, _ in made.named_parameters())


@pytest.mark.parametrize("name", list(arithmetic.tables()))
def test_the_page_has_the_tables_as_they_are_computed(name: str) -> None:
    assert arithmetic.tables()[name] in PERFORMANCE.read_text(encoding="utf-8")
