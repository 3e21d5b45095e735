"""Comparing two arms, or two groups of characters: difference, p, and size of the effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
from scipy.stats import bootstrap
from torch import Tensor

from lightning_dpg.evaluation.statistics.intervals import Interval, mean_interval, nothing
from lightning_dpg.evaluation.statistics.permutation import divisions, sign_flips
from lightning_dpg.evaluation.statistics.resampling import Floats, grouped
from lightning_dpg.evaluation.statistics.traits import of_kept
from lightning_dpg.metrics.functional import persona_deviation, scored
from lightning_dpg.records import TRAITS

LEAST_SPREAD = 1e-9
"""Below it differences do not vary: what is left is rounding of floating-point numbers."""


class Difference(TypedDict):
    """A difference of means; None where it cannot be computed."""

    difference: Interval
    p: float | None


class Comparison(Difference):
    """A paired comparison: `effect` is d_z, `personas` how many have both values."""

    effect: float | None
    personas: int


class TraitComparison(Difference):
    """Absolute errors of one trait: `effect` is d_z; `p_holm` over the five traits."""

    effect: float | None
    p_holm: float | None


class ArmComparison(Comparison):
    """Deviations (L2) of two arms; `p_holm` over the other arms."""

    p_holm: float | None
    traits: dict[str, TraitComparison]


def comparison(
    first: Floats,
    second: Floats,
    clusters: Sequence[str] | None,
    permutations: int,
    seed: int,
) -> Comparison:
    """First minus second over the same personas, see `permutation.sign_flips`.

    Args:
        first: one value a persona, (personas,), such as its deviation; NaN where it has none.
        second: the same of the other arm, same personas.
        clusters: the character of each persona; None: every persona by itself.
        permutations: flips to draw where there are too many to try all, and resamples of the
            interval.
        seed: of both.

    Returns:
        `difference` of the means with its interval; `p`, two-sided, None with fewer than two
        clusters; `effect`, mean over standard deviation of the differences (d_z, Cohen 1988),
        None where they do not vary.
    """
    groups = grouped(len(first), clusters)
    differences = np.asarray(first - second, dtype=np.float64)
    known = ~np.isnan(differences)
    differences = differences[known]
    whose = [group for group, keep in zip(groups, known, strict=True) if keep]
    whose = list(grouped(len(whose), whose))  # numbered without those who are left out
    return Comparison(
        difference=mean_interval(differences, permutations, seed, whose),
        p=sign_flips(differences, whose, permutations, seed),
        effect=_effect(differences),
        personas=len(differences),
    )


def difference_between(first: Floats, second: Floats, resamples: int, seed: int) -> Difference:
    """First minus second between groups of different characters, see `permutation.divisions`.

    Args:
        first: one value a character of the first group, (characters,).
        second: of the other group, (other characters,).
        resamples: divisions to draw where there are too many to try all, and resamples of the
            interval, each group by itself.
        seed: of both.

    Returns:
        `difference` of the means; its interval, and `p`, two-sided, None where a group has fewer
        than two.
    """
    if not len(first) or not len(second):
        return Difference(difference=nothing(), p=None)
    found = Interval(mean=float(first.mean() - second.mean()), low=None, high=None)
    if min(len(first), len(second)) > 1:
        bounds = bootstrap(
            (first, second),
            lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
            n_resamples=resamples,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).confidence_interval
        found["low"], found["high"] = float(bounds.low), float(bounds.high)
    return Difference(difference=found, p=divisions(first, second, resamples, seed))


def holm(ps: Mapping[str, float | None]) -> dict[str, float | None]:
    """Holm's step-down correction (1979) of the tests of one family; None is no test of it."""
    from pingouin import multicomp  # takes seconds, once; statsmodels collects garbage every time

    known = {name: p for name, p in ps.items() if p is not None}
    if not known:
        return dict(ps)
    corrected = multicomp(list(known.values()), method="holm")[1]
    found = dict(zip(known, map(float, corrected), strict=True))
    return {name: found.get(name) for name in ps}


def compare_arms(
    targets: Tensor,
    measured_by_arm: Mapping[str, Tensor],
    main: str,
    clusters: Sequence[str] | None,
    resamples: int,
    seed: int,
) -> dict[str, ArmComparison]:
    """The main arm minus each other one, over the personas that both have a score for.

    Args:
        targets: prompted scores, (personas, 5).
        measured_by_arm: the same by arm, NaN where unscored.
        main: the arm that is compared; where it is not there, nothing is.
        clusters: the character of each persona; None: every persona by itself.
        resamples: see `comparison`.
        seed: of intervals and flips.

    Returns:
        By other arm; where the difference is below 0, the main arm deviates less.
    """
    if main not in measured_by_arm:
        return {}
    found: dict[str, ArmComparison] = {}
    for arm, other in measured_by_arm.items():
        if arm != main:
            both = scored(measured_by_arm[main]) & scored(other)
            pair = measured_by_arm[main][both], other[both]
            found[arm] = _compared(targets[both], *pair, of_kept(clusters, both), resamples, seed)
    for arm, corrected in holm({arm: one["p"] for arm, one in found.items()}).items():
        found[arm]["p_holm"] = corrected
    return found


def _compared(
    asked: Tensor,
    main: Tensor,
    other: Tensor,
    clusters: Sequence[str] | None,
    resamples: int,
    seed: int,
) -> ArmComparison:
    """Deviations and, by trait, errors of two arms, both (personas, 5) without gaps."""

    def compared(first: Tensor, second: Tensor) -> Comparison:
        x, y = first.double().numpy(), second.double().numpy()
        return comparison(x, y, clusters, resamples, seed)

    whole = compared(persona_deviation(asked, main), persona_deviation(asked, other))
    errors = (main - asked).abs(), (other - asked).abs()
    traits = {trait: compared(errors[0][:, i], errors[1][:, i]) for i, trait in enumerate(TRAITS)}
    corrected = holm({trait: one["p"] for trait, one in traits.items()})
    by_trait = {
        trait: TraitComparison(
            difference=one["difference"],
            p=one["p"],
            effect=one["effect"],
            p_holm=corrected[trait],
        )
        for trait, one in traits.items()
    }
    return ArmComparison(**whole, p_holm=None, traits=by_trait)


def _effect(differences: Floats) -> float | None:
    if len(differences) < 2:
        return None
    spread = differences.std(ddof=1)
    return float(differences.mean() / spread) if spread > LEAST_SPREAD else None
