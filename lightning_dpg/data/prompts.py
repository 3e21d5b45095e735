"""How a scene is put to a chat model, in training and at evaluation alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lightning_dpg.records import TRAITS

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

Turn = tuple[str, str]
"""Name of the speaker and what is said."""


def render_prompt(
    tokenizer: Any,
    context: Sequence[Turn],
    language: str = "en",
    profile: Sequence[float] | None = None,
) -> str:
    """The text before a reply, ending where the reply begins.

    Args:
        tokenizer: a tokenizer with a chat template.
        context: the turns before the reply, oldest first.
        language: of the instruction; English for those that have none of their own.
        profile: five scores to state in the prompt, or None to leave them out.
    """
    language = language if language in INSTRUCTION else "en"
    system = INSTRUCTION[language]
    if profile is not None:
        named = zip(TRAIT_NAMES[language], profile, strict=True)
        scores = ", ".join(f"{name} {score:+.0f}" for name, score in named)
        system = f"{system} {SCORES[language].format(scores=scores)}"
    said = "\n".join(f"{name}: {text}" for name, text in context)
    messages = [{"role": "system", "content": system}, {"role": "user", "content": said}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return str(text)


def encode_prompt(
    tokenizer: Any,
    context: Sequence[Turn],
    language: str = "en",
    profile: Sequence[float] | None = None,
    max_tokens: int = 96,
) -> list[int]:
    """Token ids of the prompt; what does not fit is cut from the oldest words of the context.

    `max_tokens` bounds the turns alone, so that instruction and scores are never cut.
    """
    turns = list(context)
    while len(turns) > 1 and _length(tokenizer, turns) > max_tokens:
        turns = turns[1:]
    if turns and _length(tokenizer, turns) > max_tokens:
        name, text = turns[0]
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        room = max(1, max_tokens - _length(tokenizer, [(name, "")]))
        turns = [(name, "... " + tokenizer.decode(ids[-room:]).strip())]
    text = render_prompt(tokenizer, turns, language, profile)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def encode_reply(tokenizer: Any, reply: str, max_tokens: int) -> list[int]:
    """Token ids of a reply with the end of turn; one that is cut has no end of turn."""
    ids = [*tokenizer(reply, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    return ids[:max_tokens]


def _length(tokenizer: Any, turns: Sequence[Turn]) -> int:
    text = "\n".join(f"{name}: {said}" for name, said in turns)
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])
