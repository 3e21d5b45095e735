"""The torchmetrics classes: equal to the functions over updates and over processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from lightning_dpg.metrics import (
    PSDC,
    ProfileCorrelation,
    TraitBias,
    TraitConcordance,
    TraitCorrelation,
    TraitMAE,
    TraitMatrix,
    TraitSlope,
    TraitSpearman,
    Unscored,
)
from lightning_dpg.metrics.agreement import (
    profile_correlation,
    trait_bias,
    trait_concordance,
    trait_mae,
    trait_matrix,
    trait_slope,
    trait_spearman,
)
from lightning_dpg.metrics.functional import NORMS, Norm, psdc, scored, trait_correlation
from tests.metrics.conftest import InTwoProcesses
from tests.metrics.test_functional import draw, tensors

BATCHES = (1, 0, 5, 17)
"""Where the personas are cut into updates: some small, one empty."""


def pieces(values: torch.Tensor) -> list[torch.Tensor]:
    sizes = [*BATCHES, len(values) - sum(BATCHES)]
    return list(values.split(sizes))


@pytest.mark.parametrize("norm", NORMS)
def test_psdc_over_updates_equals_the_function(norm: Norm) -> None:
    x, y = tensors(*draw(1))
    metric = PSDC(norm)
    for part_x, part_y in zip(pieces(x), pieces(y), strict=True):
        metric.update(part_x, part_y)
    assert metric.compute().item() == pytest.approx(psdc(x, y, norm).item(), rel=1e-6)


CENTER = torch.tensor([1.0, -2.0, 0.5, 3.0, 0.0])


def of_traits() -> list[tuple[Any, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]]:
    """Each class with the function that it must equal."""
    return [
        (TraitCorrelation(), trait_correlation),
        (TraitSpearman(), trait_spearman),
        (TraitConcordance(), trait_concordance),
        (TraitSlope(), trait_slope),
        (TraitMAE(), trait_mae),
        (TraitBias(), trait_bias),
        (TraitMatrix(), trait_matrix),
        (ProfileCorrelation(CENTER), lambda x, y: profile_correlation(x, y, CENTER).nanmean()),
    ]


@pytest.mark.parametrize("number", range(8))
def test_statistics_of_traits_over_updates_equal_the_function(number: int) -> None:
    metric, function = of_traits()[number]
    x, y = tensors(*draw(1))
    for part_x, part_y in zip(pieces(x), pieces(y), strict=True):
        metric.update(part_x, part_y)
    wanted = function(x, y)
    assert metric.compute().shape == wanted.shape
    assert metric.compute().reshape(-1).tolist() == pytest.approx(wanted.reshape(-1).tolist())
    metric.reset()
    metric.update(x[:9], -y[:9])
    assert not torch.allclose(metric.compute(), wanted)


def test_statistics_of_nobody_are_not_defined() -> None:
    for metric, _ in of_traits():
        metric.update(torch.zeros(0, 5), torch.zeros(0, 5))
        assert metric.compute().isnan().all()
        metric.update(torch.zeros(3, 5), torch.full((3, 5), torch.nan))
        assert metric.compute().isnan().all()


def test_unscored_counts_personas() -> None:
    _, y = tensors(*draw(1, unscored=6))
    metric = Unscored()
    for part in pieces(y):
        metric.update(part)
    assert metric.compute().item() == 6


def test_without_a_scored_persona_there_is_no_deviation() -> None:
    metric, unscored, correlation = PSDC(), Unscored(), TraitCorrelation()
    correlation.update(torch.zeros(0, 5), torch.zeros(0, 5))
    nothing = torch.full((3, 5), torch.nan)
    metric.update(torch.zeros(3, 5), nothing)
    unscored.update(nothing)
    assert metric.compute().isnan()
    assert unscored.compute().item() == 3
    assert correlation.compute().isnan().all()


def test_reset_forgets() -> None:
    x, y = tensors(*draw(1))
    metrics: list[Any] = [PSDC(), TraitCorrelation()]
    for metric in metrics:
        metric.update(x + 1, -y)
        metric.reset()
        metric.update(x, y)
    assert metrics[0].compute().item() == pytest.approx(psdc(x, y).item(), rel=1e-6)
    assert metrics[1].compute().tolist() == pytest.approx(trait_correlation(x, y).tolist())


def test_an_unknown_norm_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="norm expected one of l2, l1, mae, rmse, got 'max'"):
        PSDC("max")  # type: ignore[arg-type]


def test_many_personas_lose_no_precision() -> None:
    metric = PSDC("l1")
    for _ in range(2000):
        metric.update(torch.full((10, 5), 0.1), torch.zeros(10, 5))
    assert metric.compute().item() == pytest.approx(0.5, rel=1e-6)


def metrics_of(*shares: tuple[torch.Tensor, torch.Tensor]) -> list[list[float]]:
    """All metrics over some shares of the personas; without a share they are never updated."""
    traits = [metric for metric, _ in of_traits()]
    metrics: list[Any] = [*(PSDC(norm) for norm in NORMS), *traits, Unscored()]
    for x, y in shares:
        for metric in metrics[:-1]:
            metric.update(x, y)
        metrics[-1].update(y)
    return [metric.compute().reshape(-1).tolist() for metric in metrics]


PERSONAS = tensors(*draw(1))
SHARES: tuple[tuple[list[slice], list[slice]], ...] = (
    ([slice(0, 13)], [slice(13, None)]),
    ([slice(0, 0)], [slice(None)]),
    ([], [slice(None)]),
    ([slice(9, None), slice(0, 9)], []),
)
"""Of two processes: uneven shares; an update with nobody; none at all, once in each."""


def reduced_in(rank: int) -> list[list[list[float]]]:
    """In one of two processes: all metrics of its shares, put together with the other's."""
    x, y = PERSONAS
    return [metrics_of(*((x[part], y[part]) for part in shares[rank])) for shares in SHARES]


def test_two_processes_reduce_to_what_one_gets(in_two_processes: InTwoProcesses) -> None:
    x, y = PERSONAS
    expected = metrics_of((x, y))
    assert expected[-1] == [(~scored(y)).sum().item()]
    for found in in_two_processes["classes"]:
        assert len(found) == len(SHARES)
        for values in found:
            for got, wanted in zip(values, expected, strict=True):
                assert got == pytest.approx(wanted, rel=1e-6)
    for share in (x[:13], y[:13]), (x[13:], y[13:]):  # neither process alone gets there
        for got, wanted in zip(metrics_of(share), expected, strict=True):
            assert got != pytest.approx(wanted, rel=1e-6)


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_what_was_never_updated_is_not_defined() -> None:
    *values, unscored = metrics_of()
    assert unscored == [0.0]
    assert all(torch.tensor(value).isnan().all() for value in values)
