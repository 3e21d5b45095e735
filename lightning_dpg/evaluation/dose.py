"""Dose and response: what one dial does to its own trait, and to the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.results import ratings_tensor, trait_r
from lightning_dpg.evaluation.statistics import Floats, Interval
from lightning_dpg.evaluation.statistics.traits import trait_table
from lightning_dpg.records import TRAITS, Rating

FEWEST = 3
RESAMPLES = 2000
LEAST_SLOPE = 0.01
"""A dial that moves its trait less than so many points a point at mild doses cannot flatten."""


def dose_response(
    personas: Sequence[Persona],
    ratings: Sequence[Rating],
    second: Sequence[Rating],
    null: Sequence[Rating] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Per trait what is measured at each dose, by itself and at further backgrounds.

    Args:
        personas: of `dose_personas`, in its order.
        ratings: one for each.
        second: those of a second instrument.
        null: what the frozen model without an adapter gets where it is asked as often as all
            personas with the others at 0, one rating for each of them: the response that chance
            alone shows.
        resamples: of the bootstrap over doses.
        seed: of the bootstrap.

    Returns:
        By trait, with the others at 0: all of `response`; `second_r`, the doses' correlation with
        what the second instrument measures of the trait; `backgrounds`, where the others stand at
        other profiles, each with its `background` and all of `response`; and `null` with
        `spearman`, `slopes`, `violations`, `measured` and `intervals`, where it is given.
    """
    targets = torch.tensor([p.target.scores for p in personas])
    seen = ratings_tensor(second)
    rounds = _rounds(personas)

    def answered(mine: Sequence[int], own: int) -> dict[str, Any]:
        chosen = [personas[k] for k in mine], [ratings[k] for k in mine]
        return response(*chosen, own, resamples, seed)

    found: dict[str, Any] = {}
    for i, trait in enumerate(TRAITS):
        mine = rounds[0][i]
        found[trait] = {
            **answered(mine, i),
            "second_r": trait_r(targets[mine], seen[mine])[trait],
            "backgrounds": [
                {"background": _background(personas, by_trait), **answered(by_trait[i], i)}
                for by_trait in rounds[1:]
            ],
        }
    if null is not None:
        for trait, control in _null(personas, rounds[0], null, resamples, seed).items():
            found[trait]["null"] = control
    return found


def response(
    personas: Sequence[Persona],
    ratings: Sequence[Rating],
    own: int,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """One dial over its doses.

    Args:
        personas: one for each dose, from the lowest to the highest.
        ratings: one for each.
        own: the number of the trait that is dosed.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        `doses`; `profiles`, all five measured scores at each, for whoever reads on; `measured` of
        the own trait, None where unscored. Of the scored doses: `slopes` of all five traits
        (measured points a point asked); `spearman`, None where nothing varies; `violations`, how
        many steps of the dose the measured score goes down; `saturation`, see `saturation`;
        `intervals` of `spearman` and of the own `slope`. All of these are None with fewer than
        three scored doses.

        A rating is of all replies at a dose together, so that intervals come from the bootstrap
        over doses: they hold how far single doses lie off the line, and not which questions were
        asked. Where the response bends, that counts as scatter.
    """
    doses = [p.target.scores[own] for p in personas]
    scored = [r.complete for r in ratings]
    at = np.array(doses)[scored]
    scores: Floats = np.array([r.scores for r in ratings if r.complete], dtype=np.float64)
    return {
        "doses": doses,
        "measured": [r.scores[own] for r in ratings],
        "profiles": [list(r.scores) for r in ratings],
        **_statistics(at, scores, own),
        "intervals": _intervals(at, scores, own, resamples, seed),
    }


def saturation(doses: Floats, scores: Floats) -> float | None:
    """How much of a dial's slope at mild doses is left at strong ones.

    The outer half of the doses lies at half of the strongest or beyond; its slope is fitted to both
    of its sides together, each with a level of its own. The inner half lies at half or below.

    Args:
        doses: (doses,), around 0.
        scores: measured of the dosed trait, (doses,).

    Returns:
        Outer over inner slope: 1 where the dial is straight, below 1 where it flattens, below 0
        where it turns back. None where there are too few doses for either slope, or where the inner
        one does not rise.
    """
    half = np.abs(doses).max() / 2
    inner = _slope_within(doses, scores, [np.abs(doses) <= half])
    outer = _slope_within(doses, scores, [doses <= -half, doses >= half])
    if inner is None or outer is None or inner < LEAST_SLOPE:
        return None
    return outer / inner


def _rounds(personas: Sequence[Persona]) -> list[list[list[int]]]:
    """Which personas are of each background, at 0 first, and of each trait."""
    found: dict[str, list[list[int]]] = {"": [[] for _ in TRAITS]}
    for k, persona in enumerate(personas):
        *before, trait, _ = persona.id.removeprefix("dose/").split("/")
        by_trait = found.setdefault("/".join(before), [[] for _ in TRAITS])
        by_trait[TRAITS.index(trait)].append(k)
    return list(found.values())


def _background(personas: Sequence[Persona], by_trait: Sequence[Sequence[int]]) -> list[float]:
    """Where the others stand: each trait as it is while another one is dosed."""
    first, second = (personas[by_trait[i][0]].target.scores for i in (0, 1))
    return [second[0], *first[1:]]


def _null(
    personas: Sequence[Persona],
    by_trait: Sequence[Sequence[int]],
    null: Sequence[Rating],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    asked = sorted(k for mine in by_trait for k in mine)
    if len(null) != len(asked):
        raise ValueError(
            f"null expected one rating for each of {len(asked)} doses, got {len(null)}"
        )
    ratings = dict(zip(asked, null, strict=True))
    kept = ("spearman", "slopes", "violations", "measured", "intervals")
    found = {}
    for i, trait in enumerate(TRAITS):
        mine = by_trait[i]
        chosen = [personas[k] for k in mine], [ratings[k] for k in mine]
        control = response(*chosen, i, resamples, seed)
        found[trait] = {name: control[name] for name in kept}
    return found


def _statistics(doses: Floats, scores: Floats, own: int) -> dict[str, Any]:
    if len(doses) < FEWEST:
        return dict.fromkeys(("spearman", "slopes", "violations", "saturation"))
    mine = scores[:, own]
    varies = float(np.ptp(mine)) > 0
    return {
        "spearman": float(spearmanr(doses, mine).statistic) if varies else None,
        "slopes": np.polyfit(doses, scores, 1)[0].tolist(),
        "violations": int((np.diff(mine) < 0).sum()),
        "saturation": saturation(doses, mine),
    }


def _intervals(
    doses: Floats, scores: Floats, own: int, resamples: int, seed: int
) -> dict[str, Interval] | None:
    if len(doses) < FEWEST:
        return None
    asked = torch.zeros(len(doses), len(TRAITS), dtype=torch.float64)
    asked[:, own] = torch.from_numpy(doses)
    measured, names = torch.from_numpy(scores), ("spearman", "slope")
    return dict(trait_table(asked, measured, None, resamples, seed, names)[TRAITS[own]])


def _slope_within(doses: Floats, scores: Floats, parts: Sequence[Floats]) -> float | None:
    """Least-squares slope that parts of the doses share, each with a level of its own."""
    together = spread = 0.0
    for part in parts:
        if part.any():
            x, y = doses[part] - doses[part].mean(), scores[part]
            together, spread = together + float(x @ y), spread + float(x @ x)
    return together / spread if spread > 0 else None
