"""Whether descriptions matter by themselves: characters with all scores at 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from lightning_dpg.evaluation.statistics import Floats

Labels = NDArray[np.intp]


class DescriptionEffect(TypedDict):
    """How much of what replies show comes from whose they are; None with too little to compare."""

    explained: float | None
    expected: float | None
    p: float | None
    replies: int


def description_effect(
    points: Floats,
    characters: Sequence[str],
    questions: Sequence[str],
    permutations: int,
    seed: int,
) -> DescriptionEffect:
    """Permutational analysis of variance (Anderson 2001) of single replies, grouped by character.

    Questions are blocks: what they do to all replies is taken out first, and chance deals replies
    out among those who answered the same question.

    Args:
        points: what each reply shows, (replies, dimensions); every dimension counts by its
            variance.
        characters: whose replies they are.
        questions: what they answer.
        permutations: of replies over characters.
        seed: of the permutations.

    Returns:
        `explained`: share in [0, 1] of the replies' variance within questions that lies between
        characters; `expected`: the same when chance deals the replies out; `p`: how often chance
        explains as much.
    """
    who, what = _numbered(characters), _numbered(questions)
    count = len(np.unique(who))
    if count < 2 or len(points) <= count or permutations < 1:
        return DescriptionEffect(explained=None, expected=None, p=None, replies=len(points))
    blocks = [np.flatnonzero(what == question) for question in np.unique(what)]
    points = np.array(points, dtype=np.float64)
    for block in blocks:
        points[block] -= points[block].mean(0)
    found = _explained(points, who)
    rng = np.random.default_rng(seed)
    chance = np.array([_explained(points, _dealt(who, blocks, rng)) for _ in range(permutations)])
    return DescriptionEffect(
        explained=found,
        expected=float(chance.mean()),
        p=float((1 + (chance >= found - 1e-12).sum()) / (1 + permutations)),
        replies=len(points),
    )


def _numbered(labels: Sequence[str]) -> Labels:
    return np.unique(np.array(labels, dtype=str), return_inverse=True)[1].astype(np.intp)


def _dealt(who: Labels, blocks: Sequence[Labels], rng: np.random.Generator) -> Labels:
    """Characters exchanged among the replies of each block."""
    dealt = who.copy()
    for block in blocks:
        dealt[block] = rng.permutation(who[block])
    return dealt


def _explained(points: Floats, groups: Labels) -> float:
    """Between-group share of the sum of squares of centred points (replies, dimensions)."""
    sums = np.zeros((groups.max() + 1, points.shape[1]))
    np.add.at(sums, groups, points)
    sizes = np.maximum(np.bincount(groups, minlength=len(sums)), 1)
    total = float((points**2).sum())
    return float((sums**2 / sizes[:, None]).sum() / total) if total > 0 else 0.0
