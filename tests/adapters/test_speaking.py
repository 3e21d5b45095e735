"""Blends in one batch answer as each alone, and prompts tell what their arm tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lightning_dpg.adapters.cache import AdapterCache
from lightning_dpg.adapters.parts import Blend
from lightning_dpg.adapters.speaking import speak_as
from lightning_dpg.config import Arm, Config
from lightning_dpg.data.prompts import encode_prompt
from lightning_dpg.evaluation import replies
from lightning_dpg.models.module import PersonalityModule
from tests.adapters.conftest import ANNA, BEN, CARLA, Train, single

PAIR = Blend("pair", (replace(ANNA, weight=0.6), replace(CARLA, weight=0.4)))
PROMPT = "Who goes there?"


@pytest.fixture
def greedy(config: Config) -> Config:
    config.evaluation.temperature, config.evaluation.max_new_tokens = 0.0, 16
    return config


def test_three_blends_answer_in_one_batch_as_alone(
    train: Train, greedy: Config, tmp_path: Any
) -> None:
    module = train("imprint")
    # The last two agree in all that a prompt could tell, and differ in strength alone.
    blends = [PAIR, single(BEN, "Ben"), single(BEN, "Ben", strength=-1.0)]
    cache = AdapterCache(tmp_path, 2**24)
    together = speak_as("dpg", greedy, module, blends, [PROMPT] * 3, 0, cache)
    alone = [speak_as("dpg", greedy, module, [blend], [PROMPT], 0)[0] for blend in blends]
    assert together == alone
    assert len(set(together)) == 3
    greedy.evaluation.batch_size = 2
    assert speak_as("dpg", greedy, module, blends, [PROMPT] * 3, 0, cache) == alone


def test_each_answers_its_own_prompt(train: Train, greedy: Config) -> None:
    module = train("dial")
    prompts = ["Good morning.", "What is in the box over there?"]
    both = speak_as("dpg", greedy, module, [single(ANNA)] * 2, prompts, 0)
    swapped = speak_as("dpg", greedy, module, [single(ANNA)] * 2, prompts[::-1], 0)
    assert both == swapped[::-1] and both[0] != both[1]
    with pytest.raises(ValueError, match="zip"):
        speak_as("dpg", greedy, module, [single(ANNA)], prompts, 0)


@pytest.mark.parametrize(
    ("arm", "source", "stated"), [("dpg", "dial", False), ("lora_sft", "static", True)]
)
def test_prompts_tell_what_their_arm_tells(
    train: Train,
    greedy: Config,
    monkeypatch: pytest.MonkeyPatch,
    arm: Arm,
    source: str,
    stated: bool,
) -> None:
    seen: list[str] = []

    def listen(tokenizer: Any, *rest: Any, **more: Any) -> list[int]:
        ids = encode_prompt(tokenizer, *rest, **more)
        seen.append(tokenizer.decode(ids))
        return ids

    monkeypatch.setattr(replies, "encode_prompt", listen)
    module: PersonalityModule = train(source, scores_in_prompt=stated)
    module.dial.offset.zero_()
    speak_as(arm, greedy, module, [PAIR, single(BEN)], [PROMPT, "你是谁？"], 0)
    # 0.6 of Anna's 4, -2, 3, 0, -4 and 0.4 of Carla's 0, 0, 0, 5, -1
    assert ("openness +2, conscientiousness -1" in seen[0]) == stated
    assert ("尽责性 +5" in seen[1]) == stated
    assert f"Someone: {PROMPT}" in seen[0] and "请以角色的口吻" in seen[1]
    assert "captain" not in seen[0]  # no trained arm's prompt tells a description
