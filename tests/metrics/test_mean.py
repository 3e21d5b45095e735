"""The mean over batches of unequal sizes."""

from __future__ import annotations

import pytest
import torch

from lightning_dpg.metrics import WeightedMean

SIZES = (3, 7, 1, 130)
MEANS = torch.rand(len(SIZES), generator=torch.Generator().manual_seed(0)) * 9


def test_each_batch_counts_as_often_as_what_it_is_a_mean_of() -> None:
    metric = WeightedMean()
    for mean, size in zip(MEANS, SIZES, strict=True):
        metric.update(mean, torch.tensor(size))
    by_hand = sum(m * n for m, n in zip(MEANS.tolist(), SIZES, strict=True)) / sum(SIZES)
    assert metric.compute().item() == pytest.approx(by_hand, rel=1e-6)
    assert by_hand != pytest.approx(MEANS.mean().item(), rel=1e-2)
    metric.reset()
    metric.update(MEANS[0], 3)
    assert metric.compute() == MEANS[0] * 3 / 3


def test_a_mean_that_is_no_number_is_not_hidden() -> None:
    metric = WeightedMean()
    metric.update(torch.tensor(2.0), 4)
    metric.update(torch.tensor(torch.nan), 4)
    assert metric.compute().isnan()


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_of_nothing_there_is_no_mean() -> None:
    assert WeightedMean().compute().isnan()


def test_it_goes_on_outside_of_inference_mode() -> None:
    metric = WeightedMean()
    with torch.inference_mode():
        metric.update(torch.tensor(1.0), 1)
        metric.reset()
    metric.update(torch.tensor(2.0), 1)
    assert metric.compute() == 2.0
