"""Exchanges of training that a few-shot prompt shows: by those who are most like who is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from lightning_dpg.assessment.base import count_words
from lightning_dpg.data.prompts import Exchange
from lightning_dpg.data.samples import Sample
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile

LONGEST = 40
"""Words of a reply that is shown, at most; the turn before it is cut (`prompts.SHOT_TOKENS`). Three
exchanges stay below 400 tokens."""


class Examples:
    """Replies to choose from, with the turn before each.

    Args:
        samples: of training alone: nobody who is asked in the evaluation may be among them.
        count: exchanges that a prompt shows.
    """

    def __init__(self, samples: Sequence[Sample], count: int) -> None:
        self.count = count
        self._of: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            if count_words(sample.reply) <= LONGEST:
                self._of[sample.language].append(sample)
        self._profiles = {
            language: np.array([sample.profile.scores for sample in own])
            for language, own in self._of.items()
        }

    @property
    def languages(self) -> set[str]:
        """Those in which there is something to show."""
        return set(self._profiles)

    def nearest(self, profile: Profile, language: str) -> tuple[Exchange, ...]:
        """Exchanges whose profiles lie nearest in the L2 norm, the nearest last.

        The nearest stands next to the question. Of profiles at the same distance the first of the
        corpus is taken, so that the choice is always the same.

        Raises:
            UserError: nothing in this language.
        """
        if language not in self._profiles:
            raise UserError(nothing_in({language}))
        distances = np.linalg.norm(self._profiles[language] - np.array(profile.scores), axis=1)
        chosen = np.argsort(distances, kind="stable")[: self.count]
        samples = [self._of[language][i] for i in reversed(chosen.tolist())]
        return tuple((sample.context[-1:], sample.reply) for sample in samples)


def nothing_in(languages: set[str]) -> str:
    """Why a few-shot prompt has nothing to show."""
    return (
        f"no reply of training in {', '.join(sorted(languages))} with {LONGEST} words or fewer to "
        "show: train on a corpus that has some, or leave the arm few_shot out (evaluation.arms)"
    )
