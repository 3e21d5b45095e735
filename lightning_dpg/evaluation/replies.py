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
from lightning_dpg.data.prompts import Exchange, Turn, encode_prompt
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
class Request:
    """A reply that is wanted.

    Attributes:
        profile: who answers.
        description: of the character, possibly empty.
        context: the turns to answer, oldest first.
        language: two-letter code of what is heard and answered.
    """

    profile: Profile
    description: str
    context: tuple[Turn, ...]
    language: str = "en"


@dataclass(frozen=True)
class Brief:
    """What a prompt tells about who is to answer; the arms differ in it.

    Attributes:
        scores: five scores in [-5, 5] to state; None to state none.
        description: of the character; empty to tell nothing.
        shots: exchanges to show.
    """

    scores: tuple[float, ...] | None = None
    description: str = ""
    shots: tuple[Exchange, ...] = ()


def say_nothing(request: Request) -> Brief:
    """The brief of an arm whose prompts tell nothing about who is to answer."""
    del request
    return Brief()


@dataclass(frozen=True)
class Voice:
    """How an arm that runs here answers.

    Attributes:
        adapters: from profiles and descriptions to the adapters of a batch; None for the frozen
            model.
        brief: from what is wanted to what its prompt tells.
    """

    adapters: Callable[[Sequence[Profile], Sequence[str]], Adapters] | None = None
    brief: Callable[[Request], Brief] = say_nothing


def ask_personas(
    personas: Sequence[Persona], questions: Sequence[Sequence[Turn]], language: str = "en"
) -> list[Request]:
    """To each persona its questions, persona by persona; all are asked in one language."""
    return [
        Request(persona.target, persona.description, (question,), language)
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
        voice: makes the adapters of a batch, and says what prompts tell.
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
    prompts = [prompt_ids(tokenizer, r, voice.brief(r), max_prompt_tokens) for r in requests]
    adapters = None
    if voice.adapters:
        adapters = voice.adapters([r.profile for r in requests], [r.description for r in requests])
    numbers: dict[Any, int] = {}
    personas = [(r.profile, r.description, r.language) for r in requests]
    of = [numbers.setdefault(persona, len(numbers)) for persona in personas]
    ids, mask, cache = _read_openings(backbone, prompts, of, adapters)
    options = decoding(config) | {"pad_token_id": tokenizer.pad_token_id}
    replies = _decode(backbone.model, ids, mask, adapters, options, cache)
    texts = tokenizer.batch_decode(replies, skip_special_tokens=True)
    return [" ".join(text.split()) for text in texts]


def prompt_ids(tokenizer: Any, request: Request, brief: Brief, max_tokens: int) -> list[int]:
    """The prompt of a request as token ids; turns are cut to `max_tokens`."""
    return encode_prompt(
        tokenizer,
        request.context,
        request.language,
        brief.scores,
        max_tokens,
        description=brief.description,
        shots=brief.shots,
    )


def _openings(prompts: Sequence[list[int]], of: Sequence[int]) -> list[list[int]]:
    """What all prompts of a persona begin with, as long as something is left of each.

    Who is to answer is told before the question, so that this is most of a prompt that tells much.
    A prompt that is its persona's only one begins no later than the others: nothing is shared.

    Args:
        prompts: token ids.
        of: whose each is, counted from 0.
    """
    groups: list[list[list[int]]] = [[] for _ in range(max(of) + 1)]
    for prompt, persona in zip(prompts, of, strict=True):
        groups[persona].append(prompt[:-1])
    openings = []
    for group in groups:
        columns = zip(*group, strict=False)
        same = takewhile(lambda column: len(set(column)) == 1, columns)
        openings.append([column[0] for column in same])
    pairs = zip(openings, groups, strict=True)
    longest = max((len(opening) for opening, group in pairs if len(group) > 1), default=0)
    return [opening[:longest] for opening in openings]


def _read_openings(
    backbone: Backbone, prompts: Sequence[list[int]], of: Sequence[int], adapters: Adapters | None
) -> tuple[Tensor, Tensor, Any]:
    """Prompts ready to be answered, what they begin with read once for each persona.

    Args:
        backbone: with hooks installed where there are adapters.
        prompts: token ids.
        of: whose each is, counted from 0; a persona has one adapter.
        adapters: for each of the prompts; None for the frozen model.

    Returns:
        Ids and mask, (prompts, tokens), padded before the opening and before the rest, and keys and
        values of the openings; None where nothing is shared.
    """
    pad, device, model = int(backbone.tokenizer.pad_token_id), backbone.device, backbone.model
    openings = _openings(prompts, of)
    rest = [prompt[len(openings[i]) :] for prompt, i in zip(prompts, of, strict=True)]
    ids, mask = pad_left(rest, pad, device)
    if not any(openings):
        return ids, mask, None
    first, known = pad_left(openings, pad, device)
    last = {persona: i for i, persona in enumerate(of)}  # one prompt of each
    chosen = torch.tensor([last[i] for i in range(len(openings))], device=device)
    options = {}
    if not known.all():  # a mask of ones would only cost the faster attention
        options = {"attention_mask": known, "position_ids": (known.cumsum(-1) - 1).clamp(min=0)}
    with injected(model, adapters and expand_adapters(adapters, chosen)):
        cache: Any = model(input_ids=first, use_cache=True, logits_to_keep=1, **options).cache
    who = torch.tensor(of, device=device)
    cache.batch_select_indices(who)
    return torch.cat([first[who], ids], dim=1), torch.cat([known[who], mask], dim=1), cache


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
        ids: (batch, tokens), prompts padded on the left, both what was read and the rest.
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
