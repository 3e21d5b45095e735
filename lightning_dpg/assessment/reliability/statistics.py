"""The coefficients: numbers in, a number out, NaN where it is not defined.

A table holds a row for each subject and a column for each of its ratings, which are repeats, sets
of passages or assessors; NaN is a missing rating. ICCs are named as in Liljequist, Elfving and
Skavberg Roaldsen (2019, "Intraclass correlation - A discussion and demonstration of basic
features"), after McGraw and Wong (1996).
"""

from __future__ import annotations

import warnings
from typing import Literal

import krippendorff
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lightning_dpg.records import HIGHEST, LOWEST

Floats = NDArray[np.float64]
Form = Literal["ICC(1,1)", "ICC(1,k)", "ICC(A,1)", "ICC(C,1)"]

LEVELS = np.arange(int(LOWEST), int(HIGHEST) + 1)
"""The scale in whole points."""
LEAST_SPREAD = 1e-9
"""Below it nothing varies: what is left is rounding of floating-point numbers."""
FEWEST_RATINGS = 5
"""pingouin refuses fewer, and two ratings of two subjects say nothing."""


def repeat_sd(table: Floats) -> float:
    """Standard deviation of one rating around its subject's mean, in points of the scale.

    The square root of the pooled variance within subjects (Bland and Altman 1996, "Measurement
    error"), over subjects with two ratings or more.

    Args:
        table: (subjects, repeats).
    """
    known = table[(~np.isnan(table)).sum(axis=1) >= 2]
    if not len(known):
        return np.nan
    squares = np.nansum((known - np.nanmean(known, axis=1, keepdims=True)) ** 2)
    return float(np.sqrt(squares / ((~np.isnan(known)).sum() - len(known))))


def icc(table: Floats, form: Form) -> float:
    """Intraclass correlation by pingouin.

    ICC(1,1) where columns can be exchanged (repeats, sets of passages: there is no first one) and
    ICC(1,k) of the mean over all columns; ICC(A,1), absolute agreement, and ICC(C,1), which lets
    each assessor have a mean of its own, where a column is an assessor.

    Args:
        table: (subjects, ratings) without gaps.
        form: which of them.
    """
    if not _varies(table):
        return np.nan
    import pingouin  # takes seconds

    rows, columns = table.shape
    frame = pd.DataFrame(
        {
            "subject": np.repeat(np.arange(rows), columns),
            "rating": np.tile(np.arange(columns), rows),
            "score": table.ravel(),
        }
    )
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of intervals that are not used
        found = pingouin.intraclass_corr(frame, "subject", "rating", "score")
    return float(found.set_index("Type").at[form, "ICC"])


def icc_of_squares(table: Floats, form: Form) -> float:
    """`icc` from mean squares, fast enough for a thousand resamples.

    pingouin's own intervals take all subjects for independent, which sets of one person are not.

    Args:
        table: (subjects, ratings) without gaps.
        form: which of them.
    """
    if not _varies(table):
        return np.nan
    rows, columns = table.shape
    grand, by_row, by_column = table.mean(), table.mean(axis=1), table.mean(axis=0)
    between = columns * ((by_row - grand) ** 2).sum() / (rows - 1)
    within = ((table - by_row[:, None]) ** 2).sum()
    among = rows * ((by_column - grand) ** 2).sum()
    error = (within - among) / ((rows - 1) * (columns - 1))
    within /= rows * (columns - 1)
    among /= columns - 1
    above, below = {
        "ICC(1,1)": (between - within, between + (columns - 1) * within),
        "ICC(1,k)": (between - within, between),
        "ICC(C,1)": (between - error, between + (columns - 1) * error),
        "ICC(A,1)": (
            between - error,
            between + (columns - 1) * error + columns * (among - error) / rows,
        ),
    }[form]
    return float(above / below) if below > 0 else np.nan


def _varies(table: Floats) -> bool:
    """Whether a table has an ICC at all."""
    enough = min(table.shape) >= 2 and table.size >= FEWEST_RATINGS
    return bool(enough and np.ptp(table) > LEAST_SPREAD)


def level_counts(table: Floats) -> NDArray[np.int_]:
    """How often each subject was given each whole score, (subjects, levels).

    Scores are rounded, halves to the even number.

    Args:
        table: (subjects, ratings); gaps are counted nowhere.
    """
    rounded = np.rint(table)[:, :, None] == LEVELS
    return np.asarray(rounded.sum(axis=1), dtype=np.int_)


def ordinal_alpha(counts: NDArray[np.int_]) -> float:
    """Krippendorff's α for ordinal scores by the package of that name.

    Args:
        counts: (subjects, levels), as `level_counts` gives.
    """
    pairable = counts[counts.sum(axis=1) >= 2]
    if (pairable.sum(axis=0) > 0).sum() < 2:  # nobody rated twice, or all alike
        return np.nan
    return float(
        krippendorff.alpha(
            value_counts=pairable, value_domain=LEVELS, level_of_measurement="ordinal"
        )
    )


def pearson(first: Floats, second: Floats) -> float:
    """Pearson's r, in [-1, 1], of two values a subject; of three subjects or more."""
    if len(first) < 3 or not min(np.ptp(first), np.ptp(second)) > LEAST_SPREAD:
        return np.nan
    return float(np.corrcoef(first, second)[0, 1])


def spearman_brown(r: float) -> float:
    """Reliability of the whole from the correlation of its halves, 2r / (1 + r).

    For a negative r, which says that halves have nothing in common, 2r / (1 - r): the formula
    itself would run to minus infinity.
    """
    return 2.0 * r / (1.0 + abs(r))


def split_half(halves: Floats) -> float:
    """Correlation of two halves, stepped up to the length of the whole; `halves` (subjects, 2)."""
    return spearman_brown(pearson(halves[:, 0], halves[:, 1]))


def auc(scores: Floats, poles: NDArray[np.int_]) -> float:
    """How often a subject of the high pole scores above one of the low pole, ties half.

    Args:
        scores: (subjects,).
        poles: (subjects,); 1 high, -1 low, 0 neither.
    """
    high, low = scores[poles > 0], scores[poles < 0]
    if not len(high) or not len(low):
        return np.nan
    ranks = rankdata(np.concatenate([high, low]))[: len(high)]
    wins = ranks.sum() - len(high) * (len(high) + 1) / 2
    return float(wins / (len(high) * len(low)))


def pole_difference(scores: Floats, poles: NDArray[np.int_]) -> float:
    """Mean score of the high pole minus that of the low pole, in points; arguments as in `auc`."""
    high, low = scores[poles > 0], scores[poles < 0]
    return float(high.mean() - low.mean()) if len(high) and len(low) else np.nan


def limits_of_agreement(differences: Floats) -> tuple[float, float]:
    """Where 95% of the differences between two assessors lie (Bland and Altman 1986)."""
    if len(differences) < 2:
        return np.nan, np.nan
    mean, spread = differences.mean(), differences.std(ddof=1)
    return float(mean - 1.96 * spread), float(mean + 1.96 * spread)
