"""A task of the evaluation: personas, and what each of them is to answer."""

from __future__ import annotations

from dataclasses import dataclass

from lightning_dpg.data.prompts import Turn
from lightning_dpg.evaluation.personas import Persona

Context = tuple[Turn, ...]
"""The turns to answer, oldest first."""


@dataclass(frozen=True)
class Item:
    """One persona of a task.

    Attributes:
        persona: who speaks.
        contexts: what it is to answer, one reply each.
        gold: what the character says there in the text, one for each context; empty where nobody
            knows.
    """

    persona: Persona
    contexts: tuple[Context, ...]
    gold: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What every arm is asked.

    Attributes:
        name: a `config.TaskName`, or of a study of one arm: `dose`, `dose/1`, `described`.
        title: for people.
        items: a persona each; no two of the same id.
    """

    name: str
    title: str
    items: tuple[Item, ...]

    @property
    def personas(self) -> list[Persona]:
        """Who speaks, in order."""
        return [item.persona for item in self.items]
