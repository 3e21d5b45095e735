"""Asking an assessor all that a study needs of it: once, again, and by halves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightning_dpg.assessment.base import Assessor, spending
from lightning_dpg.assessment.reliability.statistics import Floats
from lightning_dpg.assessment.reliability.subjects import Repeatable, Subject
from lightning_dpg.progress import Advance, Steps
from lightning_dpg.records import TRAITS, Rating

PROBE = 8
"""Subjects that an assessor which should be deterministic is asked about again."""
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Collected:
    """All ratings of one assessor; NaN where a trait was not scored.

    Attributes:
        scores: (subjects, traits), as the assessor rates by its settings.
        repeats: (subjects, times, traits), single answers; of an assessor that cannot be asked
            again, those about the first few subjects, twice.
        halves: (subjects, 2, traits), of the odd and of the even passages.
        reasons: why subjects have no score; numbers in a reason are left out.
        repeatable: whether the assessor can be asked anew.
    """

    scores: Floats
    repeats: Floats
    halves: Floats
    reasons: Counter[str]
    repeatable: bool

    @property
    def deterministic(self) -> bool:
        """Whether it was asked again, and answered the same each time."""
        times = self.repeats.shape[1]
        same = np.array_equal(
            self.repeats, np.repeat(self.repeats[:, :1], times, axis=1), equal_nan=True
        )
        return times > 1 and same and not np.isnan(self.repeats).all()


def collect(
    name: str, assessor: Assessor, subjects: Sequence[Subject], times: int, steps: Steps
) -> Collected:
    """Ask one assessor about all subjects; `times` goes to those that can be asked again."""
    persons = [subject.passages for subject in subjects]
    parts = [half for passages in persons for half in split(passages)]
    contexts = [subject.context for subject in subjects]
    probe = persons[:PROBE]
    passages = sum(map(len, persons))
    repeatable = isinstance(assessor, Repeatable)
    again = passages * times * (times > 1) if repeatable else 2 * sum(map(len, probe))
    with steps.bar(f"Rating by {name}", 2 * passages + again, spending(assessor)) as advance:
        rated = assessor.rate(persons, contexts, advance)
        if not isinstance(assessor, Repeatable):
            answers = _twice(assessor, probe, contexts[:PROBE], advance)
        elif times > 1:
            answers = assessor.repeated(persons, times, contexts, advance)
        else:
            answers = [[rating] for rating in rated]
        by_half = assessor.rate(parts, [c for c in contexts for _ in range(2)], advance)
    return Collected(
        scores=to_array(rated),
        repeats=np.stack([to_array(answer) for answer in answers]),
        halves=to_array(by_half).reshape(len(subjects), 2, len(TRAITS)),
        reasons=Counter(_reason(rating) for rating in rated if not rating.complete),
        repeatable=repeatable,
    )


def split(passages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Odd and even passages: what changes in the course of a scene goes to both alike."""
    return list(passages[0::2]), list(passages[1::2])


def to_array(ratings: Sequence[Rating]) -> Floats:
    """Scores (ratings, traits), NaN where there is none."""
    rows = [[np.nan if score is None else score for score in r.scores] for r in ratings]
    return np.array(rows, dtype=np.float64).reshape(len(ratings), len(TRAITS))


def _twice(
    assessor: Assessor,
    persons: Sequence[Sequence[str]],
    contexts: Sequence[str],
    advance: Advance,
) -> list[list[Rating]]:
    """The same question in the same words, twice over."""
    runs = [assessor.rate(persons, contexts, advance) for _ in range(2)]
    return [list(pair) for pair in zip(*runs, strict=True)]


def _reason(rating: Rating) -> str:
    return _NUMBER.sub("N", rating.reason) or "insufficient evidence of some traits"
