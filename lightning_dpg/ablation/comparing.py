"""A cell in numbers: what its runs measured, pooled over seeds, and against the reference cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from statistics import fmean
from typing import Any

import numpy as np
import torch

from lightning_dpg.ablation.measured import Asked, Measured
from lightning_dpg.evaluation.statistics import Floats, Interval, mean_interval, ratio_interval
from lightning_dpg.evaluation.statistics.comparison import comparison
from lightning_dpg.evaluation.statistics.intervals import interval
from lightning_dpg.evaluation.statistics.resampling import draws
from lightning_dpg.evaluation.statistics.traits import LEAST_DEFINED
from lightning_dpg.metrics.agreement import trait_pearson
from lightning_dpg.records import TRAITS

PLAIN = ("distinct_2", "loops", "words")
"""Of the quality, what has no interval."""
INTERVALS = ("nll", "coherency")

ROUNDING = 1e-4
"""Targets that differ by less in every trait are one target."""

Key = tuple[int, str]
"""Seed and persona: with another seed a profile of the same id is another one."""


@dataclass(frozen=True)
class Bootstrap:
    """Resamples over personas, or the characters that they are, and the seed of the draws."""

    resamples: int
    seed: int


@dataclass(frozen=True)
class Row:
    """A persona that was scored."""

    persona: Asked
    cluster: str
    measured: tuple[float, ...]
    deviation: float


Runs = Mapping[int, Measured]
"""What the runs of a cell measured, by seed."""


def cell_numbers(runs: Runs, reference: Runs, bootstrap: Bootstrap) -> dict[str, Any]:
    """All numbers of a cell.

    Personas of all seeds are one sample. What has no value by persona, such as the likelihood of
    replies, is the mean over seeds, with the interval of a single one alone.

    Args:
        runs: of the cell.
        reference: of the cell that it is compared with; its own for that cell itself.
        bootstrap: of all intervals.

    Returns:
        `psdc`, `ratio` to the reference and `compared`, the difference from it (see `_against`),
        `mean_r`, `traits` (r of each), `profile_r`, `descriptions`, `nll`, `coherency` and the
        plain measures; `by_seed`; `groups` of personas with what constant zero gets on the same;
        `trivial` answers; counts, and the personas without a score by `reasons`.
    """
    rows = pooled(runs)
    first = next(iter(runs.values()))
    correlations = _correlations(list(rows.values()), bootstrap)
    every = list(runs.values())
    return {
        "arm": first.arm,
        "task": first.task,
        "scored": len(rows),
        "unscored": sum(len(run.personas) for run in every) - len(rows),
        "reasons": _reasons(runs),
        "psdc": _mean(list(rows.values()), bootstrap),
        **_against(rows, pooled(reference), bootstrap),
        "mean_r": correlations[-1],
        "traits": dict(zip(TRAITS, correlations, strict=False)),
        "profile_r": _over_seeds([run.profile_r for run in every]),
        "descriptions": {shown: _effect(every, shown) for shown in ("words", "traits")},
        **{name: _over_seeds([run.quality.get(name) for run in every]) for name in INTERVALS},
        **{name: _known_mean([run.quality.get(name) for run in every]) for name in PLAIN},
        "by_seed": {
            "psdc": [_plain_mean(pooled({s: run})) for s, run in runs.items()],
            "mean_r": [_plain_r(pooled({s: run})) for s, run in runs.items()],
        },
        "groups": _groups(rows, bootstrap),
        "trivial": {
            name: _known_mean([run.trivial.get(name) for run in every]) for name in first.trivial
        },
    }


def pooled(runs: Runs) -> dict[Key, Row]:
    """The scored personas of all seeds. A drawn profile of another seed is another persona."""
    rows: dict[Key, Row] = {}
    for seed, run in runs.items():
        for persona in run.personas:
            deviation = run.deviation(persona)
            if deviation is not None:
                own = persona.cluster == persona.id
                cluster = f"{seed}/{persona.id}" if own else persona.cluster
                measured = run.measured[persona.id]
                rows[seed, persona.id] = Row(persona, cluster, measured, deviation)
    return rows


def _mean(rows: Sequence[Row], bootstrap: Bootstrap) -> Interval:
    clusters = [row.cluster for row in rows]
    return mean_interval(_deviations(rows), bootstrap.resamples, bootstrap.seed, clusters)


def _against(
    rows: Mapping[Key, Row], reference: Mapping[Key, Row], bootstrap: Bootstrap
) -> dict[str, Any]:
    """Deviations against those of the reference, over the personas that both have scored.

    Only where both were asked for the same profile: of a character that has another centre in
    another cell, with other labels or fewer lines, the two distances are to different places.

    Returns:
        `ratio` of the means, with how many `pairs` it is of and how many personas had
        `other_targets`; `compared`, cell minus reference, see `comparison`.
    """
    both = [key for key in rows if key in reference]
    same = [key for key in both if _same_target(rows[key], reference[key])]
    own, other = (_deviations([found[key] for key in same]) for found in (rows, reference))
    clusters = [rows[key].cluster for key in same]
    ratio = ratio_interval(own, other, bootstrap.resamples, bootstrap.seed, clusters)
    return {
        "ratio": {**ratio, "pairs": len(same), "other_targets": len(both) - len(same)},
        "compared": comparison(own, other, clusters, bootstrap.resamples, bootstrap.seed),
    }


def _same_target(row: Row, other: Row) -> bool:
    pairs = zip(row.persona.target, other.persona.target, strict=True)
    return all(abs(first - second) < ROUNDING for first, second in pairs)


def _reasons(runs: Runs) -> dict[str, list[str]]:
    """Why personas have no score: each reason with their ids, most frequent first."""
    found: dict[str, list[str]] = {}
    for seed, run in runs.items():
        for key, reason in run.reasons.items():
            name = f"{key}, seed {seed}" if len(runs) > 1 else key
            found.setdefault(reason, []).append(name)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def _correlations(rows: Sequence[Row], bootstrap: Bootstrap) -> list[Interval]:
    """Asked against measured: r of each trait, and behind them the mean over traits.

    A resample, or a cell, without r of some trait has no mean.
    """
    asked = torch.tensor([row.persona.target for row in rows]).reshape(-1, len(TRAITS))
    measured = torch.tensor([row.measured for row in rows]).reshape(-1, len(TRAITS))
    found = trait_pearson(asked, measured)
    clusters = [row.cluster for row in rows]
    weights = draws(len(rows), clusters, bootstrap.resamples, bootstrap.seed)
    drawn = None
    if weights is not None:
        drawn = trait_pearson(asked, measured, torch.from_numpy(weights)).double().numpy()
    intervals = [
        interval(float(r), None if drawn is None else drawn[:, i], LEAST_DEFINED)
        for i, r in enumerate(found)
    ]
    means = None if drawn is None else drawn.mean(1)
    return [*intervals, interval(float(found.mean()), means, LEAST_DEFINED)]


def _groups(rows: Mapping[Key, Row], bootstrap: Bootstrap) -> list[dict[str, Any]]:
    """P.S.D.C. by kind of persona and by language, where there are several."""
    found = []
    for by in ("kind", "language"):
        names = list(dict.fromkeys(getattr(row.persona, by) for row in rows.values()))
        for name in names if len(names) > 1 else ():
            some = [row for row in rows.values() if getattr(row.persona, by) == name]
            found.append(
                {
                    "by": by,
                    "name": name,
                    "psdc": _mean(some, bootstrap),
                    "zero": fmean(hypot(*row.persona.target) for row in some),
                    "personas": len(some),
                }
            )
    return found


def _effect(runs: Sequence[Measured], shown: str) -> dict[str, Any]:
    """What descriptions explain: shares as means over seeds, and each seed's p."""
    effects = [run.descriptions.get(shown) or {} for run in runs]
    return {
        "explained": _known_mean([effect.get("explained") for effect in effects]),
        "expected": _known_mean([effect.get("expected") for effect in effects]),
        "p": [effect.get("p") for effect in effects],
    }


def _over_seeds(found: Sequence[Interval | None]) -> Interval:
    """The interval of a single seed; of several their mean, which has none."""
    known = [value for value in found if value and value["mean"] is not None]
    if len(found) == 1 and known:
        return known[0]
    return Interval(mean=_known_mean([v["mean"] for v in known]), low=None, high=None)


def _known_mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _plain_mean(rows: Mapping[Key, Row]) -> float | None:
    return fmean(row.deviation for row in rows.values()) if rows else None


def _plain_r(rows: Mapping[Key, Row]) -> float | None:
    return _correlations(list(rows.values()), Bootstrap(1, 0))[-1]["mean"]


def _deviations(rows: Sequence[Row]) -> Floats:
    return np.array([row.deviation for row in rows], dtype=np.float64)
