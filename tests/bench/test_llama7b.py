"""The model of Llama-7B's shapes, at small shapes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lightning_dpg.bench.floor import Shapes
from lightning_dpg.bench.llama7b import build
from lightning_dpg.config import BackboneConfig
from lightning_dpg.models.backbone import Backbone

SMALL = Shapes("small", 64, 128, 3, 4, 4, 400)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return build(BackboneConfig(quantization="nf4", dtype="bfloat16", device="cpu"), SMALL)


def test_it_has_the_shapes_and_every_layer_is_in_nf4(backbone: Backbone) -> None:
    model: Any = backbone.model
    assert Shapes.of(model.config, "small") == SMALL
    assert len(model.model.layers) == 3
    for number, layer in enumerate(model.model.layers):
        assert layer.self_attn.layer_idx == number
        assert layer.self_attn.config is model.config
        for name, width in (("self_attn.q_proj", 64), ("mlp.up_proj", 128), ("mlp.down_proj", 64)):
            linear = layer.get_submodule(name)
            assert type(linear).__name__ == "Linear4bit"
            assert linear.weight.quant_state.quant_type == "nf4"
            assert linear.weight.quant_state.shape[0] == width
    assert model.get_output_embeddings().weight.dtype == torch.bfloat16
    assert not any(p.requires_grad for p in model.parameters())
    assert backbone.identity == "small@random/nf4/bfloat16"


def test_what_layers_add_is_scaled_down_by_their_number() -> None:
    model: Any = build(
        BackboneConfig(quantization="none", dtype="float32", device="cpu"), SMALL
    ).model
    layer, calm = model.model.layers[1], 0.02 / 6**0.5
    for linear in (layer.self_attn.o_proj, layer.mlp.down_proj):
        assert float(linear.weight.std()) == pytest.approx(calm, rel=0.05)
    assert float(layer.self_attn.v_proj.weight.std()) == pytest.approx(0.02, rel=0.05)


def test_layers_have_memory_of_their_own(backbone: Backbone) -> None:
    model: Any = backbone.model
    places = {layer.mlp.up_proj.weight.data_ptr() for layer in model.model.layers}
    assert len(places) == 3


def test_it_answers_with_a_cache_of_every_layer(backbone: Backbone) -> None:
    model: Any = backbone.model
    ids = torch.randint(3, 400, (2, 6), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = model(input_ids=ids, use_cache=False).logits[:, -1]
        cache = model(input_ids=ids[:, :-1], use_cache=True).cache
        last = model(input_ids=ids[:, -1:], cache=cache, use_cache=True).logits[:, -1]
    assert whole.shape == (2, 400)
    assert len(cache.layers) == 3
    assert torch.nn.functional.cosine_similarity(whole.float(), last.float()).min() > 0.99
