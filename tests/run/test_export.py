"""From a checkpoint to folders: what is in them, where they go, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from peft import PeftModel

from lightning_dpg.adapters.blend import blended
from lightning_dpg.adapters.parts import Blend
from lightning_dpg.config import BackboneConfig
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.run import export as exporting
from lightning_dpg.run.export import base_name, export
from tests.adapters.conftest import ANNA, BEN, Train, make_module, save_checkpoint, single, train
from tests.adapters.vllm_rules import load_as_vllm

__all__ = ["make_module", "train"]

IDS = torch.arange(3, 19)[None]
PAIR = Blend("Pair", (replace(ANNA, weight=0.5), replace(BEN, weight=0.5)), 0.8)
FILES = {"adapter_config.json", "adapter_model.safetensors", "README.md"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("lightning_dpg.adapters.cache.CACHE", tmp_path / "package")
    return tmp_path / "package" / "adapters"


@pytest.fixture
def module(train: Train) -> PersonalityModule:
    return train("imprint")


@pytest.fixture
def checkpoint(module: PersonalityModule, tmp_path: Path) -> Path:
    return save_checkpoint(module, tmp_path / "model.ckpt")


def test_a_checkpoint_becomes_adapters_that_peft_and_vllm_load(
    module: PersonalityModule,
    checkpoint: Path,
    make_backbone: Callable[..., Backbone],
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blends = [PAIR, single(BEN, "Ben the 2nd")]
    folders = export(checkpoint, blends, tmp_path / "out")
    assert folders == [tmp_path / "out" / "Pair", tmp_path / "out" / "Ben-the-2nd"]
    model = module.backbone.model
    for blend, folder in zip(blends, folders, strict=True):
        assert {path.name for path in folder.iterdir()} == FILES
        assert len(load_as_vllm(folder, 8)) == len(module.sites)
        with torch.inference_mode(), injected(model, blended(module, [blend])):
            expected = model(input_ids=IDS).logits
        loaded = PeftModel.from_pretrained(make_backbone().model, folder)
        with torch.inference_mode():
            assert torch.allclose(loaded(input_ids=IDS).logits, expected, atol=1e-5, rtol=1e-5)
    card = ModelCard.load(folders[0] / "README.md")
    assert card.data.to_dict()["base_model"] == "tiny-random-llama"
    assert hashlib.sha256(checkpoint.read_bytes()).hexdigest() in card.text
    assert "fitted to measured scores" in card.text and "not fitted" not in card.text
    assert "Answer in character" in card.text and "openness +" not in card.text
    assert len(list(cache.iterdir())) == 2  # Anna and Ben, who speaks twice

    monkeypatch.setattr(PersonalityModule, "adapters_for", lambda *_: pytest.fail("ran"))
    (alone,) = export(checkpoint, [PAIR], tmp_path / "alone")
    for name in FILES:
        assert (alone / name).read_bytes() == (folders[0] / name).read_bytes()


def test_lora_sft_tells_the_scores_in_its_prompt(train: Train, tmp_path: Path) -> None:
    module = train("static", scores_in_prompt=True)
    assert module.identity is not None
    module.identity = replace(module.identity, arm="lora_sft")
    module.dial.offset.zero_()
    checkpoint = save_checkpoint(module, tmp_path / "sft.ckpt")
    (folder,) = export(checkpoint, [single(BEN, "Ben")], tmp_path / "ben", base="me/my-base")
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "openness -3, conscientiousness +5" in text and "The prompt states the scores" in text
    assert "| dial | not fitted |" in text
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "me/my-base"


def test_what_stands_in_the_way_is_found_before_anything_is_loaded(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    export(checkpoint, [single(ANNA)], out)
    before = (out / "README.md").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "load_trained", lambda *_: pytest.fail("was loaded"))
        with pytest.raises(UserError, match=r"holds an adapter: give --force"):
            export(checkpoint, [single(BEN)], out)
        with pytest.raises(UserError, match="would share the folder"):
            export(checkpoint, [single(ANNA, "a b"), single(BEN, "A/B")], tmp_path / "new")
        with pytest.raises(UserError, match="not overwritten"):
            export(checkpoint, [single(ANNA)], tmp_path, overwrite=True)
    assert (out / "README.md").read_bytes() == before
    export(checkpoint, [single(BEN)], out, overwrite=True)
    assert (out / "README.md").read_bytes() != before and len(list(out.iterdir())) == 3


def test_an_export_that_fails_leaves_no_folder(checkpoint: Path, tmp_path: Path) -> None:
    strong = single(ANNA, strength=1e9)
    with pytest.raises(UserError, match="float16 cannot"):
        export(checkpoint, [strong], tmp_path / "out", dtype="float16")
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="no checkpoint"):
        export(tmp_path / "none.ckpt", [single(ANNA)], tmp_path / "out")


def test_bases_are_named_as_the_hub_names_them() -> None:
    assert base_name(BackboneConfig()) == "HuggingFaceTB/SmolLM2-135M-Instruct"
    hub = BackboneConfig(source="hub", name="meta-llama/Llama-2-7b-chat-hf")
    assert base_name(hub) == "meta-llama/Llama-2-7b-chat-hf"
