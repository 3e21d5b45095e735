"""Agreement of halves against scipy, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr

from lightning_dpg.assessment.reliability import statistics
from lightning_dpg.metrics.split_half import consistency, spearman_brown, split_half

NOISE = (0.2, 1.0, 3.0, 0.5, 30.0)
"""Of the halves, trait by trait."""


def halves(seed: int, personas: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Ratings of two halves that share a true score; two personas unscored in one of them."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(-4, 4, (personas, 5))
    first, second = true + rng.normal(size=(2, personas, 5)) * NOISE
    first[3], second[7, 2] = np.nan, np.nan
    return first, second


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_scipy_stepped_up(seed: int) -> None:
    first, second = halves(seed)
    kept = ~(np.isnan(first) | np.isnan(second)).any(1)
    assert kept.sum() == 28
    expected = []
    for trait in range(5):
        r = pearsonr(first[kept, trait], second[kept, trait]).statistic
        expected.append(2 * r / (1 + abs(r)))
    got = split_half(torch.tensor(first), torch.tensor(second))
    assert got.tolist() == pytest.approx(expected, abs=1e-6)
    mean = consistency(torch.tensor(first), torch.tensor(second)).item()
    assert mean == pytest.approx(np.mean(expected), abs=1e-6)
    assert got[0] > 0.95 > got[2]


@pytest.mark.parametrize("r", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_stepping_up_is_that_of_the_reliability_study(r: float) -> None:
    assert spearman_brown(torch.tensor(r)).item() == pytest.approx(statistics.spearman_brown(r))


def test_a_trait_that_does_not_vary_has_none_and_is_left_out_of_the_mean() -> None:
    first = torch.arange(4.0)[:, None].repeat(1, 5)
    second = first.clone()
    second[:, 1], second[:, 2] = 2.5, -first[:, 2]
    r = split_half(first, second)
    assert r[[0, 2, 3, 4]].tolist() == pytest.approx([1, -1, 1, 1]) and r[1].isnan()
    assert consistency(first, second).item() == pytest.approx(0.5)
    assert consistency(first, torch.zeros(4, 5)).isnan()


def test_two_personas_are_too_few() -> None:
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    x[2:] = torch.nan
    assert split_half(x, torch.ones(4, 5)).isnan().all() and consistency(x, x).isnan()


def test_shapes_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match=r"got \(3, 5\) and \(2, 5\)"):
        split_half(torch.zeros(3, 5), torch.zeros(2, 5))
