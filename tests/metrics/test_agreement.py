"""Statistics by trait against scipy and numpy, and weights against rows that are repeated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import linregress, pearsonr, spearmanr

from lightning_dpg.metrics.agreement import (
    diagonal_mean,
    off_diagonal_mean,
    profile_correlation,
    trait_bias,
    trait_concordance,
    trait_mae,
    trait_matrix,
    trait_pearson,
    trait_slope,
    trait_spearman,
)
from lightning_dpg.metrics.functional import trait_correlation
from tests.metrics.test_functional import Array, draw, tensors


def concordance_of_pairs(x: Array, y: Array) -> float:
    """Lin's definition: 1 - expected squared difference over that of independent scores."""
    return float(1 - ((x - y) ** 2).mean() / ((x[:, None] - y[None, :]) ** 2).mean())


ORACLES: dict[Callable[..., torch.Tensor], Callable[[Array, Array], float]] = {
    trait_pearson: lambda x, y: pearsonr(x, y).statistic,
    trait_spearman: lambda x, y: spearmanr(x, y).statistic,
    trait_concordance: concordance_of_pairs,
    trait_slope: lambda x, y: linregress(x, y).slope,
    trait_mae: lambda x, y: float(sum(abs(a - b) for a, b in zip(x, y, strict=True)) / len(x)),
    trait_bias: lambda x, y: float(y.mean() - x.mean()),
}
CORRELATIONS = (trait_pearson, trait_spearman, trait_concordance, trait_slope)


def with_ties(seed: int) -> tuple[Array, Array]:
    prompted, measured = draw(seed)
    return prompted.round(), measured.round()


@pytest.mark.parametrize("statistic", ORACLES)
@pytest.mark.parametrize("seed", range(3))
def test_each_equals_its_oracle(statistic: Callable[..., torch.Tensor], seed: int) -> None:
    for prompted, measured in (draw(seed), with_ties(seed)):
        kept = ~np.isnan(measured).any(1)
        assert kept.sum() == 34
        wanted = [ORACLES[statistic](prompted[kept, t], measured[kept, t]) for t in range(5)]
        found = statistic(*tensors(prompted, measured))
        assert found.tolist() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("statistic", ORACLES)
def test_a_weight_is_how_often_a_persona_comes(statistic: Callable[..., torch.Tensor]) -> None:
    prompted, measured = with_ties(5)
    counts = np.random.default_rng(0).integers(0, 4, (2, 3, len(prompted)))
    found = statistic(*tensors(prompted, measured, counts))
    assert found.shape == (2, 3, 5)
    for row in np.ndindex(2, 3):
        times = counts[row]
        often = tensors(prompted.repeat(times, axis=0), measured.repeat(times, axis=0))
        assert found[row].tolist() == pytest.approx(statistic(*often).tolist(), rel=1e-5)
    one = torch.ones(len(prompted))
    assert statistic(*tensors(prompted, measured), one).tolist() == pytest.approx(
        statistic(*tensors(prompted, measured)).tolist()
    )


def test_pearson_without_weights_is_the_function_that_was() -> None:
    x, y = tensors(*draw(0))
    assert trait_pearson(x, y).tolist() == trait_correlation(x, y).tolist()


def test_concordance_sees_what_pearson_does_not() -> None:
    x = torch.linspace(-2, 2, 9)[:, None].expand(9, 5).double()
    y = x * torch.tensor([1.0, 0.5, 1.0, -1.0, 0.0]) + torch.tensor([0.0, 0.0, 2.0, 0.0, 0.0])
    variance = x[:, 0].var(correction=0).item()
    wanted = [1, 1 / 1.25, 2 * variance / (2 * variance + 4), -1, 0]
    assert trait_concordance(x, y).tolist() == pytest.approx(wanted)
    assert trait_pearson(x, y)[:4].tolist() == pytest.approx([1, 1, 1, -1])
    assert trait_slope(x, y).tolist() == pytest.approx([1, 0.5, 1, -1, 0])
    assert trait_bias(x, y).tolist() == pytest.approx([0, 0, 2, 0, 0])


@pytest.mark.parametrize("statistic", CORRELATIONS)
def test_two_personas_or_none_have_no_correlation(statistic: Callable[..., torch.Tensor]) -> None:
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    y = x.clone()
    assert statistic(x, y).tolist() == pytest.approx([1.0] * 5)
    y[2:] = torch.nan
    assert statistic(x, y).isnan().all() and statistic(x, y, torch.ones(7, 4)).isnan().all()
    assert statistic(x[:0], y[:0]).isnan().all()


@pytest.mark.parametrize("statistic", [trait_mae, trait_bias])
def test_one_persona_has_an_error_and_nobody_has_none(
    statistic: Callable[..., torch.Tensor],
) -> None:
    x, y = torch.zeros(2, 5), torch.full((2, 5), 2.0)
    y[1, 3] = torch.nan
    assert statistic(x, y).tolist() == [2.0] * 5
    assert statistic(x[1:], y[1:]).isnan().all()


@pytest.mark.parametrize("statistic", [trait_pearson, trait_spearman, trait_slope])
def test_targets_that_do_not_vary(statistic: Callable[..., torch.Tensor]) -> None:
    x, y = torch.full((6, 5), 0.1), torch.randn(6, 5)
    assert statistic(x, y).isnan().all()
    # In a resample, too: whoever comes alone varies in nothing.
    alone = torch.tensor([[3.0, 0, 0, 0, 0, 0], [1.0, 1, 1, 0, 0, 0]])
    found = statistic(torch.randn(6, 5), y, alone)
    assert found[0].isnan().all() and not found[1].isnan().any()


def test_the_matrix_has_prompted_traits_in_rows() -> None:
    prompted, measured = draw(2)
    measured[:, 4] += 2 * prompted[:, 0]
    kept = ~np.isnan(measured).any(1)
    wanted = np.corrcoef(prompted[kept].T, measured[kept].T)[:5, 5:]
    matrix = trait_matrix(*tensors(prompted, measured))
    assert matrix.numpy() == pytest.approx(wanted, rel=1e-5)
    assert matrix[0, 4] > 0.7 > matrix[4, 0].abs()
    assert matrix.diagonal().tolist() == trait_pearson(*tensors(prompted, measured)).tolist()


def test_the_matrix_in_two_numbers() -> None:
    matrix = torch.full((5, 5), -0.25) + torch.diag(torch.tensor([1.0, 0.75, 0.5, 0.25, 0.0]))
    matrix[0, 1] = 0.25
    assert diagonal_mean(matrix).item() == pytest.approx(0.25)
    assert off_diagonal_mean(matrix).item() == pytest.approx(0.25)
    matrix[2, 3] = torch.nan  # a mean over fewer would look better than it is
    assert off_diagonal_mean(matrix).isnan() and not diagonal_mean(matrix).isnan()


def test_profiles_correlate_without_the_corpus_mean() -> None:
    prompted, measured = draw(3)
    center = np.array([2.0, -1.0, 0.5, 3.0, -4.0])
    kept = ~np.isnan(measured).any(1)
    wanted = [
        pearsonr(x - center, y - center).statistic
        for x, y in zip(prompted[kept], measured[kept], strict=True)
    ]
    x, y, c = tensors(prompted, measured, center)
    assert profile_correlation(x, y, c).tolist() == pytest.approx(wanted, rel=1e-4)
    with_center = profile_correlation(x, y, torch.zeros(5))
    assert (with_center - profile_correlation(x, y, c)).abs().max() > 0.2


def test_a_profile_at_the_center_correlates_with_nothing() -> None:
    center = torch.tensor([2.0, -1.0, 0.5, 3.0, -4.0])
    prompted = torch.stack([center + torch.arange(5.0)] * 3)
    measured = torch.stack([center, center + 1, center - torch.arange(5.0)])
    found = profile_correlation(prompted, measured, center)
    assert found.isnan().tolist() == [True, True, False]
    assert found[2].item() == pytest.approx(-1)
