"""A stand-in for whoever asks a language model: transport has its own tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from lightning_dpg.assessment.asking.prompt import Answer, Prompt
from lightning_dpg.progress import Advance
from lightning_dpg.records import TRAITS

Rule = Callable[[Prompt], dict[str, Any] | str]
"""What is answered: an object, or the reason why there is no answer."""


class StandIn:
    """Answers by a rule, and has the prompt read what it answers."""

    identity = "openai/gpt-test/temperature=0"

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.asked: list[Prompt] = []

    def ask(self, prompts: Sequence[Prompt], advance: Advance | None = None) -> list[Answer]:
        self.asked += prompts
        answers = []
        for prompt in prompts:
            said = self.rule(prompt)
            if isinstance(said, str):
                answers.append(Answer(None, said))
            else:
                answers.append(Answer(prompt.read(json.dumps(said)), ""))
            if advance:
                advance(1)
        return answers

    @property
    def seen(self) -> list[str]:
        """The last message of each prompt."""
        return [prompt.messages[-1][1] for prompt in self.asked]


def scored(*scores: float | None) -> dict[str, Any]:
    """An answer with these scores."""
    return {
        trait: {"score": s, "insufficient_evidence": s is None, "confidence": 0.5}
        for trait, s in zip(TRAITS, scores, strict=True)
    }
