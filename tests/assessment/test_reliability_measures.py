"""Intervals over persons, and what is reported of one trait."""

from __future__ import annotations

import numpy as np
import pytest

from lightning_dpg.assessment.reliability import measures
from lightning_dpg.assessment.reliability import statistics as st
from lightning_dpg.assessment.reliability.resampling import Draws, estimate

DRAWS = Draws(200, 0)
NAN = np.nan


def width(found: dict[str, float | None]) -> float:
    assert found["low"] is not None and found["high"] is not None
    return found["high"] - found["low"]


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=100)
    people = [str(i) for i in range(100)]
    found = estimate(lambda rows: float(values[rows].mean()), people, Draws(2000, 1))
    assert found["value"] == pytest.approx(values.mean())
    assert width(found) == pytest.approx(2 * 1.96 * values.std() / 10, rel=0.1)
    assert (found["subjects"], found["persons"]) == (100, 100)


def test_subjects_of_one_person_are_drawn_together() -> None:
    """Ten copies of each person say no more than one: the interval must not shrink."""
    values = np.random.default_rng(0).normal(size=20)
    single = estimate(lambda rows: float(values[rows].mean()), [str(i) for i in range(20)], DRAWS)
    copies = np.repeat(values, 10)
    people = [str(i) for i in range(20) for _ in range(10)]
    found = estimate(lambda rows: float(copies[rows].mean()), people, DRAWS)
    assert width(found) == pytest.approx(width(single))
    assert (found["subjects"], found["persons"]) == (200, 20)


def test_few_persons_have_no_interval() -> None:
    found = estimate(lambda rows: float(rows.mean()), list("aaaabbbccdde"), DRAWS)
    assert found["value"] == pytest.approx(5.5)
    assert found["low"] is found["high"] is None


def test_a_coefficient_that_most_resamples_lack_has_no_interval() -> None:
    people = list("abcdefgh")
    found = estimate(lambda rows: 1.0 if 0 in rows else NAN, people, DRAWS)
    assert found["value"] == 1 and found["low"] is None
    found = estimate(lambda rows: NAN, people, DRAWS)
    assert found["value"] is None and found["low"] is None


def test_the_seed_decides() -> None:
    values, people = np.arange(9.0) ** 2, list("abcdefghi")
    first, second, other = (
        estimate(lambda rows: float(values[rows].mean()), people, Draws(50, seed))
        for seed in (1, 1, 2)
    )
    assert first == second != other


def test_unscored_subjects_are_left_out_and_not_taken_for_zero() -> None:
    scores = np.array([2.0, NAN, 4.0, NAN, 3.0, 3.0, 1.0, 5.0])
    found = measures.level(scores, list("abcdefgh"), DRAWS)
    assert found["value"] == pytest.approx(3)
    assert found["subjects"] == 6
    nobody = measures.level(np.full(3, NAN), list("abc"), DRAWS)
    assert nobody["value"] is None and nobody["subjects"] == 0


def test_known_groups_leave_out_who_has_no_pole() -> None:
    scores = np.array([3.0, 2.0, 1.0, NAN, -1.0, 9.0, -2.0])
    poles = np.array([1, 1, -1, -1, -1, 0, 1])
    found = measures.known_groups(scores, poles, list("abcdefg"), DRAWS)
    assert found["auc"]["value"] == pytest.approx(4 / 6)
    assert found["auc"]["subjects"] == 5
    assert found["pole_difference"]["value"] == pytest.approx(1.0 - 0.0)


def test_halves_need_both() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(40, 1)) + rng.normal(size=(40, 2))
    people = [str(i) for i in range(40)]
    whole = measures.halves(table, people, DRAWS)
    gap = np.concatenate([table, [[9.0, NAN]]])
    assert measures.halves(gap, [*people, "x"], DRAWS) == whole
    r = np.corrcoef(table.T)[0, 1]
    assert whole["value"] == pytest.approx(2 * r / (1 + r))
    assert whole["low"] < whole["value"] < whole["high"]


def test_repeats() -> None:
    rng = np.random.default_rng(0)
    table = np.clip(2 * rng.normal(size=(30, 1)) + rng.normal(size=(30, 3)), -5, 5)
    table[0, 0], table[1] = NAN, NAN
    found = measures.repeats(table, [str(i) for i in range(30)], DRAWS)
    assert found["sd"]["value"] == pytest.approx(st.repeat_sd(table))
    assert found["icc"]["value"] == pytest.approx(st.icc_of_squares(table[2:], "ICC(1,1)"))
    assert found["icc_mean"]["value"] == pytest.approx(st.icc_of_squares(table[2:], "ICC(1,k)"))
    assert found["alpha"]["value"] == pytest.approx(st.ordinal_alpha(st.level_counts(table)))
    assert found["undecided"] == 1
    assert found["icc"]["subjects"] == 28 and found["alpha"]["subjects"] == 29


def test_sets_take_as_many_of_each_person_as_leaves_the_fewest_unused() -> None:
    scores = {"a": [1, 2, 3], "b": [5, 4, 6, 9], "c": [0, 1, 0], "d": [2, 2], "e": [7]}
    flat = np.array([s for own in scores.values() for s in own], float)
    people = [person for person, own in scores.items() for _ in own]
    found = measures.sets(flat, people, DRAWS)
    assert found["sets"] == 3  # nine subjects; two would be eight, four would be four
    table = np.array([[1, 2, 3], [5, 4, 6], [0, 1, 0]], float)
    assert found["icc"]["value"] == pytest.approx(st.icc_of_squares(table, "ICC(1,1)"))
    assert found["icc"]["persons"] == found["icc"]["subjects"] == 3
    assert found["alpha"]["persons"] == 4  # gaps are allowed there


def test_persons_with_one_subject_have_no_sets() -> None:
    found = measures.sets(np.arange(4.0), list("abcd"), DRAWS)
    assert found["sets"] == 0
    assert found["icc"]["value"] is found["alpha"]["value"] is None


def test_agreement_with_a_shifted_copy() -> None:
    first = np.array([1.0, -2.0, 0.0, 3.0, 2.0, -3.0, NAN, 1.0])
    second = first - 1.5
    second[7] = NAN
    found = measures.agreement(first, second, list("abcdefgh"), DRAWS)
    assert found["r"]["value"] == pytest.approx(1)
    assert found["r"]["subjects"] == 6
    assert found["icc_consistency"]["value"] == pytest.approx(1)
    assert found["icc"]["value"] < 0.9
    assert found["bias"]["value"] == pytest.approx(1.5)
    assert found["limits"] == pytest.approx([1.5, 1.5])


def test_agreement_without_a_shared_subject() -> None:
    found = measures.agreement(np.array([NAN, 1.0]), np.array([1.0, NAN]), ["a", "b"], DRAWS)
    assert found["limits"] == [None, None]
    assert found["r"]["value"] is found["icc"]["value"] is found["alpha"]["value"] is None
