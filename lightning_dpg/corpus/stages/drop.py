"""Fifth stage: what is left out as unlike its own character, and how the distribution changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.reference import Floats, between_people
from lightning_dpg.config import FilterConfig
from lightning_dpg.corpus.stages.read import Part, Row, is_complete, parts_of


def drop_distant(rows: Sequence[Row], filters: FilterConfig, kept: Artefacts) -> list[Row]:
    """The rows with `dropped` where a part lies too far from its character's centre.

    A dropped speech stays where it is: what others say answers it. Its label is not to be used.
    What an earlier filter of this kind dropped is taken back.
    """
    measured = [i for i, row in enumerate(rows) if row["distance"] is not None]
    parts = parts_of([rows[i] for i in measured])
    support = Counter(character for _, character in parts)
    distances = [[*part, rows[measured[mine[0]]]["distance"]] for part, mine in parts.items()]

    def make() -> list[str]:
        return [
            too_far(distance, filters) if support[character] >= filters.least_support else ""
            for _, character, distance in distances
        ]

    dropped = kept.get("dropped", [vars(filters), distances], make)
    result = [dict(row) for row in rows]
    for reason, mine in zip(dropped, parts.values(), strict=True):
        for i in mine:
            result[measured[i]]["dropped"] = reason
    return result


def too_far(distance: float, filters: FilterConfig) -> str:
    """Why a part at this distance is dropped; empty when it is not."""
    most = filters.max_distance
    if most is None or distance <= most:
        return ""
    return f"distance: {distance:.2f}, {most:g} is allowed"


def dropped_by(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """What each filter dropped: dialogues that it touched, characters' parts in them, speeches."""
    mine: dict[str, list[Row]] = {}
    for row in rows:
        if row["dropped"]:
            mine.setdefault(row["dropped"].partition(":")[0], []).append(row)
    return {
        name: {
            "dialogues": len({row["dialogue"] for row in found}),
            "parts": len(parts_of(found)),
            "speeches": len(found),
        }
        for name, found in sorted(mine.items())
    }


def distribution(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """How rated parts lie around their characters, before and after the last filter.

    Returns:
        For `before` and `after`: `parts`, and by trait `within`, the standard deviation of the
        parts of one character in points, and `between`, the share of all variance that lies between
        characters (ICC(1), see `reference.between_people`); null where too few characters have two
        parts. That share rises whenever far parts go: by itself it says nothing of better labels.
    """
    rated = [row for row in rows if is_complete(row["dialogue_scores"])]
    far = [row for row in rated if row["dropped"]]
    gone = set(parts_of(far))
    before = {part: rated[mine[0]]["dialogue_scores"] for part, mine in parts_of(rated).items()}
    after = {part: scores for part, scores in before.items() if part not in gone}
    return {"before": _lie(before), "after": _lie(after)}


def _lie(parts: dict[Part, Sequence[float]]) -> dict[str, Any]:
    people = [character for _, character in parts]
    several = {person for person, count in Counter(people).items() if count > 1}
    enough = len(several) > 1
    scores = np.array(list(parts.values()))
    return {
        "parts": len(parts),
        "within": _rounded(_within(scores, people)) if enough else None,
        "between": _rounded(between_people(scores, people)) if enough else None,
    }


def _within(scores: Floats, people: Sequence[str]) -> Floats:
    """Pooled standard deviation (traits,) of parts (parts, traits) around their person's mean."""
    labels, of = np.unique(people, return_inverse=True)
    sums = np.zeros((len(labels), scores.shape[1]))
    np.add.at(sums, of, scores)
    residuals = scores - (sums / np.bincount(of)[:, None])[of]
    pooled: Floats = np.sqrt((residuals**2).sum(0) / (len(scores) - len(labels)))
    return pooled


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 3) for value in values]
