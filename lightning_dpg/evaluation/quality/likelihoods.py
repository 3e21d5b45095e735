"""How likely the frozen model finds replies: after what they answer, and after nothing said.

Fluency and coherency are read from it: see `metrics.likelihood`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import numpy as np
import torch

from lightning_dpg.data.collate import IGNORED, pad_rows
from lightning_dpg.data.prompts import Turn, encode_prompt, encode_reply
from lightning_dpg.evaluation.quality.answers import Answer
from lightning_dpg.evaluation.statistics import Floats
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.likelihood import by_reply, token_nll

BATCH = 16
OPENERS: dict[str, Turn] = {"en": ("Somebody", "Go on."), "zh": ("某人", "你说吧。")}
"""What stands in place of the context: an invitation to talk that says nothing. It is the same for
all, so that the whole prompt is read once. On SmolLM2 and 36 replies written by hand their own
questions then raise them by .55 nats a token, other questions by -.06; an empty turn (.53, -.08)
and `Tell me something.` (.50, -.11) tell the two apart about as well."""

Row = tuple[list[int], list[int]]
"""Tokens of a prompt and of the reply to it."""


def without_context(answer: Answer) -> Answer:
    """The same reply to somebody who has said nothing in particular."""
    return answer.to((OPENERS["zh" if answer.persona.language == "zh" else "en"],))


@torch.inference_mode()
def reply_nats(
    backbone: Backbone, answers: Sequence[Answer], max_prompt_tokens: int
) -> tuple[Floats, Floats]:
    """-log p of each reply under the frozen model, and its number of tokens; both (answers,).

    The prompt is the same for every arm: it states neither scores nor description. The end of the
    turn is not counted, since replies that were cut have none. Silence has 0 tokens and 0 nats.
    What all prompts begin with is read once; replies of like length share a batch.

    Args:
        backbone: without a scope of adapters.
        answers: replies with what they answer.
        max_prompt_tokens: bound on the turns before a reply, as in training.
    """
    rows = [_encoded(backbone.tokenizer, answer, max_prompt_tokens) for answer in answers]
    nats, tokens = np.zeros(len(rows)), np.array([len(reply) for _, reply in rows], dtype=float)
    spoken = [i for i, (_, reply) in enumerate(rows) if reply]
    spoken.sort(key=lambda i: len(rows[i][0]) + len(rows[i][1]))
    opening = _shared_opening([rows[i][0] for i in spoken])
    cache = _read(backbone, opening) if opening else None
    for start in range(0, len(spoken), BATCH):
        chosen = spoken[start : start + BATCH]
        rest = [(rows[i][0][len(opening) :], rows[i][1]) for i in chosen]
        nats[chosen] = _batch_nats(backbone, rest, cache)
    return nats, tokens


def _encoded(tokenizer: Any, answer: Answer, max_prompt_tokens: int) -> Row:
    prompt = encode_prompt(
        tokenizer, answer.context, answer.persona.language, max_tokens=max_prompt_tokens
    )
    return prompt, encode_reply(tokenizer, answer.reply, 10**6)[:-1]


def _shared_opening(prompts: Sequence[list[int]]) -> list[int]:
    """What all prompts begin with; the last token of each is left, to predict the reply's first."""
    columns = zip(*(prompt[:-1] for prompt in prompts), strict=False)
    return [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]


def _read(backbone: Backbone, opening: list[int]) -> Any:
    """Keys and values of an opening."""
    decoder: Any = backbone.model.get_decoder()
    return decoder(input_ids=torch.tensor([opening], device=backbone.device), use_cache=True).cache


def _batch_nats(backbone: Backbone, rows: Sequence[Row], opening: Any) -> Floats:
    """-log p of the replies of a batch, (rows,), after an opening that was read already, or None.

    Padding is on the right, where a causal model never looks, so no mask is needed.
    """
    model: Any = backbone.model
    ids, _, labels = (part.to(backbone.device) for part in pad_rows(rows, _pad(backbone)))
    cache = copy.deepcopy(opening)  # a forward pass writes into it
    if cache is not None:
        cache.batch_repeat_interleave(len(rows))
    hidden = model.get_decoder()(
        input_ids=ids, cache=cache, use_cache=cache is not None
    ).last_hidden_state
    targets = labels[:, 1:]
    inside = targets != IGNORED
    nll = token_nll(model.get_output_embeddings(), hidden[:, :-1][inside], targets[inside])
    nats: Floats = by_reply(nll, inside).double().cpu().numpy()
    return nats


def _pad(backbone: Backbone) -> int:
    return int(backbone.tokenizer.pad_token_id)
