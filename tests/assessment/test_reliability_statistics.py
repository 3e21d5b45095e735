"""Coefficients against hand-worked examples and other routes to the same number."""

from __future__ import annotations

from itertools import combinations
from statistics import stdev

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from lightning_dpg.assessment.reliability.statistics import (
    Form,
    auc,
    icc,
    icc_of_squares,
    level_counts,
    limits_of_agreement,
    ordinal_alpha,
    pearson,
    pole_difference,
    repeat_sd,
    spearman_brown,
    split_half,
)

NAN = np.nan
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Shrout and Fleiss (1979), table 2: four judges of six targets."""


@pytest.mark.parametrize(
    ("form", "published"),
    [("ICC(1,1)", 0.17), ("ICC(A,1)", 0.29), ("ICC(C,1)", 0.71), ("ICC(1,k)", 0.44)],
)
def test_icc_of_the_published_example(form: Form, published: float) -> None:
    assert icc(JUDGES, form) == pytest.approx(published, abs=0.005)
    assert icc_of_squares(JUDGES, form) == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize("form", ["ICC(1,1)", "ICC(1,k)", "ICC(A,1)", "ICC(C,1)"])
@pytest.mark.parametrize("shape", [(7, 2), (12, 5)])
def test_both_routes_to_an_icc_agree(form: Form, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape[0])
    person, rater = rng.normal(size=(shape[0], 1)), rng.normal(size=(1, shape[1]))
    table = person + 0.7 * rater + rng.normal(size=shape)
    assert icc_of_squares(table, form) == pytest.approx(icc(table, form), abs=1e-9)


def test_icc_of_one_rating_is_the_share_of_variance_between_people() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(4000, 1)) * 2 + rng.normal(size=(4000, 3))
    assert icc_of_squares(table, "ICC(1,1)") == pytest.approx(4 / 5, abs=0.02)
    assert icc_of_squares(table, "ICC(1,k)") == pytest.approx(12 / 13, abs=0.02)


def test_a_constant_shift_lowers_agreement_and_not_consistency() -> None:
    first = np.array([1.0, 2.0, 4.0, 3.0, -2.0])
    table = np.stack([first, first + 3], axis=1)
    assert icc(table, "ICC(C,1)") == pytest.approx(1)
    assert icc(table, "ICC(A,1)") < 0.6


@pytest.mark.parametrize(
    "table",
    [np.ones((5, 2)), np.arange(6.0)[None], np.arange(6.0)[:, None], np.arange(4.0).reshape(2, 2)],
)
def test_there_is_no_icc_where_nothing_varies_or_compares(table: np.ndarray) -> None:
    assert np.isnan(icc(table, "ICC(1,1)"))
    assert np.isnan(icc_of_squares(table, "ICC(1,1)"))


KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T
"""Krippendorff (2011, "Computing Krippendorff's alpha-reliability"): ordinal α = .815."""


def alpha_by_hand(table: np.ndarray) -> float:
    """Observed over expected disagreement, from all pairs of values, with his ordinal metric."""
    units = [[v for v in row if not np.isnan(v)] for row in table]
    units = [unit for unit in units if len(unit) > 1]
    pooled = [v for unit in units for v in unit]
    levels = sorted(set(pooled))

    def squared(a: float, b: float) -> float:
        low, high = min(a, b), max(a, b)
        inside = sum(pooled.count(v) for v in levels if low <= v <= high)
        return float((inside - (pooled.count(a) + pooled.count(b)) / 2) ** 2)

    observed = sum(
        2 * squared(a, b) / (len(unit) - 1) for unit in units for a, b in combinations(unit, 2)
    ) / len(pooled)
    expected = sum(2 * squared(a, b) for a, b in combinations(pooled, 2))
    return 1 - observed * len(pooled) * (len(pooled) - 1) / expected


def test_alpha_of_the_published_example() -> None:
    assert ordinal_alpha(level_counts(KRIPPENDORFF)) == pytest.approx(0.815, abs=0.0005)
    assert alpha_by_hand(KRIPPENDORFF) == pytest.approx(0.815, abs=0.0005)


def test_alpha_with_gaps_and_fractions_equals_the_hand_count() -> None:
    rng = np.random.default_rng(3)
    table = np.clip(rng.normal(size=(30, 1)) * 2 + rng.normal(size=(30, 4)), -5, 5)
    table[rng.random(table.shape) < 0.3] = NAN
    assert ordinal_alpha(level_counts(table)) == pytest.approx(alpha_by_hand(np.rint(table)))


def test_scores_are_counted_by_whole_points() -> None:
    counts = level_counts(np.array([[-5.0, 4.6, NAN], [0.4, -0.4, 0.0]]))
    assert counts.sum() == 5
    assert counts[0, 0] == counts[0, 10] == 1
    assert counts[1, 5] == 3


@pytest.mark.parametrize("table", [np.ones((4, 3)), np.array([[1.0, NAN], [NAN, 3.0]])])
def test_there_is_no_alpha_without_pairs_that_may_differ(table: np.ndarray) -> None:
    assert np.isnan(ordinal_alpha(level_counts(table)))


def test_repeat_sd_pools_variances_within_subjects() -> None:
    assert repeat_sd(np.array([[1.0, 3.0], [5.0, 5.0]])) == pytest.approx(1.0)
    table = np.array([[1.0, 2.0, 4.0], [0.0, 1.0, NAN], [3.0, NAN, NAN]])
    pooled = (2 * stdev([1, 2, 4]) ** 2 + stdev([0, 1]) ** 2) / 3
    assert repeat_sd(table) == pytest.approx(pooled**0.5)
    assert np.isnan(repeat_sd(np.array([[1.0, NAN]])))


def test_repeat_sd_finds_the_noise_whatever_people_are_like() -> None:
    rng = np.random.default_rng(1)
    table = 3 * rng.normal(size=(3000, 1)) + 0.5 * rng.normal(size=(3000, 3))
    assert repeat_sd(table) == pytest.approx(0.5, abs=0.01)


def test_spearman_brown_is_the_reliability_of_twice_the_length() -> None:
    assert spearman_brown(0.6) == pytest.approx(0.75)
    assert spearman_brown(1.0) == 1
    assert spearman_brown(-0.6) == pytest.approx(-0.75)
    assert spearman_brown(-1.0) == -1
    rng = np.random.default_rng(2)
    halves = rng.normal(size=(20000, 1)) + rng.normal(size=(20000, 2))
    assert split_half(halves) == pytest.approx(2 / 3, abs=0.02)  # of a whole: 1 / (1 + 1/2)


def test_pearson_needs_three_that_differ() -> None:
    assert pearson(np.array([1.0, 2.0, 3.0]), np.array([3.0, 5.0, 7.0])) == pytest.approx(1)
    assert np.isnan(pearson(np.array([1.0, 2.0]), np.array([1.0, 2.0])))
    assert np.isnan(pearson(np.ones(5), np.arange(5.0)))


def test_auc_equals_mann_whitney_with_ties() -> None:
    rng = np.random.default_rng(4)
    scores = rng.integers(-3, 4, size=60).astype(float)
    poles = rng.integers(-1, 2, size=60)
    high, low = scores[poles == 1], scores[poles == -1]
    expected = mannwhitneyu(high, low).statistic / (len(high) * len(low))
    assert auc(scores, poles) == pytest.approx(expected)
    assert auc(-scores, poles) == pytest.approx(1 - expected)
    assert pole_difference(scores, poles) == pytest.approx(high.mean() - low.mean())


def test_there_is_no_auc_of_one_pole() -> None:
    assert np.isnan(auc(np.arange(3.0), np.array([1, 1, 0])))
    assert np.isnan(pole_difference(np.arange(3.0), np.array([-1, 0, 0])))


def test_limits_hold_the_middle_of_the_differences() -> None:
    low, high = limits_of_agreement(np.array([1.0, 3.0]))
    assert (low + high) / 2 == pytest.approx(2)
    assert high - low == pytest.approx(2 * 1.96 * 2**0.5)
    assert np.isnan(limits_of_agreement(np.array([1.0]))).all()
