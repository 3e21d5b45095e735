"""The same persona, the same question and the same scene under each cell, side by side."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_dpg.ablation.measured import Asked, Measured
from lightning_dpg.runs import REPLIES

QUESTIONS = SCENES = 2
"""Of each persona, how many are shown."""
SCRIPTED = "scripted"
"""The task whose scenes are shown beside the headline task."""

Heard = tuple[tuple[str, str], ...]
"""The turns before a reply, oldest first: who spoke and what was said."""


@dataclass(frozen=True)
class Line:
    """What was said after some turns: by the cell, and in the text, empty where nobody knows."""

    reply: str
    gold: str


Said = dict[str, dict[Heard, Line]]
"""By persona id and what was heard, what was answered first."""


def examples(runs: Mapping[str, tuple[Path, Measured]]) -> list[dict[str, Any]]:
    """Personas that every cell spoke for, with what each said.

    Args:
        runs: by cell, one run's folder and what it measured.

    Returns:
        For each of the personas `choose` finds: its facts, what was measured of it by cell, and
        what every cell `answered`: what was `heard` as pairs of speaker (empty where it is nobody)
        and text, the character's `own` line there, empty where it has none, and the reply by cell.
    """
    said = {cell: _said(folder, measured) for cell, (folder, measured) in runs.items()}
    scenes = [set(tasks[SCRIPTED]) for tasks in said.values()]
    personas = choose([measured.personas for _, measured in runs.values()], scenes)
    return [
        {
            "persona": persona.name,
            "kind": persona.kind,
            "description": persona.description,
            "targets": {c: _target(m, persona) for c, (_, m) in runs.items()},
            "measured": {c: m.measured.get(persona.id) for c, (_, m) in runs.items()},
            "answered": _answered(persona, place, said),
        }
        for place, persona in enumerate(personas)
    ]


def choose(peoples: Sequence[Sequence[Asked]], scenes: Sequence[set[str]] = ()) -> list[Asked]:
    """Two described personas and two without a description, those of each kind that differ most.

    Described ones who speak in scenes of their own go before others, so that a reader meets them in
    both tasks. Nothing depends on what they said. Profiles are those of the first cell.

    Args:
        peoples: whom each cell spoke for; those that all share are chosen from.
        scenes: the ids of those that each cell took a turn for in their own scenes.
    """
    if not peoples:
        return []
    ids = [{persona.id for persona in people} for people in peoples]
    shared = [persona for persona in peoples[0] if all(persona.id in known for known in ids)]
    described = [persona for persona in shared if persona.description]
    on_stage = [p for p in described if scenes and all(p.id in known for known in scenes)]
    found = _farthest(on_stage if len(on_stage) > 1 else described)
    return found + _farthest([p for p in shared if not p.description])


def _farthest(personas: Sequence[Asked]) -> list[Asked]:
    """The pair whose profiles lie farthest apart, or the one that there is."""
    pairs = list(itertools.combinations(personas, 2))
    if not pairs:
        return list(personas)
    farthest = max(pairs, key=_apart)
    return list(farthest)


def _apart(pair: tuple[Asked, Asked]) -> float:
    return math.dist(pair[0].target, pair[1].target)


def _target(measured: Measured, persona: Asked) -> tuple[float, ...]:
    return next(p.target for p in measured.personas if p.id == persona.id)


def _answered(
    persona: Asked, place: int, said: Mapping[str, Mapping[str, Said]]
) -> list[dict[str, Any]]:
    """Questions, other ones for each persona, and scenes that every cell answered as it."""
    found = []
    for task in dict.fromkeys(name for tasks in said.values() for name in tasks):
        whole = {cell: tasks.get(task, {}).get(persona.id, {}) for cell, tasks in said.items()}
        lines = next(iter(whole.values()))
        shared = [heard for heard in lines if all(heard in other for other in whole.values())]
        if any(lines[heard].gold for heard in shared):
            shown = _telling(shared, lines)
        else:
            first = QUESTIONS * place % max(1, len(shared))
            shown = [*shared[first:], *shared[:first]][:QUESTIONS]
        found += [
            {
                "heard": heard,
                "own": lines[heard].gold,
                "replies": {cell: other[heard].reply for cell, other in whole.items()},
            }
            for heard in shown
        ]
    return found


def _telling(scenes: Sequence[Heard], lines: Mapping[Heard, Line]) -> list[Heard]:
    """The scenes in which the character itself says most, in the order of the text."""
    longest = sorted(scenes, key=lambda heard: -len(lines[heard].gold))[:SCENES]
    return [heard for heard in scenes if heard in longest]


def _said(run: Path, measured: Measured) -> dict[str, Said]:
    """What the run's main arm answered on its headline task, then in scenes, by task.

    Nothing where it was not kept.
    """
    path = run / REPLIES
    said: dict[str, Said] = {measured.task: {}, SCRIPTED: {}}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        record = json.loads(line)
        task = said.get(record.get("task", measured.task))
        if task is not None and record["arm"] == measured.arm:
            turns = record.get("heard") or [("", record["prompt"])]
            heard = tuple((speaker, text) for speaker, text in turns)
            answer = Line(record["reply"], record.get("gold", ""))
            task.setdefault(record["persona"], {}).setdefault(heard, answer)
    return said
