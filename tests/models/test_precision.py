"""Mixed precision: products are rounded, scores and what is made of them are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_dpg.config import Config
from lightning_dpg.data.samples import Sample
from lightning_dpg.models.lora import LoRA
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile
from tests.models.conftest import Batches, MakeModule, stir, trainer

SCORES = (3.3, -1.7, 0.1, 4.9, -2.3)
"""None of them is a number of bfloat16."""


@pytest.fixture
def scored(samples: list[Sample]) -> list[Sample]:
    return [replace(sample, profile=Profile(SCORES)) for sample in samples[:6]]


@pytest.mark.parametrize("output", ["dial", "core", "full"])
def test_training_in_bf16_rounds_no_score(
    make_module: MakeModule, config: Config, scored: list[Sample], output: str
) -> None:
    config.hypernetwork.output = output  # type: ignore[assignment]
    config.trainer.learning_rate, config.trainer.warmup_steps = 1e-2, 0
    module = make_module()
    stir(module)
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    seen: list[tuple[Tensor, dict[str, LoRA], dict[str, LoRA], dict[str, LoRA]]] = []
    make = module._adapters

    def watched(profiles: Tensor, described: Tensor, guidance: float = 1.0) -> dict[str, LoRA]:
        assert torch.is_autocast_enabled("cpu")
        made = make(profiles, described, guidance)
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            exact = module.adapters(profiles, described)
            rounded = module.adapters(profiles.bfloat16().float(), described)
        seen.append((profiles, made, exact, rounded))
        return made

    module._adapters = watched  # type: ignore[method-assign]
    run = trainer(2, precision="bf16-mixed")
    run.fit(module, Batches(module, scored))
    assert len(seen) == 2
    for profiles, made, exact, rounded in seen:
        assert profiles.dtype == torch.float32
        own, other = profiles.chunk(2)
        assert torch.equal(own, torch.tensor([SCORES] * 3)) and torch.equal(other, -own)
        for name, lora in exact.items():
            assert made[name].b.dtype == torch.float32
            assert torch.equal(made[name].b, lora.b) and torch.equal(made[name].a, lora.a)
        assert any(not torch.equal(made[name].b, lora.b) for name, lora in rounded.items())
    for parameter in module.parameters():
        assert parameter.dtype == torch.float32 and parameter.isfinite().all()
    assert any(not torch.equal(before[name], p) for name, p in module.named_parameters())


def test_the_dial_and_descriptions_are_exact_inside_of_mixed_precision(
    make_module: MakeModule, backbone: Any
) -> None:
    module = make_module()
    module.dial.matrix.copy_(torch.eye(5) * 1.5)
    profile, text = Profile((1.3, -1.7, 0.1, 2.9, -2.3)), "Keeps bees and counts them."
    fresh = make_module()  # which has not met the text yet
    expected, encoded = module.dial_settings([profile], [text]), fresh._encoded([text])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, inside = module.dial_settings([profile], [text]), module._encoded([text])
        made = module.adapters_for([profile], [text])
    assert got.dtype == torch.float32 and torch.equal(got, expected)
    assert torch.equal(inside, encoded)
    for name, lora in module.adapters_for([profile], [text]).items():
        assert torch.equal(made[name].b, lora.b)


def test_mixed_precision_computes_the_rest_in_bf16(
    make_module: MakeModule, scored: list[Sample]
) -> None:
    """Both sides of it: were nothing rounded at all, there would be nothing to test above."""
    module: PersonalityModule = make_module()
    stir(module)
    batch = module.collate(scored[:3])
    exact = module.training_step(batch, 0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = module.training_step(batch, 0)
    assert not torch.equal(mixed, exact)
    torch.testing.assert_close(mixed, exact, rtol=2e-2, atol=2e-2)
