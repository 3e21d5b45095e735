"""Fluency of replies under the frozen model, on the tiny backbone."""

from __future__ import annotations

import pytest
import torch

from lightning_dpg.data.prompts import encode_prompt
from lightning_dpg.evaluation.fluency import fluency
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.records import Profile

REQUESTS = [
    Request(Profile((float(i),) * 5), "", (("Friend", text),))
    for i, text in enumerate(("Hello.", "How was your day at the harbour?", "Why?"))
]
REPLIES = ["I do not know.", "no no no", "It rained, and it rained."]


@torch.no_grad()
def by_hand(backbone: Backbone) -> float:
    """Each reply alone: -log p of its tokens after the plain prompt, over all tokens."""
    total, count = 0.0, 0
    for request, reply in zip(REQUESTS, REPLIES, strict=True):
        prompt = encode_prompt(backbone.tokenizer, request.context, max_tokens=96)
        answer = backbone.tokenizer(reply, add_special_tokens=False)["input_ids"]
        logits = backbone.model(input_ids=torch.tensor([prompt + answer])).logits[0].double()
        chances = logits.log_softmax(-1)
        for i, token in enumerate(answer):
            total -= float(chances[len(prompt) + i - 1, token])
        count += len(answer)
    return total / count


def test_nll_is_that_of_the_frozen_model_by_hand(backbone: Backbone) -> None:
    found = fluency(backbone, REQUESTS, REPLIES, 96)
    assert found["nll"] == pytest.approx(by_hand(backbone), rel=1e-6)
    other = fluency(backbone, REQUESTS, REPLIES[::-1], 96)
    assert other["nll"] != pytest.approx(found["nll"], rel=1e-5)


def test_counts(backbone: Backbone) -> None:
    found = fluency(backbone, REQUESTS, REPLIES, 96)
    assert found["loops"] == pytest.approx(1 / 3)
    assert found["words"] == pytest.approx(12 / 3)
    assert 0 < found["distinct_1"] < found["distinct_3"] <= 1


def test_silence_has_no_likelihood(backbone: Backbone) -> None:
    found = fluency(backbone, REQUESTS, ["", "", ""], 96)
    assert found["nll"] is None and found["distinct_1"] is None
    assert (found["loops"], found["words"]) == (0, 0)
