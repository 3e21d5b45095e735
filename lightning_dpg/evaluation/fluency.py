"""Fluency of an arm's replies, measured by what was not trained: the frozen model, and counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from lightning_dpg.data.collate import pad_rows
from lightning_dpg.data.prompts import encode_prompt, encode_reply
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.metrics.quality import distinct, loops
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.likelihood import reply_nll

BATCH = 16


def fluency(
    backbone: Backbone, requests: Sequence[Request], replies: Sequence[str], max_prompt_tokens: int
) -> dict[str, Any]:
    """How fluent replies are.

    Returns:
        `nll`: mean negative log-likelihood a token under the frozen model, in nats, after the same
        prompt for every arm (no scores in it); `distinct_1` to `distinct_3`; `loops`: share of
        replies that go round; `words`: mean length. None where there is nothing to count.
    """
    found: dict[str, Any] = {"nll": _frozen_nll(backbone, requests, replies, max_prompt_tokens)}
    for n in (1, 2, 3):
        value = distinct(replies, n)
        found[f"distinct_{n}"] = None if math.isnan(value) else value
    count = max(1, len(replies))
    found["loops"] = sum(map(loops, replies)) / count
    found["words"] = sum(len(reply.split()) for reply in replies) / count
    return found


@torch.inference_mode()
def _frozen_nll(
    backbone: Backbone, requests: Sequence[Request], replies: Sequence[str], max_prompt_tokens: int
) -> float | None:
    rows = []
    for request, reply in zip(requests, replies, strict=True):
        # Without the end of turn: replies that were cut have none.
        answer = encode_reply(backbone.tokenizer, reply, 10**6)[:-1]
        if answer:
            prompt = encode_prompt(
                backbone.tokenizer, request.context, max_tokens=max_prompt_tokens
            )
            rows.append((prompt, answer))
    rows.sort(key=lambda row: len(row[0]) + len(row[1]))
    total, tokens = 0.0, 0
    for start in range(0, len(rows), BATCH):
        chosen = rows[start : start + BATCH]
        ids, _, labels = pad_rows(chosen, int(backbone.tokenizer.pad_token_id))
        nll, count = reply_nll(backbone.model, ids.to(backbone.device), labels.to(backbone.device))
        total, tokens = total + float(nll.sum()), tokens + int(count.sum())
    return total / tokens if tokens else None
