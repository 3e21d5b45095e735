"""Intervals; `traits` and `comparison`, which take tensors, are imported by name."""

from lightning_dpg.evaluation.statistics.intervals import (
    Interval,
    correlation_interval,
    mean_interval,
    ratio_interval,
)
from lightning_dpg.evaluation.statistics.resampling import Floats

__all__ = [
    "Floats",
    "Interval",
    "correlation_interval",
    "mean_interval",
    "ratio_interval",
]
