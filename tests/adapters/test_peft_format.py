"""Round trip: PEFT loads what is exported, and says to the last digit what the injection says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel
from torch import Tensor

from lightning_dpg.adapters.blend import blended, stacked
from lightning_dpg.adapters.parts import Blend
from lightning_dpg.adapters.peft_format import Dtype, padded_rank, write_adapter
from lightning_dpg.config import Config
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected
from lightning_dpg.models.lora import Adapters, LoRA
from lightning_dpg.models.module import PersonalityModule
from tests.adapters.conftest import ANNA, BEN, SOURCES, Train, single
from tests.adapters.vllm_rules import load_as_vllm
from tests.models.conftest import random_adapters

IDS = torch.arange(3, 23)[None]
BLEND = Blend("blend", (replace(ANNA, weight=0.75), replace(BEN, weight=-0.5)), strength=1.25)
KINDS = {"single": single(ANNA), "blend": BLEND, "strength": single(BEN, strength=0.5)}
CASES = [*((source, "blend") for source in SOURCES), ("imprint", "single"), ("linear", "strength")]


def injected_logits(module: PersonalityModule, adapters: Adapters | None) -> Tensor:
    model = module.backbone.model
    with torch.inference_mode(), injected(model, adapters):
        logits: Tensor = model(input_ids=IDS).logits
    return logits


def peft_logits(model: Any) -> Tensor:
    with torch.inference_mode():
        logits: Tensor = model(input_ids=IDS).logits
    return logits


def write(folder: Path, adapters: Adapters, dtype: Dtype = "float32") -> Path:
    write_adapter(folder, adapters, base="tiny", card="A card.\n", dtype=dtype)
    return folder


@pytest.mark.parametrize(("source", "kind"), CASES)
def test_peft_says_what_the_injected_model_says(
    train: Train, make_backbone: Callable[..., Backbone], tmp_path: Path, source: str, kind: str
) -> None:
    module = train(source)
    adapters = blended(module, [KINDS[kind]])
    expected = injected_logits(module, adapters)
    loaded = PeftModel.from_pretrained(make_backbone().model, write(tmp_path, adapters))
    assert torch.allclose(peft_logits(loaded), expected, atol=1e-5, rtol=1e-5)
    assert (expected - injected_logits(module, None)).abs().max() > 1e-2


def test_some_layers_alone_are_adapted(
    train: Train, config: Config, make_backbone: Callable[..., Backbone], tmp_path: Path
) -> None:
    config.lora.first_layer, config.lora.projections = 1, ["k", "o"]
    module = train("dial")
    adapters = blended(module, [BLEND])
    loaded = PeftModel.from_pretrained(make_backbone().model, write(tmp_path, adapters))
    expected = injected_logits(module, adapters)
    assert torch.allclose(peft_logits(loaded), expected, atol=1e-5, rtol=1e-5)
    adapted = {name.split(".lora_A")[0] for name, _ in loaded.named_modules() if "lora_A" in name}
    assert {name.removeprefix("base_model.model.") for name in adapted} == set(adapters)


def test_mixing_with_peft_agrees_with_blending(
    train: Train, make_backbone: Callable[..., Backbone], tmp_path: Path
) -> None:
    module, model = train("imprint"), None
    for name, part in (("anna", ANNA), ("ben", BEN)):
        folder = write(tmp_path / name, blended(module, [single(part)]))
        if model is None:
            model = PeftModel.from_pretrained(make_backbone().model, folder, adapter_name=name)
        else:
            model.load_adapter(folder, adapter_name=name)
    assert model is not None
    weights = [BLEND.strength * part.weight for part in BLEND.parts]
    model.add_weighted_adapter(["anna", "ben"], weights, "mixed", combination_type="cat")
    model.set_adapter("mixed")
    ours = injected_logits(module, blended(module, [BLEND]))
    assert torch.allclose(peft_logits(model), ours, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_vllm_takes_the_layout(train: Train, tmp_path: Path, dtype: Dtype) -> None:
    adapters = blended(train("imprint"), [BLEND])
    found = load_as_vllm(write(tmp_path, adapters, dtype), max_lora_rank=8)
    assert set(found) == set(adapters)
    for name, (a, b) in found.items():
        assert a.dtype == b.dtype == getattr(torch, dtype)
        close = 1e-6 if dtype == "float32" else 0.02
        delta = adapters[name].delta_weight()[0]
        assert torch.allclose(b.float() @ a.float(), delta, atol=close * float(delta.abs().max()))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"r": 32}, "max_lora_rank"),
        ({"r": 16}, "shapes"),
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "bias"),
    ],
)
def test_the_rules_of_vllm_can_be_broken(
    train: Train, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    folder = write(tmp_path, blended(train("linear"), [single(BEN)]))
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=reason):
        load_as_vllm(folder)


def test_the_scale_stands_in_b_and_the_config_is_plain(train: Train, tmp_path: Path) -> None:
    folder = write(tmp_path, blended(train("dial"), [single(BEN)]))
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["r"] == config["lora_alpha"] == 8
    assert config["target_modules"] == ["q_proj", "v_proj"]
    assert config["layers_to_transform"] == [0, 1]
    assert config["base_model_name_or_path"] == "tiny"
    assert set(config) <= set(LoraConfig().to_dict())


@pytest.mark.parametrize(("own", "rank"), [(1, 8), (8, 8), (9, 16), (257, 320), (512, 512)])
def test_ranks_grow_to_the_next_that_servers_take(
    backbone: Backbone, train: Train, own: int, rank: int
) -> None:
    del backbone
    adapters = random_adapters(train("linear").sites[:1], 1, rank=own)
    assert padded_rank(adapters) == rank


def test_a_rank_beyond_all_and_values_beyond_a_dtype_are_named(
    train: Train, tmp_path: Path
) -> None:
    sites = train("linear").sites
    with pytest.raises(UserError, match=r"rank 513, and servers take 512"):
        write(tmp_path, random_adapters(sites[:1], 1, rank=513))
    large = {name: LoRA(x.a, x.b, 1e6) for name, x in random_adapters(sites, 1).items()}
    with pytest.raises(UserError, match=r"q_proj holds values that float16 cannot .*float32"):
        write(tmp_path, large, "float16")
    write(tmp_path, large)


def test_a_file_with_many_samples_is_refused(train: Train, tmp_path: Path) -> None:
    two = {n: stacked([x, x]) for n, x in random_adapters(train("linear").sites, 1).items()}
    with pytest.raises(AssertionError, match="one sample"):
        write(tmp_path, two)
