"""Replies broken on purpose: deterministic by seed, and never whole again by accident."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from lightning_dpg.evaluation.quality.answers import Answer
from lightning_dpg.evaluation.quality.halves import Halves
from lightning_dpg.evaluation.statistics import Floats

HAN = r"\u3400-\u9fff"
_PIECE = re.compile(rf"[{HAN}]|[^\s{HAN}]+")
"""What is shuffled: words with their punctuation; of Chinese single characters."""
_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}]) (?=[{HAN}])")
FORBIDDEN = 1e6


def shuffled_words(text: str, seed: str) -> str | None:
    """The words of a text in another order; None where it has no other (`no`, `no no no`)."""
    pieces = _PIECE.findall(text)
    if len(set(pieces)) < 2:
        return None
    rng, order = random.Random(seed), list(pieces)
    while order == pieces:
        rng.shuffle(order)
    return _BETWEEN_HAN.sub("", " ".join(order))


def other_questions(answers: Sequence[Answer], seed: int) -> list[int | None]:
    """For each answer, which one's context it is handed; every context is handed out once.

    It is another persona's of the same language, and shares no turn with the answer's own: where
    all were asked the same, a random context is the own one now and then, and neighbouring turns
    of a scene overlap. None where nothing of the kind is left.
    """

    def allowed(i: int, j: int) -> bool:
        own, other = answers[i], answers[j]
        return (
            own.persona.cluster != other.persona.cluster
            and own.persona.language == other.persona.language
            and not {text for _, text in own.context} & {text for _, text in other.context}
        )

    size = len(answers)
    return _assigned(np.random.default_rng(seed).random((size, size)), allowed)


def most_different(halves: Halves) -> list[int | None]:
    """For each persona, whose even replies it is handed: over all, as far away as can be.

    Distances are those of the prompted profiles. Everybody's replies are handed on once, to a
    persona of the same language that has said none of them. None where nobody is left.
    """

    def allowed(i: int, j: int) -> bool:
        own, other = halves.personas[i], halves.personas[j]
        return (
            own.cluster != other.cluster
            and own.language == other.language
            and not {*halves.odd[i], *halves.even[i]} & set(halves.even[j])
        )

    targets = np.array([persona.target.scores for persona in halves.personas]).reshape(-1, 5)
    return _assigned(-np.linalg.norm(targets[:, None] - targets[None], axis=-1), allowed)


def _assigned(cost: Floats, allowed: Callable[[int, int], bool]) -> list[int | None]:
    """A one-to-one assignment of least cost among what is allowed, (n, n)."""
    ruled_out = np.array(
        [[not allowed(i, j) for j in range(len(cost))] for i in range(len(cost))], dtype=bool
    ).reshape(cost.shape)
    _, chosen = linear_sum_assignment(np.where(ruled_out, FORBIDDEN, cost))
    return [None if ruled_out[i, j] else int(j) for i, j in enumerate(chosen)]
