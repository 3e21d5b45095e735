"""Which personas the page shows, and which of their replies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lightning_dpg.report.reading import Arm, Persona, Reply, RunFolder


@dataclass(frozen=True)
class Choice:
    """A persona to show; `badge` says why where it was not for its place in profile space."""

    persona: Persona
    badge: str = ""


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


def samples(
    run: RunFolder, persona: Persona, turn: int, count: int = 2
) -> list[list[Reply | None]]:
    """Replies of every arm to the same prompts, one list per prompt, in the order of the arms.

    Prompts that more arms answered come first; `turn` moves on among equals, so that neighbouring
    personas do not all answer the same question.
    """
    said: dict[str, dict[str, Reply]] = {}
    for reply in run.replies:
        if reply.persona == persona.id:
            said.setdefault(reply.prompt, {}).setdefault(reply.arm, reply)
    prompts = _rotated(list(said), turn * count)
    prompts.sort(key=lambda prompt: -_answers(said[prompt], run))
    return [[said[prompt].get(arm.name) for arm in run.arms] for prompt in prompts[:count]]


def _extremes(personas: Sequence[Persona], main: Arm) -> list[Choice]:
    scored = [(main.deviation(persona), persona) for persona in personas]
    ranked = sorted(
        ((value, persona) for value, persona in scored if value is not None),
        key=lambda item: item[0],
    )
    if not ranked:
        return []
    best = Choice(ranked[0][1], "best of this run")
    return [best] if len(ranked) == 1 else [best, Choice(ranked[-1][1], "worst of this run")]


def _distance(persona: Persona, taken: Sequence[Persona]) -> float:
    """To the nearest profile already taken; from the middle of the scale when none is."""
    places = [other.target for other in taken] or [(0.0,) * len(persona.target)]
    return min(math.dist(persona.target, place) for place in places)


def _answers(replies: Mapping[str, Reply], run: RunFolder) -> int:
    return sum(arm.name in replies for arm in run.arms)


def _rotated(items: list[str], places: int) -> list[str]:
    start = places % len(items) if items else 0
    return items[start:] + items[:start]
