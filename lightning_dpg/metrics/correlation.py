"""Correlations as torchmetrics classes: they keep the personas, the functions do the arithmetic."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from lightning_dpg.metrics.agreement import (
    profile_correlation,
    trait_concordance,
    trait_matrix,
    trait_slope,
    trait_spearman,
)
from lightning_dpg.metrics.functional import trait_correlation
from lightning_dpg.metrics.rows import OfRows
from lightning_dpg.records import TRAITS


class OfPersonas(OfRows):
    """A statistic of prompted and measured scores that is no sum over personas.

    Keeps the personas, ten numbers each.
    """

    higher_is_better: bool | None = True
    prompted: list[Tensor]
    measured: list[Tensor]

    def __init__(self) -> None:
        super().__init__(("prompted", "measured"), (len(TRAITS),))

    def update(self, prompted: Tensor, measured: Tensor) -> None:
        """Add personas: both (personas, 5); NaN in `measured` where unscored."""
        self.add(prompted=prompted, measured=measured)

    def compute(self) -> Tensor:
        """The statistic, NaN where it is not defined."""
        return self.statistic(self.rows("prompted"), self.rows("measured"))

    @abstractmethod
    def statistic(self, prompted: Tensor, measured: Tensor) -> Tensor:
        """What is computed of all personas, both (personas, 5)."""


class TraitCorrelation(OfPersonas):
    """Pearson correlation of prompted and measured scores, one value per trait, (5,)."""

    def statistic(self, prompted: Tensor, measured: Tensor) -> Tensor:
        """See `functional.trait_correlation`."""
        return trait_correlation(prompted, measured)


class TraitSpearman(OfPersonas):
    """Spearman's rank correlation of prompted and measured scores, one value per trait, (5,)."""

    def statistic(self, prompted: Tensor, measured: Tensor) -> Tensor:
        """See `agreement.trait_spearman`."""
        return trait_spearman(prompted, measured)


class TraitConcordance(OfPersonas):
    """Lin's concordance correlation, one value per trait, (5,)."""

    def statistic(self, prompted: Tensor, measured: Tensor) -> Tensor:
        """See `agreement.trait_concordance`."""
        return trait_concordance(prompted, measured)


class TraitSlope(OfPersonas):
    """Measured points a point prompted, one value per trait, (5,); best at 1."""

    higher_is_better = None

    def statistic(self, prompted: Tensor, measured: Tensor) -> Tensor:
        """See `agreement.trait_slope`."""
        return trait_slope(prompted, measured)


class TraitMatrix(OfPersonas):
    """Correlations of prompted (rows) with measured traits (columns), (5, 5)."""

    higher_is_better = None

    def statistic(self, prompted: Tensor, measured: Tensor) -> Tensor:
        """See `agreement.trait_matrix`."""
        return trait_matrix(prompted, measured)


class ProfileCorrelation(OfPersonas):
    """Mean over personas of the correlation over traits, the corpus mean removed, a scalar.

    Args:
        center: (5,), the corpus mean.
    """

    center: Tensor

    def __init__(self, center: Tensor) -> None:
        super().__init__()
        self.register_buffer("center", center)

    def statistic(self, prompted: Tensor, measured: Tensor) -> Tensor:
        """See `agreement.profile_correlation`; personas without a correlation do not count."""
        return profile_correlation(prompted, measured, self.center).nanmean()
