"""The arithmetic of the metrics against numpy, scipy and pencil."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr

from lightning_dpg.metrics.functional import (
    NORMS,
    Norm,
    persona_deviation,
    psdc,
    scored,
    strangers_deviation,
    trait_correlation,
)

Array = np.ndarray

ORACLES: dict[Norm, Callable[[Array], float]] = {
    "l2": lambda d: math.sqrt(sum(x * x for x in d)),
    "l1": lambda d: sum(abs(x) for x in d),
    "mae": lambda d: sum(abs(x) for x in d) / 5,
    "rmse": lambda d: math.sqrt(sum(x * x for x in d) / 5),
}
"""Deviation of one persona from its five differences, written out."""


def draw(seed: int, personas: int = 40, unscored: int = 6) -> tuple[Array, Array]:
    """Targets, and measurements that follow them a little; some rows partly or wholly NaN."""
    rng = np.random.default_rng(seed)
    prompted = rng.uniform(-5, 5, (personas, 5))
    measured = np.clip(0.4 * prompted + rng.normal(0, 2, (personas, 5)), -5, 5)
    for row in rng.choice(personas, unscored, replace=False):
        measured[row, rng.choice(5, rng.integers(1, 6), replace=False)] = np.nan
    return prompted, measured


def tensors(*arrays: Array) -> list[torch.Tensor]:
    return [torch.tensor(array, dtype=torch.float64) for array in arrays]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(3))
def test_psdc_equals_the_oracle(norm: Norm, seed: int) -> None:
    prompted, measured = draw(seed)
    values = [
        ORACLES[norm](p - m)
        for p, m in zip(prompted, measured, strict=True)
        if not any(math.isnan(x) for x in m)
    ]
    assert len(values) == 34
    x, y = tensors(prompted, measured)
    assert persona_deviation(x, y, norm).numpy() == pytest.approx(values)
    assert psdc(x, y, norm).item() == pytest.approx(sum(values) / len(values))


@pytest.mark.parametrize(
    ("norm", "value"), [("l2", 3.0), ("l1", 5.0), ("mae", 1.0), ("rmse", math.sqrt(9 / 5))]
)
def test_psdc_by_hand(norm: Norm, value: float) -> None:
    prompted = torch.tensor([[1.0, -2.0, 3.0, 0.0, 5.0]])
    measured = torch.tensor([[3.0, -4.0, 2.0, 0.0, 5.0]])  # differs by 2, 2, 1, 0, 0
    assert psdc(prompted, measured, norm).item() == pytest.approx(value)


def test_l2_is_the_default_and_the_norms_differ() -> None:
    x, y = tensors(*draw(0))
    values = [psdc(x, y, norm).item() for norm in NORMS]
    assert psdc(x, y).item() == values[NORMS.index("l2")]
    assert len({round(value, 6) for value in values}) == 4


@pytest.mark.parametrize("norm", NORMS)
def test_constant_zero_against_uniform_targets_gets_what_the_design_says(norm: Norm) -> None:
    prompted = torch.tensor(np.random.default_rng(0).uniform(-5, 5, (200_000, 5)))
    zero = psdc(prompted, torch.zeros_like(prompted), norm).item()
    # E|U| = 2.5 a trait; the root of E|U|² = 25/3 is 2.89, of five of them 6.45, above the means.
    bounds = {"l2": (6.2, 6.46), "l1": (12.45, 12.55), "mae": (2.49, 2.51), "rmse": (2.77, 2.89)}
    low, high = bounds[norm]
    assert low < zero < high


@pytest.mark.parametrize("column", range(5))
def test_one_missing_trait_leaves_the_persona_out(column: int) -> None:
    prompted = torch.zeros(2, 5)
    measured = torch.tensor([[1.0] * 5, [4.0] * 5])
    measured[1, column] = torch.nan
    assert scored(measured).tolist() == [True, False]
    assert psdc(prompted, measured, "l1").item() == 5.0


@pytest.mark.parametrize("norm", NORMS)
def test_nothing_scored_is_nan_and_not_zero(norm: Norm) -> None:
    assert psdc(torch.zeros(3, 5), torch.full((3, 5), torch.nan), norm).isnan()
    assert psdc(torch.zeros(0, 5), torch.zeros(0, 5), norm).isnan()


def test_shapes_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match=r"got \(3, 5\) and \(2, 5\)"):
        persona_deviation(torch.zeros(3, 5), torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"got \(1, 5\) and \(3, 5\)"):  # would broadcast
        persona_deviation(torch.zeros(1, 5), torch.zeros(3, 5))


def test_an_unknown_norm_is_named() -> None:
    with pytest.raises(ValueError, match="norm expected one of l2, l1, mae, rmse, got 'l3'"):
        persona_deviation(torch.zeros(1, 5), torch.zeros(1, 5), "l3")  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
def test_correlation_equals_scipy(seed: int) -> None:
    prompted, measured = draw(seed)
    kept = ~np.isnan(measured).any(1)
    expected = [pearsonr(prompted[kept, t], measured[kept, t]).statistic for t in range(5)]
    assert trait_correlation(*tensors(prompted, measured)).tolist() == pytest.approx(expected)


def test_correlation_tells_directions_apart() -> None:
    x = torch.arange(10.0)[:, None] * torch.tensor([1.0, -1.0, 2.0, 1.0, 1.0])
    y = torch.arange(10.0)[:, None].expand(10, 5).clone()
    y[:, 3] = 2.5  # does not vary
    r = trait_correlation(x, y)
    assert r[[0, 1, 2, 4]].tolist() == pytest.approx([1, -1, 1, 1])
    assert r[3].isnan()


@pytest.mark.parametrize("personas", [0, 1, 2])
def test_correlation_of_too_few_personas_is_not_defined(personas: int) -> None:
    x = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    y = 2 * x
    y[personas:] = torch.nan
    assert trait_correlation(x, y).isnan().all()
    assert trait_correlation(x, 2 * x).tolist() == pytest.approx([1.0] * 5)


def test_strangers_are_all_others_and_never_oneself() -> None:
    x = torch.tensor([0.0, 1.0, 3.0])[:, None].expand(3, 5)
    others = torch.tensor([(1 + 3) / 2, (1 + 2) / 2, (3 + 2) / 2])
    assert torch.allclose(strangers_deviation(x, x, "mae"), others)
    assert torch.allclose(strangers_deviation(x, x), others * math.sqrt(5))
    measured = x.clone()
    measured[1, 2] = math.nan  # unscored: left out, but still somebody's stranger
    assert torch.allclose(strangers_deviation(x, measured, "mae"), others[[0, 2]])
    assert len(strangers_deviation(x, torch.full_like(x, math.nan))) == 0
