"""Prompts that ask how good replies are as replies, and the reading of answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from lightning_dpg.assessment.asking.prompt import Prompt, Unreadable
from lightning_dpg.assessment.rubric.answers import (
    answer_object,
    in_range,
    plain,
    texts,
    with_names,
)
from lightning_dpg.assessment.rubric.quoting import block, quoted
from lightning_dpg.assessment.rubric.wording import VERSION, Language, instructions, render

EDITION = 1
"""Of the words of these two prompts: raise it with every change of theirs. `wording.VERSION` is of
what they share with the others, whose answers are not to be paid for again."""

CHARACTERS = 600
"""Of a longer turn before a reply its end is shown, of a longer description its beginning."""
LOWEST, HIGHEST = 1.0, 5.0
NAMES = {
    name: field
    for field, also in {
        "reason": ("reasons", "理由"),
        "fluency": ("fluent", "流畅性", "流畅度", "流利度"),
        "coherency": ("coherence", "coherent", "连贯性", "连贯度"),
        "consistency": ("consistent", "一致性", "一致度"),
    }.items()
    for name in (field, *also)
}
OF_REPLY, OF_PERSONA = ("fluency", "coherency"), ("consistency",)


def reply_prompt(
    context: Sequence[tuple[str, str]], reply: str, speaker: str, language: Language
) -> Prompt:
    """The question how fluent one reply is, and how well it follows from what was said before.

    Args:
        context: the speaker's label and what is said, oldest first, names replaced.
        reply: names replaced.
        speaker: label of whose reply it is.
        language: of the instructions.
    """
    said = [(label, _end(text)) for label, text in context]
    lines = [f"{label}: {quoted(text)}" for label, text in said]
    lines.append(f"reply: {quoted(reply)}")
    question = render("reply", language, block=block(lines), speaker=speaker, context=bool(context))
    return _prompt("quality", question, OF_REPLY, language, [*(text for _, text in said), reply])


def persona_prompt(
    exchanges: Sequence[tuple[str, str]], description: str, language: Language
) -> Prompt:
    """The question whether several replies are those of one and the same person.

    Args:
        exchanges: what was said last, and the reply to it; names replaced.
        description: of who it is meant to be, names replaced; empty where nobody said.
        language: of the instructions.
    """
    described = description[:CHARACTERS]
    lines = [f"character: {quoted(described)}"] if described else []
    material = [described]
    for i, (before, reply) in enumerate(exchanges, start=1):
        lines += [f"{i} hears: {quoted(_end(before))}", f"{i} answers: {quoted(reply)}"]
        material += [_end(before), reply]
    question = render("persona", language, block=block(lines), described=bool(described))
    return _prompt("consistency", question, OF_PERSONA, language, material)


def read_scores(answer: str, fields: Sequence[str], material: str = "") -> dict[str, Any]:
    """The scores asked for, each in [1, 5], and the `reason` that a model gave.

    Args:
        answer: of the model.
        fields: names of the scores.
        material: what was judged; JSON that stands in it is no answer.

    Raises:
        Unreadable: no answer, a missing score, or one out of range.
    """
    shape = f"one JSON object with the keys {', '.join(('reason', *fields))}"
    given = answer_object(
        answer, lambda keys: any(plain(k) in NAMES for k in keys), material, shape
    )
    found = with_names(given, NAMES, "the answer")
    if missing := [field for field in fields if field not in found]:
        raise Unreadable(f"{', '.join(missing)} is missing. Answer with {shape}")
    scores = {field: in_range(found[field], LOWEST, HIGHEST, field) for field in fields}
    return {**scores, "reason": " ".join(texts(found.get("reason")))}


def schema(fields: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of an answer: the reason comes first, so that scores follow from it."""
    scores = {field: {"type": "integer", "description": "from 1 to 5"} for field in fields}
    reason = {"type": "string", "description": "one sentence for each score"}
    return {
        "type": "object",
        "properties": {"reason": reason, **scores},
        "required": ["reason", *fields],
        "additionalProperties": False,
    }


def _prompt(
    name: str,
    question: str,
    fields: tuple[str, ...],
    language: Language,
    material: Sequence[str],
) -> Prompt:
    return Prompt(
        messages=(("system", instructions(name, language)), ("user", question)),
        schema=schema(fields),
        name=f"{name}_judgement",
        version=f"{name}-{language}-{VERSION}.{EDITION}",
        read=partial(read_scores, fields=fields, material="\n".join(material)),
    )


def _end(text: str) -> str:
    """What was said last is what is answered."""
    return text if len(text) <= CHARACTERS else f"… {text[-CHARACTERS:]}"
