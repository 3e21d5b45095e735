"""Metrics over ratings, likelihoods and counts of words. No network, and nobody is asked."""

from lightning_dpg.metrics.correlation import (
    ProfileCorrelation,
    TraitConcordance,
    TraitCorrelation,
    TraitMatrix,
    TraitSlope,
    TraitSpearman,
)
from lightning_dpg.metrics.error import TraitBias, TraitMAE
from lightning_dpg.metrics.mean import WeightedMean
from lightning_dpg.metrics.psdc import PSDC, Unscored
from lightning_dpg.metrics.replies import Consistency, ContextGain, TokenNLL
from lightning_dpg.metrics.text import DistinctN, Loops, Refusals, Words

__all__ = [
    "PSDC",
    "Consistency",
    "ContextGain",
    "DistinctN",
    "Loops",
    "ProfileCorrelation",
    "Refusals",
    "TokenNLL",
    "TraitBias",
    "TraitConcordance",
    "TraitCorrelation",
    "TraitMAE",
    "TraitMatrix",
    "TraitSlope",
    "TraitSpearman",
    "Unscored",
    "WeightedMean",
    "Words",
]
