"""Sampling among the likeliest tokens."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import NoRepeatNGramLogitsProcessor

from lightning_dpg.config import EvaluationConfig
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.sampling import Bounded, TopKSampler, ban_repeated, decoding

SCORES = torch.tensor([2.0, 0.0, 1.0, -1.0, 3.0])


def drawn(sampler: TopKSampler, times: int = 4000) -> torch.Tensor:
    """How often each token is drawn."""
    torch.manual_seed(0)
    chosen = sampler(torch.empty(times, 0), SCORES.repeat(times, 1)).argmax(-1)
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
    [
        ({"temperature": 0.0}, "greedy"),
        ({"temperature": 1e-40}, "greedy"),
        ({"temperature": 1e-40, "top_k": 0}, "greedy"),
        ({"top_k": 0}, "transformers"),
        ({}, "own"),
    ],
)
def test_settings_choose_the_way_of_decoding(settings: dict[str, Any], kind: str) -> None:
    options = decoding(EvaluationConfig(**settings))
    assert options["do_sample"] == (kind == "transformers")
    bound, *others = options["logits_processor"]
    assert isinstance(bound, Bounded) and len(others) == (kind == "own")
    size = EvaluationConfig().no_repeat_ngram
    assert options["no_repeat_ngram_size"] == (0 if kind == "own" else size)
    if kind == "own":
        assert others[0].no_repeat_ngram == size


@pytest.mark.parametrize("wrong", [torch.inf, torch.nan])
def test_a_row_without_numbers_is_an_error(wrong: float) -> None:
    ids, scores = torch.zeros(2, 1, dtype=torch.long), torch.zeros(2, 4)
    scores[0, :3] = -torch.inf  # ruled out, which is none
    assert Bounded()(ids, scores) is scores
    scores[1, 2] = wrong
    with pytest.raises(UserError, match="lower the strength"):
        Bounded()(ids, scores)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_repeated_runs_are_banned_as_transformers_bans_them(size: int) -> None:
    ids = torch.randint(0, 3, (40, 12), generator=torch.Generator().manual_seed(size))
    scores = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    expected = NoRepeatNGramLogitsProcessor(size)(ids, scores)
    got = scores.clone()
    ban_repeated(got, ids, size)
    assert torch.equal(got, expected)
    assert got.isinf().any() and not got.isinf().all()


def test_the_sampler_never_draws_what_would_repeat() -> None:
    ids = torch.tensor([[4, 2, 4, 2, 4]] * 200)  # 2 would make "4 2" a third time
    torch.manual_seed(0)
    free = TopKSampler(5, 1.0)(ids, SCORES.repeat(200, 1)).argmax(-1)
    kept = TopKSampler(5, 1.0, no_repeat_ngram=2)(ids, SCORES.repeat(200, 1)).argmax(-1)
    assert (free == 2).any() and not (kept == 2).any()
    short = TopKSampler(5, 1.0, no_repeat_ngram=9)(ids, SCORES.repeat(200, 1))
    assert (short == 0).sum() == 200
