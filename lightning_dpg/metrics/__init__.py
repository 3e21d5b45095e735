"""Metrics over ratings: tensors in, tensors out. No network, no text."""

from lightning_dpg.metrics.correlation import (
    ProfileCorrelation,
    TraitConcordance,
    TraitCorrelation,
    TraitMatrix,
    TraitSlope,
    TraitSpearman,
)
from lightning_dpg.metrics.error import TraitBias, TraitMAE
from lightning_dpg.metrics.psdc import PSDC, Unscored

__all__ = [
    "PSDC",
    "ProfileCorrelation",
    "TraitBias",
    "TraitConcordance",
    "TraitCorrelation",
    "TraitMAE",
    "TraitMatrix",
    "TraitSlope",
    "TraitSpearman",
    "Unscored",
]
