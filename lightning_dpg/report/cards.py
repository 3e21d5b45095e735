"""Which personas the page shows, which arms beside each other, and which of their replies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lightning_dpg.report.reading import Arm, Persona, Reply, RunFolder, Task

WORST = 10
MOST_ARMS, MOST_LINES = 5, 3
"""Arms side by side on a card, and lines in its radar: more cannot be told apart."""
FIRST = ("dpg", "lora_sft", "prompted", "unadapted", "lora_sft_contrast")
"""Arms that a card shows before others."""


@dataclass(frozen=True)
class Choice:
    """A persona to show; `badge` says why where it was not for its place in profile space."""

    persona: Persona
    badge: str = ""


@dataclass(frozen=True)
class Failure:
    """One of the personas that the main arm was farthest off; `replies` are all it said."""

    persona: Persona
    measured: tuple[float, ...]
    deviation: float
    replies: tuple[Reply, ...]


def choose(personas: Sequence[Persona], main: Arm, count: int = 8) -> list[Choice]:
    """The best and the worst persona of the main arm, then others spread over profile space.

    Each further one has the profile farthest from all chosen before, from the kind (held out,
    drawn) that was shown least so far. Nothing is random: the same run shows the same people.
    """
    chosen = _extremes(personas, main)
    while len(chosen) < min(count, len(personas)):
        taken = [choice.persona for choice in chosen]
        left = [persona for persona in personas if persona not in taken]
        shown = [sum(other.kind == persona.kind for other in taken) for persona in left]
        rare = [p for p, times in zip(left, shown, strict=True) if times == min(shown)]
        chosen.append(Choice(max(rare, key=lambda persona: _distance(persona, taken))))
    return chosen


def beside(task: Task, count: int = MOST_ARMS) -> list[Arm]:
    """The arms that stand side by side, in the order of the task: the main one, then `FIRST`."""
    others = [name for name in FIRST if task.arm(name)]
    names = dict.fromkeys([task.main.name, *others, *(arm.name for arm in task.arms)])
    kept = list(names)[:count]
    return [arm for arm in task.arms if arm.name in kept]


def samples(
    run: RunFolder, persona: Persona, turn: int, count: int = 2
) -> list[list[Reply | None]]:
    """Replies of the arms of `beside` to the same prompts, a list per prompt, in their order.

    Prompts that more arms answered come first; `turn` moves on among equals, so that neighbouring
    personas do not all answer the same question.
    """
    arms = beside(run.headline)
    said: dict[str, dict[str, Reply]] = {}
    for reply in run.said:
        if reply.persona == persona.id:
            said.setdefault(reply.prompt, {}).setdefault(reply.arm, reply)
    prompts = _rotated([p for p in said if _answers(said[p], arms)], turn * count)
    prompts.sort(key=lambda prompt: -_answers(said[prompt], arms))
    return [[said[prompt].get(arm.name) for arm in arms] for prompt in prompts[:count]]


def failures(run: RunFolder, count: int = WORST) -> list[Failure]:
    """The personas that the main arm was farthest off, the farthest first."""
    ranked = sorted(_ranked(run.headline.personas, run.main), key=lambda item: -item[0])
    return [
        Failure(
            persona,
            run.main.measured[persona.id],
            deviation,
            tuple(r for r in run.said if r.arm == run.main.name and r.persona == persona.id),
        )
        for deviation, persona in ranked[:count]
    ]


def _extremes(personas: Sequence[Persona], main: Arm) -> list[Choice]:
    ranked = sorted(_ranked(personas, main), key=lambda item: item[0])
    if not ranked:
        return []
    best = Choice(ranked[0][1], "best of this run")
    return [best] if len(ranked) == 1 else [best, Choice(ranked[-1][1], "worst of this run")]


def _ranked(personas: Sequence[Persona], main: Arm) -> list[tuple[float, Persona]]:
    """Scored personas with their deviations."""
    scored = [(main.deviation(persona), persona) for persona in personas]
    return [(value, persona) for value, persona in scored if value is not None]


def _distance(persona: Persona, taken: Sequence[Persona]) -> float:
    """To the nearest profile already taken; from the middle of the scale when none is."""
    places = [other.target for other in taken] or [(0.0,) * len(persona.target)]
    return min(math.dist(persona.target, place) for place in places)


def _answers(replies: Mapping[str, Reply], arms: Sequence[Arm]) -> int:
    return sum(arm.name in replies for arm in arms)


def _rotated(items: list[str], places: int) -> list[str]:
    start = places % len(items) if items else 0
    return items[start:] + items[:start]
