"""Generating replies: a batch mixes personas, and each speaks through its own adapter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from lightning_dpg.config import EvaluationConfig
from lightning_dpg.data.prompts import Turn, encode_prompt
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.sampling import decoding
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected
from lightning_dpg.models.lora import Adapters, expand_adapters
from lightning_dpg.padding import pad_left
from lightning_dpg.progress import Advance
from lightning_dpg.records import Profile

STAGE = 14
"""Tokens between one look at which replies of a batch have ended and the next."""


@dataclass(frozen=True)
class Voice:
    """How an arm answers.

    Attributes:
        adapters: from profiles and descriptions to the adapters of a batch; None for the frozen
            model.
        stated: from the profile that is wanted to the one that a prompt states; None where prompts
            state none.
    """

    adapters: Callable[[Sequence[Profile], Sequence[str]], Adapters] | None = None
    stated: Callable[[Profile], Profile] | None = None


@dataclass(frozen=True)
class Request:
    """A reply that is wanted.

    Attributes:
        profile: who answers.
        description: of the character, possibly empty.
        context: the turns to answer, oldest first.
    """

    profile: Profile
    description: str
    context: tuple[Turn, ...]


def ask_personas(personas: Sequence[Persona], questions: Sequence[Sequence[Turn]]) -> list[Request]:
    """To each persona its questions, persona by persona."""
    return [
        Request(persona.target, persona.description, (question,))
        for persona, own in zip(personas, questions, strict=True)
        for question in own
    ]


def by_persona(replies: Sequence[str], count: int) -> list[list[str]]:
    """The answers to what `ask_personas` asked, `count` to each persona."""
    return [list(replies[i : i + count]) for i in range(0, len(replies), count)]


def generate_replies(
    backbone: Backbone,
    requests: Sequence[Request],
    config: EvaluationConfig,
    *,
    voice: Voice,
    max_prompt_tokens: int,
    seed: int,
    advance: Advance | None = None,
) -> list[str]:
    """A reply to each request, in order, sampled from a fixed seed.

    Args:
        backbone: frozen model, with hooks installed where the voice has adapters.
        requests: what to answer.
        config: decoding, and the largest batch.
        voice: makes the adapters of a batch, and states profiles.
        max_prompt_tokens: bound on the turns before a reply, as in training.
        seed: of the sampling; the caller's random state is left as it was.
        advance: told how many replies came.
    """
    replies: list[str] = []
    devices = [backbone.device] if backbone.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        # Of even size: a small batch at the end takes nearly as long as a full one.
        batches = math.ceil(len(requests) / config.batch_size)
        size = math.ceil(len(requests) / max(1, batches))
        for start in range(0, len(requests), max(1, size)):
            chosen = requests[start : start + size]
            torch.manual_seed(seed + start)
            replies += _generate_batch(backbone, chosen, config, voice, max_prompt_tokens)
            if advance:
                advance(len(chosen))
    return replies


@torch.inference_mode()
def _generate_batch(
    backbone: Backbone,
    requests: Sequence[Request],
    config: EvaluationConfig,
    voice: Voice,
    max_prompt_tokens: int,
) -> list[str]:
    tokenizer: Any = backbone.tokenizer
    model: Any = backbone.model
    prompts = [
        encode_prompt(
            tokenizer,
            r.context,
            profile=voice.stated(r.profile).scores if voice.stated else None,
            max_tokens=max_prompt_tokens,
        )
        for r in requests
    ]
    shared = _shared_opening(prompts)
    rest = [prompt[len(shared) :] for prompt in prompts]
    ids, mask = pad_left(rest, int(tokenizer.pad_token_id), backbone.device)
    ids = torch.cat([ids.new_tensor(shared).expand(len(ids), -1), ids], dim=1)
    mask = functional.pad(mask, (len(shared), 0), value=1)
    adapters, cache = None, None
    if voice.adapters:
        adapters = voice.adapters([r.profile for r in requests], [r.description for r in requests])
    if shared:
        cache = _read_opening(model, ids[:, : len(shared)], adapters, requests)
    options = decoding(config) | {"pad_token_id": tokenizer.pad_token_id}
    replies = _decode(model, ids, mask, adapters, options, cache)
    texts = tokenizer.batch_decode(replies, skip_special_tokens=True)
    return [" ".join(text.split()) for text in texts]


def _shared_opening(prompts: Sequence[list[int]]) -> list[int]:
    """What all prompts begin with, as long as something is left of each."""
    columns = zip(*(prompt[:-1] for prompt in prompts), strict=False)
    return [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]


def _read_opening(
    model: Any, opening: Tensor, adapters: Adapters | None, requests: Sequence[Request]
) -> Any:
    """Keys and values of an opening that all prompts share, (batch, tokens).

    It is read once for each persona of the batch, who has several questions to answer: a third of
    what there is to read.
    """
    personas = {(r.profile, r.description): i for i, r in enumerate(requests)}
    chosen = torch.tensor(list(personas.values()), device=opening.device)
    index = {persona: i for i, persona in enumerate(personas)}
    of = [index[r.profile, r.description] for r in requests]
    with injected(model, adapters and expand_adapters(adapters, chosen)):
        cache = model(input_ids=opening[chosen], use_cache=True, logits_to_keep=1).cache
    cache.batch_select_indices(torch.tensor(of, device=opening.device))
    return cache


def _decode(
    model: Any,
    ids: Tensor,
    mask: Tensor,
    adapters: Adapters | None,
    options: dict[str, Any],
    cache: Any = None,
) -> list[list[int]]:
    """The tokens of each reply, what ends it and padding included.

    A batch takes as long as its longest reply, so it is decoded in stages: after each, the replies
    that have ended leave it.

    Args:
        model: with hooks installed where there are adapters.
        ids: (batch, tokens), prompts padded on the left, or after what they share.
        mask: (batch, tokens).
        adapters: for each of the batch; None for the frozen model.
        options: for `generate`.
        cache: keys and values of the first tokens, where they were read already.
    """
    prompt, left = ids.shape[1], options["max_new_tokens"]
    end = model.generation_config.eos_token_id  # one, several or none
    ends = torch.tensor([] if end is None else end, dtype=torch.long, device=ids.device)
    going = torch.arange(len(ids), device=ids.device)
    replies: list[list[int]] = [[] for _ in range(len(ids))]
    while left > 0 and len(going):
        with injected(model, adapters):
            output = model.generate(
                input_ids=ids,
                attention_mask=mask,
                cache=cache,
                return_dict_in_generate=True,
                **options | {"max_new_tokens": min(STAGE, left)},
            )
        ids, cache, left = output.sequences, output.cache, left - STAGE
        for row, tokens in zip(going.tolist(), ids[:, prompt:].tolist(), strict=True):
            replies[row] = tokens
        keep = (~torch.isin(ids[:, prompt:], ends).any(-1)).nonzero()[:, 0]
        mask = functional.pad(mask, (0, ids.shape[1] - mask.shape[1]), value=1)
        if left > 0 and len(keep) < len(going):
            going, ids, mask = going[keep], ids[keep], mask[keep]
            cache.batch_select_indices(keep)
            adapters = adapters and expand_adapters(adapters, keep)
    return replies
