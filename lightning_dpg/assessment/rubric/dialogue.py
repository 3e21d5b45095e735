"""Prompts that ask whether a dialogue is coherent and complete, and the reading of answers."""

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

TURNS = 40
"""Of a longer dialogue the first and the last half of so many turns are shown: whether it is whole
shows at its ends."""
CHARACTERS = 400
"""Of a longer turn the first and the last half of so many characters are shown."""

LOWEST, HIGHEST = 1.0, 5.0
NAMES = {
    "reason": "reason",
    "理由": "reason",
    "coherence": "coherence",
    "连贯性": "coherence",
    "integrity": "integrity",
    "contextual_integrity": "integrity",
    "语境完整性": "integrity",
    "完整性": "integrity",
}
SHAPE = "one JSON object with the keys reason, coherence, integrity"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "description": "one sentence for each of the two"},
        "coherence": {"type": "integer", "description": "from 1 to 5"},
        "integrity": {"type": "integer", "description": "from 1 to 5"},
    },
    "required": ["reason", "coherence", "integrity"],
    "additionalProperties": False,
}


def dialogue_prompt(turns: Sequence[tuple[str, str]], language: Language) -> Prompt:
    """The question about one dialogue.

    Args:
        turns: the speaker's label and what is said, names replaced.
        language: of the instructions.
    """
    lines = [f"{label}: {_shortened(text)}" for label, text in turns]
    if (more := len(lines) - TURNS) > 0:
        half = TURNS // 2
        lines = [*lines[:half], f"(... {more} turns left out)", *lines[-half:]]
    question = render("scene", language, block=block(lines))
    return Prompt(
        messages=(("system", instructions("dialogue", language)), ("user", question)),
        schema=SCHEMA,
        name="dialogue_judgement",
        version=f"dialogue-{language}-{VERSION}",
        read=partial(read_judgement, material="\n".join(text for _, text in turns)),
    )


def read_judgement(answer: str, material: str = "") -> dict[str, Any]:
    """`coherence` and `integrity`, both in [1, 5], and the `reason` that a model gave.

    Args:
        answer: of the model.
        material: what was judged; JSON that stands in it is no answer.

    Raises:
        Unreadable: no answer, a missing score, or one out of range.
    """
    given = answer_object(
        answer, lambda keys: any(plain(k) in NAMES for k in keys), material, SHAPE
    )
    fields = with_names(given, NAMES, "the answer")
    if missing := [name for name in ("coherence", "integrity") if name not in fields]:
        raise Unreadable(f"{', '.join(missing)} is missing. Answer with {SHAPE}")
    return {
        "coherence": in_range(fields["coherence"], LOWEST, HIGHEST, "coherence"),
        "integrity": in_range(fields["integrity"], LOWEST, HIGHEST, "integrity"),
        "reason": " ".join(texts(fields.get("reason"))),
    }


def _shortened(text: str) -> str:
    """A turn as quoted text, in two pieces where its middle is left out."""
    if (more := len(text) - CHARACTERS) <= 0:
        return quoted(text)
    half = CHARACTERS // 2
    return f"{quoted(text[:half])} (... {more} characters left out) {quoted(text[-half:])}"
