"""Likelihoods of replies under the frozen model, on the tiny backbone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from lightning_dpg.data.prompts import Turn, encode_prompt
from lightning_dpg.evaluation.personas import drawn_personas
from lightning_dpg.evaluation.quality import likelihoods
from lightning_dpg.evaluation.quality.answers import Answer
from lightning_dpg.evaluation.quality.likelihoods import OPENERS, reply_nats, without_context
from lightning_dpg.models.backbone import Backbone

WHO = drawn_personas(1, 0)[0]
ANSWERS = [
    Answer(WHO, (("Friend", "Hello."),), "I do not know."),
    Answer(WHO, (("Friend", "How was your day at the harbour?"),), "no no no"),
    Answer(WHO, (("Friend", "Why?"), ("Aunt", "Yes, why?")), ""),
    Answer(WHO, (("Aunt", "Why?"),), "It rained, and it rained."),
    Answer(replace(WHO, language="zh"), (("朋友", "为什么？"),), "我不知道。"),
]


@torch.no_grad()
def by_hand(backbone: Backbone, answer: Answer, context: tuple[Turn, ...]) -> float:
    """A reply alone: -log p of its tokens after the plain prompt."""
    language = answer.persona.language
    prompt = encode_prompt(backbone.tokenizer, context, language, max_tokens=96)
    reply = backbone.tokenizer(answer.reply, add_special_tokens=False)["input_ids"]
    logits = backbone.model(input_ids=torch.tensor([prompt + reply])).logits[0].double()
    chances = logits.log_softmax(-1)
    return -sum(float(chances[len(prompt) + i - 1, token]) for i, token in enumerate(reply))


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_nats_are_those_of_the_frozen_model_by_hand(
    backbone: Backbone, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likelihoods, "BATCH", batch)
    nats, tokens = reply_nats(backbone, ANSWERS, 96)
    expected = [by_hand(backbone, answer, answer.context) for answer in ANSWERS]
    assert nats == pytest.approx(expected, rel=1e-5)
    assert tokens.tolist() == [len(answer.reply.encode()) for answer in ANSWERS]
    assert nats[2] == 0 < min(nats[[0, 1, 3, 4]])
    again, _ = reply_nats(backbone, ANSWERS[::-1], 96)
    assert again[::-1] == pytest.approx(nats, rel=1e-5)


def test_without_context_all_hear_the_same_in_their_language(backbone: Backbone) -> None:
    alone = [without_context(answer) for answer in ANSWERS]
    assert [a.reply for a in alone] == [a.reply for a in ANSWERS]
    nats, _ = reply_nats(backbone, alone, 96)
    openers = [OPENERS["en"]] * 4 + [OPENERS["zh"]]
    expected = [by_hand(backbone, a, (o,)) for a, o in zip(ANSWERS, openers, strict=True)]
    assert nats == pytest.approx(expected, rel=1e-5)
    given, _ = reply_nats(backbone, ANSWERS, 96)
    assert np.abs(nats - given)[[0, 1, 3, 4]].min() > 1e-3


def test_a_long_context_is_cut_as_in_training(backbone: Backbone) -> None:
    long = ANSWERS[0].to((("Friend", "word " * 60 + "and then?"),))
    cut, _ = reply_nats(backbone, [long], 32)
    whole, _ = reply_nats(backbone, [long], 400)
    assert cut[0] != pytest.approx(whole[0], rel=1e-6)


def test_silence_alone_asks_the_model_nothing(
    make_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = make_backbone()
    monkeypatch.setattr(type(quiet.model), "get_decoder", None)
    for answers in ([ANSWERS[2]], []):
        nats, tokens = reply_nats(quiet, answers, 96)
        assert nats.tolist() == tokens.tolist() == [0.0] * len(answers)
