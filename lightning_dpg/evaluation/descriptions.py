"""Whether descriptions matter by themselves: characters with all scores at 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from lightning_dpg.evaluation.statistics import Floats
from lightning_dpg.records import Rating


class DescriptionEffect(TypedDict):
    """How much of what replies show comes from whose they are; None with too little to compare."""

    explained: float | None
    expected: float | None
    p: float | None
    replies: int


def description_effect(
    ratings: Sequence[Sequence[Rating]], permutations: int, seed: int
) -> DescriptionEffect:
    """Permutational analysis of variance (Anderson 2001) of single replies, grouped by character.

    Args:
        ratings: for each character one rating of each of its replies.
        permutations: of replies over characters.
        seed: of the permutations.

    Returns:
        `explained`: share in [0, 1] of the replies' variance in the five scores that lies between
        characters; `expected`: the same when chance deals the replies out; `p`: how often chance
        explains as much. Unscored replies are left out.
    """
    pairs = [(i, r.scores) for i, row in enumerate(ratings) for r in row if r.complete]
    groups = np.array([i for i, _ in pairs], dtype=np.intp)
    count = len(np.unique(groups))
    if count < 2 or len(pairs) <= count or permutations < 1:
        return DescriptionEffect(explained=None, expected=None, p=None, replies=len(pairs))
    scores: Floats = np.array([row for _, row in pairs], dtype=np.float64)
    scores -= scores.mean(0)
    found = _explained(scores, groups)
    rng = np.random.default_rng(seed)
    chance = np.array([_explained(scores, rng.permutation(groups)) for _ in range(permutations)])
    return DescriptionEffect(
        explained=found,
        expected=float(chance.mean()),
        p=float((1 + (chance >= found - 1e-12).sum()) / (1 + permutations)),
        replies=len(pairs),
    )


def _explained(scores: Floats, groups: NDArray[np.intp]) -> float:
    """Between-group share of the sum of squares of centred scores (replies, traits)."""
    sums = np.zeros((groups.max() + 1, scores.shape[1]))
    np.add.at(sums, groups, scores)
    sizes = np.maximum(np.bincount(groups, minlength=len(sums)), 1)
    total = float((scores**2).sum())
    return float((sums**2 / sizes[:, None]).sum() / total) if total > 0 else 0.0
