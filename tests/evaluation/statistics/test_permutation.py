"""Tests by permutation against all arrangements written out, and against t tests."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_ind

from lightning_dpg.evaluation.statistics.permutation import divisions, sign_flips


def draw(size: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, size)


def all_flips(differences: np.ndarray, groups: list[int]) -> float:
    """Share of all flips of whole groups whose mean is as far from 0."""
    found = abs(differences.mean())
    flips = np.array(list(product([1, -1], repeat=max(groups) + 1)))
    means = np.abs((flips[:, groups] * differences).mean(1))
    return float((means >= found - 1e-12).mean())


@pytest.mark.parametrize("seed", range(3))
def test_few_characters_are_flipped_in_all_ways(seed: int) -> None:
    differences = draw(9, 0.7, seed)
    each, pairs = list(range(9)), [0, 0, 1, 1, 2, 2, 3, 3, 3]
    for groups in (each, pairs):
        p = sign_flips(differences, groups, 10, seed)
        assert p == pytest.approx(all_flips(differences, groups), abs=1e-12)
    assert sign_flips(differences, each, 10, 0) == sign_flips(-differences, each, 99, 5)


def test_twelve_characters_are_few_and_thirteen_are_many() -> None:
    exact = sign_flips(np.ones(12), range(12), 100, 0)
    assert exact == pytest.approx(2 / 2**12)
    drawn = sign_flips(np.ones(13), range(13), 100, 0)
    assert drawn == pytest.approx(1 / 101)  # itself among the drawn: never 0


def test_many_characters_are_flipped_at_random() -> None:
    differences = draw(14, 0.5, 0)
    wanted = all_flips(differences, list(range(14)))
    found = sign_flips(differences, range(14), 8000, 0)
    assert 0.02 < wanted < 0.5
    assert found == pytest.approx(wanted, abs=0.02)
    assert found == sign_flips(differences, range(14), 8000, 0)
    assert found != sign_flips(differences, range(14), 8000, 1)


def test_personas_of_a_character_are_flipped_together() -> None:
    differences, copies = draw(8, 0.6), 6
    often, whose = np.repeat(differences, copies), np.repeat(np.arange(8), copies)
    once = sign_flips(differences, range(8), 100, 0)
    assert sign_flips(often, list(whose), 100, 0) == once
    unaware = sign_flips(often, range(48), 2000, 0)
    assert once is not None and unaware is not None and unaware < once / 2


def test_large_samples_agree_with_t_tests() -> None:
    paired, first, second = draw(80, 0.2), draw(70, 0.3, 1), draw(60, 0.0, 2)
    t = ttest_1samp(paired, 0).pvalue
    assert sign_flips(paired, range(80), 4000, 0) == pytest.approx(t, abs=0.02)
    t = ttest_ind(first, second).pvalue
    assert divisions(first, second, 4000, 0) == pytest.approx(t, abs=0.02)


def test_few_groups_are_divided_in_all_ways() -> None:
    first, second = draw(4, 1.0), draw(5, 0.0, 1)
    pooled, found = np.concatenate([first, second]), abs(first.mean() - second.mean())
    ways = [
        abs(pooled[list(c)].mean() - np.delete(pooled, c).mean()) for c in combinations(range(9), 4)
    ]
    wanted = np.mean(np.array(ways) >= found - 1e-12)
    assert divisions(first, second, 10, 0) == pytest.approx(wanted)
    assert divisions(second, first, 10, 7) == pytest.approx(wanted)


def test_nothing_differs() -> None:
    assert sign_flips(np.zeros(20), range(20), 100, 0) == 1
    assert divisions(np.ones(9), np.ones(8), 100, 0) == 1


def test_too_few_to_tell() -> None:
    assert sign_flips(np.ones(5), [0] * 5, 100, 0) is None
    assert sign_flips(np.array([]), [], 100, 0) is None
    assert divisions(np.ones(1), np.ones(5), 100, 0) is None
