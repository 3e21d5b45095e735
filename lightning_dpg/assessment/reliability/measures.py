"""What is reported of one trait: coefficients with intervals over persons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightning_dpg.assessment.reliability import statistics as st
from lightning_dpg.assessment.reliability.resampling import Draws, Estimate, estimate
from lightning_dpg.assessment.reliability.statistics import Floats, Form

Ints = NDArray[np.int_]


def level(scores: Floats, people: Sequence[str], draws: Draws) -> Estimate:
    """The mean score; the middle of the scale is 0.

    Args:
        scores: (subjects,); NaN where unscored.
        people: who each subject is.
        draws: of the interval.
    """
    known, who = _known(scores, people)
    return estimate(lambda rows: _mean(known[rows]), who, draws)


def known_groups(
    scores: Floats, poles: Ints, people: Sequence[str], draws: Draws
) -> dict[str, Estimate]:
    """The authors' high pole against their low pole: AUC, and the difference of the means.

    Args:
        scores: (subjects,); NaN where unscored.
        poles: (subjects,); 1 high, -1 low, 0 neither or unknown.
        people: who each subject is.
        draws: of the intervals.
    """
    used = ~np.isnan(scores) & (poles != 0)
    known, sides = scores[used], poles[used]
    who = [person for person, use in zip(people, used, strict=True) if use]
    return {
        "auc": estimate(lambda rows: st.auc(known[rows], sides[rows]), who, draws),
        "pole_difference": estimate(
            lambda rows: st.pole_difference(known[rows], sides[rows]), who, draws
        ),
    }


def halves(table: Floats, people: Sequence[str], draws: Draws) -> Estimate:
    """Split-half reliability of a whole subject, `table` (subjects, 2)."""
    known, who = _known(table, people)
    return estimate(lambda rows: st.split_half(known[rows]), who, draws)


def repeats(table: Floats, people: Sequence[str], draws: Draws) -> dict[str, Any]:
    """The same subjects rated again and again, `table` (subjects, repeats).

    Returns:
        `sd`, `icc` (one rating), `icc_mean` (the mean of all repeats), `alpha`, and `undecided`:
        subjects that were scored in some repeats and insufficient evidence in others.
    """
    missing = np.isnan(table).sum(axis=1)
    return {
        "sd": estimate(lambda rows: st.repeat_sd(table[rows]), people, draws),
        "icc": _icc(table, people, "ICC(1,1)", draws),
        "icc_mean": _icc(table, people, "ICC(1,k)", draws),
        "alpha": _alpha(table, people, draws),
        "undecided": int(((missing > 0) & (missing < table.shape[1])).sum()),
    }


def sets(scores: Floats, people: Sequence[str], draws: Draws) -> dict[str, Any]:
    """Different things that the same persons said: what a score says of the person.

    Args:
        scores: (subjects,); NaN where unscored.
        people: who each subject is.
        draws: of the intervals.

    Returns:
        `icc` of one subject, `icc_mean` of the mean over `sets` subjects of a person, and `alpha`.
        The ICCs need as many of each person: `sets` is the number that leaves the fewest unused.
    """
    known, who = _known(scores, people)
    by_person = [known[[p == person for p in who]] for person in dict.fromkeys(who)]
    names = list(dict.fromkeys(who))
    size = _balanced_size([len(own) for own in by_person])
    enough = [(name, own[:size]) for name, own in zip(names, by_person, strict=True)]
    enough = [(name, own) for name, own in enough if size > 1 and len(own) == size]
    table = np.array([own for _, own in enough]).reshape(len(enough), size)
    ragged = np.full((len(by_person), max(map(len, by_person), default=0)), np.nan)
    for row, own in zip(ragged, by_person, strict=True):
        row[: len(own)] = own
    kept = [name for name, _ in enough]
    return {
        "sets": size,
        "icc": _icc(table, kept, "ICC(1,1)", draws),
        "icc_mean": _icc(table, kept, "ICC(1,k)", draws),
        "alpha": _alpha(ragged, names, draws),
    }


def agreement(first: Floats, second: Floats, people: Sequence[str], draws: Draws) -> dict[str, Any]:
    """Two assessors on the subjects that both scored; `first` and `second` (subjects,).

    Returns:
        `r`, `icc` (absolute agreement), `icc_consistency`, `alpha`, `bias` (mean of first minus
        second) and `limits` of agreement, None where there are none.
    """
    table, who = _known(np.stack([first, second], axis=1), people)
    differences = table[:, 0] - table[:, 1]
    limits = [float(x) if np.isfinite(x) else None for x in st.limits_of_agreement(differences)]
    return {
        "r": estimate(lambda rows: st.pearson(table[rows, 0], table[rows, 1]), who, draws),
        "icc": _icc(table, who, "ICC(A,1)", draws),
        "icc_consistency": _icc(table, who, "ICC(C,1)", draws),
        "alpha": _alpha(table, who, draws),
        "bias": estimate(lambda rows: _mean(differences[rows]), who, draws),
        "limits": limits,
    }


def _icc(table: Floats, people: Sequence[str], form: Form, draws: Draws) -> Estimate:
    known, who = _known(table, people)
    return estimate(
        lambda rows: st.icc_of_squares(known[rows], form), who, draws, st.icc(known, form)
    )


def _alpha(table: Floats, people: Sequence[str], draws: Draws) -> Estimate:
    twice = (~np.isnan(table)).sum(axis=1) >= 2
    counts = st.level_counts(table[twice])
    who = [person for person, use in zip(people, twice, strict=True) if use]
    return estimate(lambda rows: st.ordinal_alpha(counts[rows]), who, draws)


def _known(table: Floats, people: Sequence[str]) -> tuple[Floats, list[str]]:
    """The rows without a gap, and who they are."""
    gaps = np.isnan(table).sum(axis=tuple(range(1, table.ndim)))
    return table[gaps == 0], [person for person, gap in zip(people, gaps, strict=True) if not gap]


def _balanced_size(counts: Sequence[int]) -> int:
    """How many subjects of each person to take so that most are used; two at least."""
    sizes = range(2, max(counts, default=0) + 1)
    return max(sizes, key=lambda size: size * sum(count >= size for count in counts), default=0)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else np.nan
