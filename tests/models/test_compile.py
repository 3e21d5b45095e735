"""A compiled model under injection: one graph for all personas, and the same numbers as eager."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.lora import Site, find_sites
from tests.models.conftest import random_adapters
from tests.models.test_injection import tokens

BATCH = 3
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    """No graph of another test is met again."""
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.fixture
def sites(backbone: Backbone) -> list[Site]:
    return find_sites(backbone.model, ["q", "v"])


@pytest.fixture(params=["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def compiled(
    request: pytest.FixtureRequest, backbone: Backbone, sites: list[Site]
) -> tuple[Callable[..., Any], CompileCounterWithBackend]:
    """The model with hooks, compiled without any break in its graph, and how often it was."""
    install(backbone.model, sites)
    counter = CompileCounterWithBackend(request.param)
    return torch.compile(backbone.model, backend=counter, fullgraph=True, dynamic=False), counter


def test_new_personas_need_no_new_graph_and_without_one_the_model_is_the_frozen_one(
    backbone: Backbone, sites: list[Site], compiled: tuple[Any, CompileCounterWithBackend]
) -> None:
    model, counter = compiled
    ids, said = tokens(BATCH), []
    with torch.no_grad():
        for seed in range(3):
            with injected(backbone.model, random_adapters(sites, BATCH, seed)):
                said.append(model(input_ids=ids, use_cache=False).logits)
                eager = backbone.model(input_ids=ids, use_cache=False).logits
            torch.testing.assert_close(said[-1], eager, **CLOSE)
        assert counter.frame_count == 1
        frozen = backbone.model(input_ids=ids, use_cache=False).logits
        torch.testing.assert_close(model(input_ids=ids, use_cache=False).logits, frozen, **CLOSE)
    for one, other in combinations([*said, frozen], 2):
        assert (one - other).abs().max() > 0.01


def test_gradients_of_a_compiled_step_are_those_of_an_eager_one(
    backbone: Backbone, sites: list[Site], compiled: tuple[Any, CompileCounterWithBackend]
) -> None:
    def gradients(model: Callable[..., Any]) -> list[Tensor]:
        adapters = random_adapters(sites, BATCH)
        parts = [part for lora in adapters.values() for part in (lora.a, lora.b)]
        with injected(backbone.model, adapters):
            loss = model(input_ids=tokens(BATCH), use_cache=False).logits.logsumexp(-1).sum()
            return list(torch.autograd.grad(loss, parts))

    found, expected = gradients(compiled[0]), gradients(backbone.model)
    assert all(part.abs().max() > 0 for part in expected)
    torch.testing.assert_close(found, expected, **CLOSE)
