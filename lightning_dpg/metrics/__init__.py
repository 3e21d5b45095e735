"""Metrics over ratings: tensors in, tensors out. No network, no text."""

from lightning_dpg.metrics.correlation import TraitCorrelation
from lightning_dpg.metrics.psdc import PSDC, Unscored

__all__ = ["PSDC", "TraitCorrelation", "Unscored"]
