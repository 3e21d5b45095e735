"""Intervals against closed forms and against a bootstrap written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap, norm, pearsonr

from lightning_dpg.evaluation.statistics import (
    Interval,
    correlation_interval,
    mean_interval,
    ratio_interval,
)
from lightning_dpg.evaluation.statistics.intervals import interval

NOTHING = {"mean": None, "low": None, "high": None}


def draw(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(4.0, 1.0, size)


def test_the_interval_of_a_mean_is_near_the_normal_one() -> None:
    values = draw(400)
    found = mean_interval(values, 4000, seed=0)
    half = norm.ppf(0.975) * values.std() / np.sqrt(len(values))
    assert found["mean"] == pytest.approx(values.mean())
    assert found["low"] == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert found["high"] == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_the_interval_of_a_few_values_equals_a_bootstrap_written_out() -> None:
    values = draw(12)
    rng = np.random.default_rng(5)
    means = [values[rng.integers(0, 12, 12)].mean() for _ in range(20_000)]
    found = mean_interval(values, 20_000, seed=0)
    assert found["low"] == pytest.approx(np.percentile(means, 2.5), abs=0.04)
    assert found["high"] == pytest.approx(np.percentile(means, 97.5), abs=0.04)


def test_the_interval_of_a_ratio_is_near_the_delta_method() -> None:
    below = draw(300)
    above = 0.7 * below + np.random.default_rng(1).normal(0, 0.5, 300)
    found = ratio_interval(above, below, 4000, seed=0)
    ratio = above.mean() / below.mean()
    half = norm.ppf(0.975) * (above - ratio * below).std() / (below.mean() * np.sqrt(300))
    assert found["mean"] == pytest.approx(ratio)
    assert found["low"] == pytest.approx(ratio - half, abs=0.15 * half)
    assert found["high"] == pytest.approx(ratio + half, abs=0.15 * half)


def test_a_ratio_is_resampled_in_pairs() -> None:
    below = draw(50)
    paired = ratio_interval(2 * below, below, 500, seed=0)
    assert (paired["mean"], paired["low"], paired["high"]) == pytest.approx((2, 2, 2))
    unpaired = ratio_interval(np.roll(2 * below, 7), below, 500, seed=0)
    assert unpaired["high"] - unpaired["low"] > 0.2  # type: ignore[operator]


def test_the_same_seed_gives_the_same_interval() -> None:
    values = draw(20)
    assert mean_interval(values, 100, 1) == mean_interval(values, 100, 1)
    assert mean_interval(values, 100, 1) != mean_interval(values, 100, 2)


def test_values_that_do_not_vary_have_a_point_for_an_interval() -> None:
    three = pytest.approx(3.0)
    found = mean_interval(np.full(10, 3.0), 100, 0)
    assert [found["mean"], found["low"], found["high"]] == [three] * 3


def test_one_value_has_a_mean_and_no_interval() -> None:
    one, other = np.array([3.0]), np.array([4.0])
    assert mean_interval(one, 100, 0) == {"mean": 3.0, "low": None, "high": None}
    assert ratio_interval(one, other, 100, 0) == {"mean": 0.75, "low": None, "high": None}


def test_no_value_has_no_mean() -> None:
    nobody = np.array([])
    assert mean_interval(nobody, 100, 0) == NOTHING
    assert ratio_interval(nobody, nobody, 100, 0) == NOTHING


def test_a_ratio_that_some_resamples_do_not_have_has_no_interval() -> None:
    found = ratio_interval(np.ones(3), np.array([0.0, 0.0, 3.0]), 100, 0)
    assert found == {"mean": 1.0, "low": None, "high": None}


def test_a_ratio_over_nothing_is_not_defined() -> None:
    assert ratio_interval(np.ones(3), np.zeros(3), 100, 0) == NOTHING


def test_the_interval_of_a_correlation_is_near_fishers() -> None:
    rng = np.random.default_rng(0)
    first = rng.standard_normal(200)
    second = 0.8 * first + 0.6 * rng.standard_normal(200)
    found = correlation_interval(first, second, 4000, 0)
    r = np.corrcoef(first, second)[0, 1]
    assert found["mean"] == pytest.approx(r)
    half = norm.ppf(0.975) / np.sqrt(197)  # on Fisher's scale
    low, high = np.arctanh(np.array([found["low"], found["high"]], dtype=float))
    assert low == pytest.approx(np.arctanh(r) - half, abs=0.15 * half)
    assert high == pytest.approx(np.arctanh(r) + half, abs=0.15 * half)


def test_a_correlation_that_is_not_defined() -> None:
    assert correlation_interval(np.arange(9.0), np.ones(9), 100, 0) == NOTHING
    assert correlation_interval(np.arange(2.0), np.arange(2.0), 100, 0) == NOTHING
    three = correlation_interval(np.arange(3.0), np.array([0.0, 1.0, 1.0]), 100, 0)
    assert three["mean"] is not None and three["low"] is None  # some resamples do not vary


def ratio(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(x.mean(axis=axis) / y.mean(axis=axis))


def correlation(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(pearsonr(x, y, axis=axis).statistic)


def bounds(found: Interval) -> tuple[float | None, float | None]:
    return found["low"], found["high"]


def test_personas_by_themselves_are_drawn_as_scipy_draws_them() -> None:
    x, y = draw(30, 1), draw(30, 2)
    x += y
    found = [
        (mean_interval(x, 500, 3), (x,), np.mean),
        (ratio_interval(x, y, 500, 3), (x, y), ratio),
        (correlation_interval(x, y, 500, 3), (x, y), correlation),
    ]
    for mine, data, statistic in found:
        scipys = bootstrap(
            data,
            statistic,
            paired=len(data) > 1,
            n_resamples=500,
            method="percentile",
            rng=np.random.default_rng(3),
        )
        assert bounds(mine) == pytest.approx(scipys.confidence_interval, rel=1e-12)
    each = [str(i) for i in range(30)]
    assert mean_interval(x, 500, 3, each) == mean_interval(x, 500, 3)
    assert ratio_interval(x, y, 500, 3, each) == ratio_interval(x, y, 500, 3)
    assert correlation_interval(x, y, 500, 3, each) == correlation_interval(x, y, 500, 3)


def test_four_copies_of_a_character_are_no_new_evidence() -> None:
    x, y = draw(20, 1), draw(20, 2)
    x += y
    often = np.tile(np.arange(20), 4)
    whose = [f"character {i}" for i in often]
    for once, copied, unaware in (
        (mean_interval(x, 800, 0), *(mean_interval(x[often], 800, 0, c) for c in (whose, None))),
        (
            ratio_interval(x, y, 800, 0),
            *(ratio_interval(x[often], y[often], 800, 0, c) for c in (whose, None)),
        ),
        (
            correlation_interval(x, y, 800, 0),
            *(correlation_interval(x[often], y[often], 800, 0, c) for c in (whose, None)),
        ),
    ):
        assert copied == pytest.approx(once)
        width, narrow = (one["high"] - one["low"] for one in (once, unaware))  # type: ignore[operator]
        assert narrow == pytest.approx(width / 2, rel=0.25)


def test_clusters_of_different_sizes_equal_a_bootstrap_written_out() -> None:
    values = draw(14, 4)
    whose = ["a", "b", "a", "a", "c", "a", "d", "b", "e", "a", "f", "f", "g", "g"]
    members = [np.flatnonzero(np.array(whose) == name) for name in "abcdefg"]
    rng = np.random.default_rng(7)
    means = []
    for _ in range(10_000):
        rows = np.concatenate([members[i] for i in rng.integers(0, 7, 7)])
        means.append(values[rows].mean())
    found = mean_interval(values, 10_000, 0, whose)
    assert found["mean"] == pytest.approx(values.mean())
    assert bounds(found) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])), abs=0.04)


def test_one_character_has_a_mean_and_no_interval() -> None:
    found = mean_interval(draw(5), 100, 0, ["mara"] * 5)
    assert found["mean"] == pytest.approx(draw(5).mean()) and bounds(found) == (None, None)


def test_resamples_without_the_statistic() -> None:
    some = np.array([np.nan, *np.linspace(0, 1, 39)])
    assert bounds(interval(0.5, some)) == (None, None)
    assert bounds(interval(0.5, some, 0.95)) == pytest.approx((0.025, 0.975))
    assert bounds(interval(0.5, np.array([np.nan, np.nan, *some[2:]]), 0.96)) == (None, None)
    assert interval(np.nan, some, 0.95) == NOTHING
    assert interval(0.5, None) == {"mean": 0.5, "low": None, "high": None}
