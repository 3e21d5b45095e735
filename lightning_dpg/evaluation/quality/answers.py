"""Single replies with what they answer, picked over all that was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.tasks.task import Context, Item


@dataclass(frozen=True)
class Answer:
    """A reply.

    Attributes:
        persona: whose it is.
        context: the turns that it answers, oldest first.
        reply: what is said; empty where the persona was silent.
    """

    persona: Persona
    context: Context
    reply: str

    def saying(self, reply: str) -> Answer:
        """Another reply to the same."""
        return replace(self, reply=reply)

    def to(self, context: Context) -> Answer:
        """The same reply to something else."""
        return replace(self, context=context)


def spread(items: Sequence[Item], said: Sequence[Sequence[str]], count: int) -> list[list[Answer]]:
    """`count` replies of each persona; all of them where it has fewer.

    The next persona goes on where the one before it ended, so that where all are asked the same,
    all questions come about equally often.

    Args:
        items: personas and what they answer.
        said: the replies of each, one to each of its contexts.
        count: 1 or more.
    """
    picked = []
    for i, (item, replies) in enumerate(zip(items, said, strict=True)):
        whole = len(replies)
        chosen = sorted({(i * count + j) % whole for j in range(count)}) if whole else []
        picked.append([Answer(item.persona, item.contexts[k], replies[k]) for k in chosen])
    return picked
