"""How a scene is put to a chat model, in training and at evaluation alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lightning_dpg.records import TRAITS, is_given

VERSION = "prompt-1"

INSTRUCTION = {
    "en": "Answer in character, in a few spoken sentences.",
    "zh": "请以角色的口吻，用几句口语回答。",
}
SCORES = {
    "en": "Your personality on the Big Five, from -5 to 5: {scores}.",
    "zh": "你的大五人格分数（-5到5）：{scores}。",
}
TRAIT_NAMES = {
    "en": TRAITS,
    "zh": ("开放性", "尽责性", "外向性", "宜人性", "神经质"),
}
DESCRIPTION = {
    "en": "You are this person: {description}",
    "zh": "你是这样一个人：{description}",
}
DESCRIPTION_TOKENS = 160
"""What a prompt tells of a description at most: as much as the hypernetwork reads of it."""
SHOT_TOKENS = 48
"""Bound on the turns before the reply in each exchange that a few-shot prompt shows."""

Turn = tuple[str, str]
"""Name of the speaker and what is said."""
Exchange = tuple[tuple[Turn, ...], str]
"""The turns before a reply, oldest first, and the reply."""
Message = tuple[str, str]
"""Role of a chat (`system`, `user`, `assistant`) and what stands there."""


def chat_messages(
    context: Sequence[Turn],
    language: str = "en",
    profile: Sequence[float] | None = None,
    description: str = "",
    shots: Sequence[Exchange] = (),
) -> list[Message]:
    """What is said to a chat model before a reply: by every arm in the same words.

    Args:
        context: the turns before the reply, oldest first.
        language: of the instruction; English for those that have none of their own.
        profile: five scores to state, in [-5, 5], or None to leave them out.
        description: who is to speak; empty to leave it out.
        shots: exchanges to show before, as earlier turns of the chat.
    """
    language = language if language in INSTRUCTION else "en"
    system = [INSTRUCTION[language]]
    if profile is not None:
        named = zip(TRAIT_NAMES[language], profile, strict=True)
        scores = ", ".join(f"{name} {score:+.0f}" for name, score in named)
        system.append(SCORES[language].format(scores=scores))
    if is_given(description):
        told = " ".join(description.split())
        system.append(DESCRIPTION[language].format(description=told))
    messages = [("system", " ".join(system))]
    for before, reply in shots:
        messages += [("user", _said(before)), ("assistant", reply)]
    return [*messages, ("user", _said(context))]


def render_prompt(
    tokenizer: Any,
    context: Sequence[Turn],
    language: str = "en",
    profile: Sequence[float] | None = None,
    *,
    description: str = "",
    shots: Sequence[Exchange] = (),
) -> str:
    """The text before a reply, ending where the reply begins.

    Args:
        tokenizer: a tokenizer with a chat template.
        context: the turns before the reply, oldest first.
        language: of the instruction; English for those that have none of their own.
        profile: five scores to state in the prompt, or None to leave them out.
        description: who is to speak; empty to leave it out.
        shots: exchanges to show before, as earlier turns of the chat.
    """
    said = chat_messages(context, language, profile, description, shots)
    messages = [{"role": role, "content": text} for role, text in said]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return str(text)


def encode_prompt(
    tokenizer: Any,
    context: Sequence[Turn],
    language: str = "en",
    profile: Sequence[float] | None = None,
    max_tokens: int = 96,
    *,
    description: str = "",
    shots: Sequence[Exchange] = (),
) -> list[int]:
    """Token ids of the prompt; what does not fit is cut from the oldest words of the context.

    `max_tokens` bounds the turns alone, so that instruction and scores are never cut; descriptions
    and exchanges have bounds of their own, `DESCRIPTION_TOKENS` and `SHOT_TOKENS`.
    """
    text = render_prompt(
        tokenizer,
        fit_context(tokenizer, context, max_tokens),
        language,
        profile,
        description=fit_description(tokenizer, description),
        shots=fit_shots(tokenizer, shots),
    )
    return _ids(tokenizer, text)


def fit_context(tokenizer: Any, context: Sequence[Turn], max_tokens: int) -> list[Turn]:
    """The last turns that fit into so many tokens; of one that alone is too long, its end."""
    turns = list(context)
    while len(turns) > 1 and _length(tokenizer, turns) > max_tokens:
        turns = turns[1:]
    if turns and _length(tokenizer, turns) > max_tokens:
        name, text = turns[0]
        room = max(1, max_tokens - _length(tokenizer, [(name, "")]))
        turns = [(name, "... " + tokenizer.decode(_ids(tokenizer, text)[-room:]).strip())]
    return turns


def fit_description(tokenizer: Any, description: str) -> str:
    """A description, or as much of its beginning as prompts tell."""
    ids = _ids(tokenizer, description) if is_given(description) else []
    if len(ids) <= DESCRIPTION_TOKENS:
        return description
    return str(tokenizer.decode(ids[:DESCRIPTION_TOKENS]).strip()) + " ..."


def fit_shots(tokenizer: Any, shots: Sequence[Exchange]) -> list[Exchange]:
    """Exchanges with their turns cut to `SHOT_TOKENS`; replies stay whole."""
    return [(tuple(fit_context(tokenizer, before, SHOT_TOKENS)), reply) for before, reply in shots]


def encode_reply(tokenizer: Any, reply: str, max_tokens: int) -> list[int]:
    """Token ids of a reply with the end of turn; one that is cut has no end of turn."""
    ids = [*_ids(tokenizer, reply), tokenizer.eos_token_id]
    return ids[:max_tokens]


def _said(turns: Sequence[Turn]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in turns)


def _length(tokenizer: Any, turns: Sequence[Turn]) -> int:
    return len(_ids(tokenizer, _said(turns)))


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
