"""One interface: what each arm's prompts tell, and that batches may mix everything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from lightning_dpg.config import Arm, Config
from lightning_dpg.data.prompts import encode_prompt
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation import replies
from lightning_dpg.evaluation.arms import ARMS, make_speaker, missing, voice_of
from lightning_dpg.evaluation.arms.few_shot import Examples
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.records import Profile
from tests.models.conftest import make_module, samples, stir

__all__ = ["make_module", "samples"]

PROFILE = Profile((4.0, -2.0, 3.0, 0.0, -4.0))
ASKED = Request(PROFILE, "A captain, blunt and quick.", (("Ben", "Who goes?"),))
HERE: list[Arm] = [arm for arm, spec in ARMS.items() if not spec.remote]


@pytest.fixture
def settings(config: Config) -> Config:
    config.evaluation.temperature, config.evaluation.max_new_tokens = 0.0, 6
    config.evaluation.no_repeat_ngram, config.evaluation.batch_size = 0, 8
    return config


def trained(arm: Arm, make_module: Any) -> Any:
    """The arm's module with adapters far from zero, and a dial that is turned."""
    source = ARMS[arm].source
    if source is None:
        return None
    module = make_module(source, scores_in_prompt=ARMS[arm].scores_in_prompt).eval()
    stir(module)
    module.dial.offset[0] = -1.0
    return module


def prompts_of(
    arm: Arm, settings: Config, backbone: Backbone, module: Any, samples: list[Sample], asked: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:  # fmt: skip
    """The texts that an arm puts to the model."""
    seen: list[str] = []

    def listen(tokenizer: Any, *rest: Any, **more: Any) -> list[int]:
        ids = encode_prompt(tokenizer, *rest, **more)
        seen.append(tokenizer.decode(ids))
        return ids

    monkeypatch.setattr(replies, "encode_prompt", listen)
    make_speaker(arm, settings, backbone, module, samples).speak(asked, 0)
    return seen


@pytest.mark.parametrize("arm", HERE)
def test_prompts_tell_what_the_arm_is_given(
    arm: Arm,
    settings: Config,
    backbone: Backbone,
    make_module: Any,
    samples: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec, module = ARMS[arm], trained(arm, make_module)
    chinese = replace(ASKED, language="zh")
    asked = [ASKED] if spec.shots else [ASKED, chinese]
    told = prompts_of(arm, settings, backbone, module, samples, asked, monkeypatch)
    stated = 3 if module else 4  # the dial turns what a trained arm's prompt states
    assert (f"openness +{stated}, conscientiousness -2" in told[0]) == spec.scores_in_prompt
    assert ("You are this person: A captain, blunt" in told[0]) == spec.description_in_prompt
    assert told[0].count("<|im_start|>assistant") == 1 + 3 * spec.shots
    assert told[0].endswith("user\nBen: Who goes?<|im_end|>\n<|im_start|>assistant\n")
    for text in told[1:]:
        assert ("开放性 +" in text) == spec.scores_in_prompt
        assert ("你是这样一个人：A captain" in text) == spec.description_in_prompt
        assert "请以角色的口吻" in text and "openness" not in text


def test_a_few_shot_prompt_shows_the_nearest_of_training(
    settings: Config, backbone: Backbone, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.evaluation.shots = 2
    (told,) = prompts_of("few_shot", settings, backbone, None, samples, [ASKED], monkeypatch)
    shown = Examples(samples, 2).nearest(PROFILE, "en")
    assert len(shown) == 2
    for (turn,), reply in shown:
        assert f"<|im_start|>assistant\n{reply}<|im_end|>" in told
        assert f"{turn[1][-20:]}<|im_end|>\n<|im_start|>assistant\n{reply}" in told


def test_few_shot_prompts_run_in_smaller_batches(
    settings: Config, backbone: Backbone, samples: list[Sample]
) -> None:
    told: list[int] = []
    make_speaker("few_shot", settings, backbone, None, samples).speak([ASKED] * 5, 0, told.append)
    assert told == [2, 2, 1]  # a quarter of 8: prompts are four times as long
    told.clear()
    make_speaker("prompted", settings, backbone).speak([ASKED] * 5, 0, told.append)
    assert told == [5]


@pytest.mark.parametrize("arm", HERE)
def test_a_mixed_batch_is_answered_as_each_request_alone(
    arm: Arm, settings: Config, backbone: Backbone, make_module: Any, samples: list[Sample]
) -> None:
    module = trained(arm, make_module)
    others = [
        replace(ASKED, profile=Profile((-4.0, 2.0, -3.0, 0.0, 4.0))),
        replace(ASKED, description=""),
        replace(ASKED, description="A cook.", context=(("Ben", "Hungry?"), ("Ann", "Always."))),
    ]
    speaker = make_speaker(arm, settings, backbone, module, samples)
    wanted = [ASKED, *others]
    together = speaker.speak(wanted, 0)
    assert together == [speaker.speak([request], 0)[0] for request in wanted]
    spec = ARMS[arm]
    # Words of a prompt may leave the tiny model cold; adapters do not, nor does what nobody hears.
    if not spec.scores_in_prompt:
        assert (together[0] != together[1]) == (spec.source in ("linear", "hypernetwork"))
    if not spec.description_in_prompt:
        assert (together[0] != together[2]) == (spec.source == "hypernetwork")


def test_the_seed_counts(settings: Config, backbone: Backbone) -> None:
    settings.evaluation.temperature, settings.evaluation.max_new_tokens = 1.0, 12
    speaker = make_speaker("unadapted", settings, backbone)
    first = speaker.speak([ASKED] * 3, 1)
    assert speaker.speak([ASKED] * 3, 1) == first != speaker.speak([ASKED] * 3, 2)


def test_an_arm_speaks_with_its_own_module_or_none(
    settings: Config, backbone: Backbone, make_module: Any
) -> None:
    for arm, module in (("dpg", None), ("prompted", make_module())):
        with pytest.raises(AssertionError, match="its own module, or none"):
            make_speaker(arm, settings, backbone, module)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="shows examples"):
        voice_of("few_shot", None)


def test_the_dial_turns_adapters_and_not_prompts_of_dpg(
    settings: Config, backbone: Backbone, make_module: Any
) -> None:
    module = trained("dpg", make_module)
    voice = voice_of("dpg", module)
    assert voice.adapters is not None
    got = voice.adapters([PROFILE], [""])
    expected = module(torch.tensor([[3.0, -2.0, 3.0, 0.0, -4.0]]), [""])
    for name, lora in expected.items():
        torch.testing.assert_close(got[name].b, lora.b.detach())


def test_who_can_speak(config: Config, samples: list[Sample]) -> None:
    for arm in HERE:
        assert missing(arm, config) is None
        assert missing(arm, config, samples, ["en"]) is None
    reason = missing("few_shot", config, samples, ["en", "zh"])
    assert reason is not None and "no reply of training in zh" in reason
    assert missing("prompted", config, samples, ["en", "zh"]) is None
