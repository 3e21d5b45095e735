"""Sampling a token among the likeliest, without a draw for every word of the vocabulary."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from lightning_dpg.config import EvaluationConfig
from lightning_dpg.errors import UserError

COLDEST = 1e-6
"""A lower temperature is none: always the likeliest token."""


class Bounded(LogitsProcessor):
    """Lets scores pass that are numbers: there is nothing to draw from others."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """scores: (batch, vocabulary); -inf is a token that is ruled out."""
        del input_ids
        if not scores.amax(-1).isfinite().all():
            raise UserError(
                "The model cannot compute with adapters this strong: lower the strength"
            )
        return scores


class TopKSampler(LogitsProcessor):
    """Draws the next token among the k likeliest and leaves it as the only one.

    Decoding then goes on greedily. Sampling as transformers does it draws a number for each of
    49,152 words and row, and its ban on repeated runs walks through every row in Python and copies
    the scores: together a third of the time of decoding 192 replies on two cores.

    Args:
        k: tokens to choose among.
        temperature: above 0.
        top_p: of the k, keep the likeliest that together reach this probability.
        no_repeat_ngram: a run of so many tokens never comes twice; 0 allows all.
    """

    def __init__(
        self, k: int, temperature: float, top_p: float = 1.0, no_repeat_ngram: int = 0
    ) -> None:
        self.k, self.temperature, self.top_p = k, temperature, top_p
        self.no_repeat_ngram = no_repeat_ngram

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """scores: (batch, vocabulary) in float32, written over: 0 at one token, -inf elsewhere."""
        if 0 < self.no_repeat_ngram <= input_ids.shape[1]:
            ban_repeated(scores, input_ids, self.no_repeat_ngram)
        top, tokens = scores.topk(min(self.k, scores.shape[-1]), dim=-1)  # sorted, likeliest first
        chances = (top / self.temperature).softmax(-1)
        before = chances.cumsum(-1) - chances
        chances = chances.masked_fill(before >= self.top_p, 0.0)
        chosen = tokens.gather(-1, torch.multinomial(chances, 1))
        # In place: a second matrix of that size comes from the system page by page.
        return scores.fill_(-torch.inf).scatter_(-1, chosen, 0.0)


def ban_repeated(scores: Tensor, input_ids: Tensor, size: int) -> None:
    """Set to -inf, in place, what would complete a run of `size` tokens that is there already.

    Args:
        scores: (batch, vocabulary).
        input_ids: (batch, tokens), at least `size` tokens.
        size: of the runs, at least 1.
    """
    runs = input_ids.unfold(1, size, 1)  # (batch, tokens - size + 1, size)
    last = input_ids[:, None, input_ids.shape[1] - size + 1 :]
    repeated = (runs[..., :-1] == last).all(-1)
    penalty = torch.zeros_like(repeated, dtype=scores.dtype).masked_fill(repeated, -torch.inf)
    scores.scatter_add_(1, runs[..., -1], penalty)


def decoding(config: EvaluationConfig) -> dict[str, Any]:
    """What to hand to `generate` so that it decodes as these settings say."""
    options: dict[str, Any] = {
        "do_sample": False,
        "repetition_penalty": config.repetition_penalty,
        "no_repeat_ngram_size": config.no_repeat_ngram,
        "max_new_tokens": config.max_new_tokens,
        "logits_processor": [Bounded()],
    }
    if config.temperature < COLDEST:
        return options
    if config.top_k > 0:
        sampler = TopKSampler(
            config.top_k, config.temperature, config.top_p, config.no_repeat_ngram
        )
        return options | {"logits_processor": [Bounded(), sampler], "no_repeat_ngram_size": 0}
    return options | {
        "do_sample": True,
        "temperature": config.temperature,
        "top_k": 0,
        "top_p": config.top_p,
    }
