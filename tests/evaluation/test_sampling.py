"""Sampling among the likeliest tokens."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lightning_dpg.config import EvaluationConfig
from lightning_dpg.evaluation.sampling import TopKSampler, decoding

SCORES = torch.tensor([2.0, 0.0, 1.0, -1.0, 3.0])


def drawn(sampler: TopKSampler, times: int = 4000) -> torch.Tensor:
    """How often each token is drawn."""
    torch.manual_seed(0)
    chosen = sampler(torch.empty(times, 0), SCORES.expand(times, -1)).argmax(-1)
    return torch.bincount(chosen, minlength=5) / times


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_tokens_come_as_often_as_the_softmax_says(temperature: float) -> None:
    expected = (SCORES / temperature).softmax(0)
    assert drawn(TopKSampler(5, temperature)) == pytest.approx(expected, abs=0.025)


def test_only_the_k_likeliest_come() -> None:
    kept = torch.tensor([2.0, -torch.inf, 1.0, -torch.inf, 3.0]).softmax(0)
    assert drawn(TopKSampler(3, 1.0)) == pytest.approx(kept, abs=0.025)
    assert drawn(TopKSampler(99, 1.0))[3] > 0


def test_top_p_keeps_the_likeliest_that_reach_it() -> None:
    found = drawn(TopKSampler(5, 1.0, top_p=0.7))  # the best two have .63 and .23
    assert found[[1, 2, 3]].sum() == 0 and found[0] > 0.2
    assert drawn(TopKSampler(5, 1.0, top_p=0.1))[4] == 1  # at least one stays


def test_one_token_is_left() -> None:
    out = TopKSampler(3, 1.0)(torch.empty(2, 0), SCORES.repeat(2, 1))
    assert out.shape == (2, 5)
    assert (out == 0).sum(1).tolist() == [1, 1] and out.isinf().sum(1).tolist() == [4, 4]


@pytest.mark.parametrize(
    ("settings", "kind"),
    [({"temperature": 0.0}, "greedy"), ({"top_k": 0}, "transformers"), ({}, "own")],
)
def test_settings_choose_the_way_of_decoding(settings: dict[str, Any], kind: str) -> None:
    options = decoding(EvaluationConfig(**settings))
    assert options["do_sample"] == (kind == "transformers")
    assert ("logits_processor" in options) == (kind == "own")
    assert options["no_repeat_ngram_size"] == EvaluationConfig().no_repeat_ngram
