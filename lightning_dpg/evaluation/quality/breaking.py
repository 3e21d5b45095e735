"""Replies broken on purpose: deterministic by seed, and never whole again by accident."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.quality.answers import Answer
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


def strangers(
    personas: Sequence[Persona], said: Sequence[Sequence[str]], seed: int
) -> list[int | None]:
    """For each persona, whose replies are put among its own: drawn by the seed, near or far.

    Everybody's replies are handed on once, to a persona of the same language that has as many and
    has said none of them. None where nobody is left.
    """

    def allowed(i: int, j: int) -> bool:
        own, other = personas[i], personas[j]
        return (
            own.cluster != other.cluster
            and own.language == other.language
            and len(said[i]) == len(said[j])
            and not set(filter(None, said[i])) & set(said[j])
        )

    return _assigned(np.random.default_rng(seed).random((len(said), len(said))), allowed)


def splice(own: Sequence[str], other: Sequence[str], seed: str) -> list[str]:
    """Half of somebody's replies, at random places, replaced by what another says there.

    The places know nothing of how consistency divides the replies. Were they all of one of its two
    halves, the other persona would *be* that half, and no measure could miss it.
    """
    places = random.Random(seed).sample(range(len(own)), len(own) // 2)
    return [other[i] if i in places else reply for i, reply in enumerate(own)]


def _assigned(cost: Floats, allowed: Callable[[int, int], bool]) -> list[int | None]:
    """A one-to-one assignment of least cost among what is allowed, (n, n)."""
    ruled_out = np.array(
        [[not allowed(i, j) for j in range(len(cost))] for i in range(len(cost))], dtype=bool
    ).reshape(cost.shape)
    _, chosen = linear_sum_assignment(np.where(ruled_out, FORBIDDEN, cost))
    return [None if ruled_out[i, j] else int(j) for i, j in enumerate(chosen)]
