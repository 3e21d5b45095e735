"""Prompts that ask for a Big Five rating, and the reading of their answers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from lightning_dpg.assessment.asking.prompt import Prompt, Unreadable
from lightning_dpg.assessment.rubric.answers import (
    answer_object,
    flag,
    in_range,
    plain,
    texts,
    with_names,
)
from lightning_dpg.assessment.rubric.quoting import block, digest, quoted
from lightning_dpg.assessment.rubric.wording import VERSION, Language, instructions, render
from lightning_dpg.records import HIGHEST, LOWEST, TRAITS

Kind = Literal["knowledge", "vanilla"]

_ALSO = (
    ("o", "openness_to_experience", "open_mindedness", "开放性", "经验开放性"),
    ("c", "conscientious", "尽责性", "责任心", "严谨性"),
    ("e", "extroversion", "外向性", "外倾性"),
    ("a", "agreeable", "宜人性", "随和性"),
    ("n", "神经质", "情绪不稳定性"),
)
NAMES = {name: trait for trait, also in zip(TRAITS, _ALSO, strict=True) for name in (trait, *also)}
"""What models call the traits, to the trait. Emotional stability is none: its poles are turned."""
FIELDS = {
    name: field
    for field, also in {
        "evidence": ("quotes", "证据"),
        "facets": ("facet", "层面"),
        "insufficient_evidence": ("insufficient", "证据不足"),
        "score": ("rating", "分数", "得分", "评分"),
        "confidence": ("把握", "置信度"),
    }.items()
    for name in (field, *also)
}
SHAPE = f"one JSON object with the keys {', '.join(TRAITS)}"


def rating_prompts(
    passages: Sequence[str],
    context: str = "",
    *,
    kind: Kind,
    language: Language,
    repeats: int = 1,
    target: str = "",
) -> list[Prompt]:
    """The questions about one person, one a repeat, each with the traits in another order.

    The order is changed where traits are asked for and answered, since what a model has scored
    first colours what follows; the instructions stay the same, so that servers can cache them.

    Args:
        passages: what the person says; names are replaced already.
        context: what was said before, names replaced.
        kind: with psychological knowledge or without.
        language: of the instructions.
        repeats: how many questions.
        target: the label that stands for the person's own name, where one was replaced.
    """
    lines = [f"context: {quoted(context)}"] if context else []
    lines += [f"{i}: {quoted(passage)}" for i, passage in enumerate(passages, start=1)]
    values = {"block": block(lines), "context": bool(context), "target": target}
    read = partial(read_rating, material="\n".join((context, *passages)))
    prompts = []
    for repeat in range(repeats):
        order = trait_order(digest(lines), repeat)
        question = render("rating", language, order=order, **values)
        prompts.append(
            Prompt(
                messages=(("system", instructions(kind, language)), ("user", question)),
                schema=schema(order, kind),
                name="big_five_rating",
                version=f"{kind}-{language}-{VERSION}",
                read=read,
                sample=repeat,
            )
        )
    return prompts


def trait_order(code: str, repeat: int) -> tuple[str, ...]:
    """The traits in the order of a repeat: the usual one first, then by hash of the text."""
    if not repeat:
        return TRAITS
    return tuple(
        sorted(TRAITS, key=lambda t: hashlib.sha256(f"{code}/{repeat}/{t}".encode()).digest())
    )


def schema(order: Sequence[str], kind: Kind) -> dict[str, Any]:
    """The JSON schema of an answer, in the part of the language that strict servers take.

    Ranges stand in descriptions: several servers refuse `minimum` and `maximum`.
    """
    fields: dict[str, Any] = {
        "insufficient_evidence": {
            "type": "boolean",
            "description": "whether the text shows too little of the trait to score it",
        },
        "score": {
            "anyOf": [{"type": "integer"}, {"type": "null"}],
            "description": "a whole number from -5 to 5; null with insufficient evidence",
        },
        "confidence": {"type": "number", "description": "from 0 to 1"},
    }
    if kind == "knowledge":
        quotes = {"type": "array", "items": {"type": "string"}, "description": "up to 3 quotes"}
        facets = {"type": "string", "description": "which facets they bear on, in one sentence"}
        fields = {"evidence": quotes, "facets": facets, **fields}
    return _strict({trait: _strict(fields) for trait in order})


def _strict(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_rating(answer: str, material: str = "") -> dict[str, Any]:
    """What an answer says of each trait, in the order of `TRAITS`.

    Args:
        answer: of the model.
        material: the text that was rated; JSON that stands in it is no answer.

    Returns:
        By trait: `score` (in [-5, 5], or None for insufficient evidence), `confidence` (in [0, 1],
        or None where the model gave none), `evidence` (quotes) and `facets`.

    Raises:
        Unreadable: no answer, a missing trait, or a value that is none; said so that a model can
            mend it.
    """
    given = answer_object(
        answer, lambda keys: any(plain(k) in NAMES for k in keys), material, SHAPE
    )
    traits = with_names(given, NAMES, "the answer")
    if missing := [trait for trait in TRAITS if trait not in traits]:
        raise Unreadable(f"{', '.join(missing)} is missing. Answer with {SHAPE}")
    return {trait: _read_trait(traits[trait], trait) for trait in TRAITS}


def _read_trait(given: Any, trait: str) -> dict[str, Any]:
    fields = given if isinstance(given, dict) else {"score": given}
    fields = with_names(fields, FIELDS, trait)
    if "score" not in fields and "insufficient_evidence" not in fields:
        raise Unreadable(f"{trait}.score is missing")
    score = fields.get("score")
    lacking = flag(fields.get("insufficient_evidence"), f"{trait}.insufficient_evidence")
    if isinstance(score, str) and score.strip().casefold() in ("", "null", "none", "n/a"):
        score = None
    return {
        "score": None
        if lacking or score is None
        else in_range(score, LOWEST, HIGHEST, f"{trait}.score"),
        "confidence": _confidence(fields.get("confidence")),
        "evidence": texts(fields.get("evidence")),
        "facets": " ".join(texts(fields.get("facets"))),
    }


def _confidence(value: Any) -> float | None:
    """A confidence, or None: a rating is not asked for again because of it."""
    try:
        return in_range(value, 0.0, 1.0, "confidence")
    except Unreadable:
        return None
