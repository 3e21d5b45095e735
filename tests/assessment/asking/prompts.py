"""Prompts for tests, and how their answers are read."""

from __future__ import annotations

import json
from typing import Any

from lightning_dpg.assessment.asking.prompt import Prompt, Unreadable

SCHEMA = {
    "type": "object",
    "properties": {"score": {"type": "integer", "minimum": -5, "maximum": 5}},
    "required": ["score"],
    "additionalProperties": False,
}


def read(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
        score = value["score"]
    except (ValueError, TypeError, KeyError):
        raise Unreadable("expected a JSON object with the field score") from None
    if not isinstance(score, int) or not -5 <= score <= 5:
        raise Unreadable(f"score must be a whole number from -5 to 5, got {score!r}")
    return {"score": score}


def prompt(text: str, sample: int = 0) -> Prompt:
    messages = (("system", "You rate texts."), ("user", text))
    return Prompt(messages, SCHEMA, "rating", "test-1", read, sample)


def prompts(number: int) -> list[Prompt]:
    return [prompt(f"text number {i}") for i in range(number)]
