"""The same persona and the same question under each cell, side by side."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_dpg.ablation.measured import Asked, Measured
from lightning_dpg.runs import REPLIES

QUESTIONS = 2
"""Of each persona, how many are shown."""

Said = dict[str, dict[str, str]]
"""By persona id and question, what was answered first."""


def examples(runs: Mapping[str, tuple[Path, Measured]]) -> list[dict[str, Any]]:
    """Personas that every cell spoke for, with what each said.

    Args:
        runs: by cell, one run's folder and what it measured.

    Returns:
        For each of the personas `choose` finds: its facts, what was measured of it by cell, and
        questions that every cell answered, with the reply by cell.
    """
    said = {cell: _replies(folder, measured) for cell, (folder, measured) in runs.items()}
    shown: list[dict[str, Any]] = []
    for persona in choose([measured.personas for _, measured in runs.values()]):
        whole = [replies.get(persona.id, {}) for replies in said.values()]
        questions = [q for q in whole[0] if all(q in replies for replies in whole)]
        first = QUESTIONS * len(shown) % max(1, len(questions))
        turned = [*questions[first:], *questions[:first]][:QUESTIONS]
        shown.append(
            {
                "persona": persona.name,
                "kind": persona.kind,
                "description": persona.description,
                "targets": {c: _target(m, persona) for c, (_, m) in runs.items()},
                "measured": {c: m.measured.get(persona.id) for c, (_, m) in runs.items()},
                "questions": [
                    {"question": q, "replies": {cell: said[cell][persona.id][q] for cell in runs}}
                    for q in turned
                ],
            }
        )
    return shown


def choose(peoples: Sequence[Sequence[Asked]]) -> list[Asked]:
    """Two described personas and two without a description, those of each kind that differ most.

    Nothing depends on what they said. Profiles are those of the first cell.

    Args:
        peoples: whom each cell spoke for; those that all share are chosen from.
    """
    if not peoples:
        return []
    ids = [{persona.id for persona in people} for people in peoples]
    shared = [persona for persona in peoples[0] if all(persona.id in known for known in ids)]
    described = [persona for persona in shared if persona.description]
    return _farthest(described) + _farthest([p for p in shared if not p.description])


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


def _replies(run: Path, measured: Measured) -> Said:
    """What the run's main arm answered on its headline task; nothing where it was not kept."""
    path = run / REPLIES
    said: Said = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        record = json.loads(line)
        if record["arm"] == measured.arm and record.get("task", measured.task) == measured.task:
            said.setdefault(record["persona"], {}).setdefault(record["prompt"], record["reply"])
    return said
