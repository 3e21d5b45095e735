"""Which checkpoint of a run speaks, and that each kind does, in the language of what is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.adapters.parts import Blend, Part
from lightning_dpg.data.prompts import encode_prompt
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation import replies
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.records import Profile
from lightning_dpg.run.loading import checkpoint_of
from lightning_dpg.run.reply import generate
from lightning_dpg.training import MODEL
from tests.models.conftest import Batches, make_module, samples, stir, trainer

__all__ = ["make_module", "samples"]

PROFILE, OPPOSITE = Profile((4.0, -2.0, 3.0, 0.0, -4.0)), Profile((-4.0, 2.0, -3.0, 0.0, 4.0))
GREEDY = {"temperature": 0.0, "max_new_tokens": 8}


def alone(profile: Profile) -> Blend:
    return Blend("", (Part(profile),))


def test_dpg_speaks_before_the_linear_map_and_that_before_lora_sft(tmp_path: Path) -> None:
    assert checkpoint_of(tmp_path) == tmp_path / "dpg" / MODEL  # which the error then names
    for arm in ("lora_sft_contrast", "lora_sft", "linear", "dpg"):
        (tmp_path / arm).mkdir()
        (tmp_path / arm / MODEL).touch()
        expected = "dpg" if arm == "lora_sft_contrast" else arm
        assert checkpoint_of(tmp_path) == tmp_path / expected / MODEL


@pytest.fixture
def make_checkpoint(
    make_module: Any, make_backbone: Callable[..., Backbone], samples: list[Sample], tmp_path: Path
) -> Callable[[str, str, bool], Path]:
    def make(arm: str, source: str, scores_in_prompt: bool) -> Path:
        module = make_module(source, on=make_backbone(), scores_in_prompt=scores_in_prompt)
        module.identity = replace(module.identity, arm=arm)
        stir(module)
        run = trainer(1)
        run.fit(module, Batches(module, samples[:3]))
        run.save_checkpoint(tmp_path / MODEL, weights_only=True)
        return tmp_path / MODEL

    return make


@pytest.mark.parametrize(
    ("arm", "source", "scores_in_prompt"),
    [("dpg", "hypernetwork", False), ("linear", "linear", False), ("lora_sft", "static", True)],
)
def test_each_kind_of_checkpoint_speaks(
    make_checkpoint: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    arm: str,
    source: str,
    scores_in_prompt: bool,
) -> None:
    path = make_checkpoint(arm, source, scores_in_prompt)
    seen: list[str] = []

    def listen(tokenizer: Any, *rest: Any, **more: Any) -> list[int]:
        ids = encode_prompt(tokenizer, *rest, **more)
        seen.append(tokenizer.decode(ids))
        return ids

    monkeypatch.setattr(replies, "encode_prompt", listen)
    long = "Who goes there? " * 20
    own, other = generate(path, [alone(PROFILE), alone(OPPOSITE)], long, 0, GREEDY)
    if source != "static":  # adapters move the tiny model, words of a prompt may not
        assert own != other
    assert long.strip() in seen[0]  # not cut as prompts of training are
    assert ("openness +4" in seen[0]) == scores_in_prompt
    generate(path, [alone(PROFILE)], "你是谁？", 0, GREEDY)
    assert "请以角色的口吻" in seen[-1] and "Answer in character" in seen[0]
