"""What dials, descriptions and fluency come to over several seeds, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import bootstrap, spearmanr

from lightning_dpg.evaluation.statistics import Floats
from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import Dose, Estimate, RunFolder
from lightning_dpg.report.style import label
from lightning_dpg.report.tables import NOTHING, interval, number, signed

RESAMPLES = 2000
FEWEST = 3
"""Doses for a slope."""


def dose_table(runs: Sequence[RunFolder]) -> list[str]:
    """One dial at a time: by seed, and over the doses of all seeds; nothing without doses.

    The interval of a slope is a bootstrap over doses. The steepest slope of another trait is chosen
    among four, so its interval says how well that one is known and not that it is steepest.
    """
    by_trait = [[d for run in runs for d in run.doses if d.trait == trait] for trait in TRAITS]
    if not any(by_trait):
        return []
    head = ["dial", "Spearman by seed", "all", "slope by seed", "all", "95%"]
    head += ["steepest other by seed", "all", "95%", "r, second instrument"]
    rows = [_dose_row(trait, doses) for trait, doses in zip(TRAITS, by_trait, strict=True)]
    return _table(head, rows)


def description_table(runs: Sequence[RunFolder]) -> list[str]:
    """What descriptions alone explain, by seed; nothing where they were not studied."""
    shown = [name for name in ("words", "traits") if any(name in r.descriptions for r in runs)]
    rows = []
    for name in shown:
        effects = [run.descriptions.get(name, {}) for run in runs]
        shares = [", ".join(_percent(e.get(key)) for e in effects) for key in _SHARES]
        rows.append([name, *shares, ", ".join(number(e.get("p"), 4) for e in effects)])
    head = ["descriptions alone, in the replies'", "explained", "by chance", "p"]
    return _table(head, rows) if rows else []


def fluency_table(names: Sequence[str], runs: Sequence[RunFolder]) -> list[str]:
    """Likelihood under the frozen model, variety and loops of each arm's replies, by seed."""
    head = ["replies of", "NLL a token", "by seed", "distinct-2", "by seed", "loops"]
    rows = []
    for name in names:
        counted = [arm.fluency for run in runs if (arm := run.arm(name))]
        nll, variety, loops = (
            [c[key] for c in counted if c.get(key) is not None]
            for key in ("nll", "distinct_2", "loops")
        )
        row = [label(name), _mean(nll), _each(nll), _mean(variety), _each(variety), _mean(loops)]
        rows.append(row)
    return _table(head, rows) if rows else []


_SHARES = ("explained", "expected")


def _dose_row(trait: str, doses: Sequence[Dose]) -> list[str]:
    profiles = [pair for dose in doses for pair in dose.profiles]
    own = TRAITS.index(trait)
    asked: Floats = np.array([dose for dose, _ in profiles], dtype=np.float64)
    measured: Floats = np.array([row for _, row in profiles], dtype=np.float64)
    together = [NOTHING] * 4
    if len(set(asked)) >= FEWEST:
        slopes = [_slope(asked, measured[:, i]) for i in range(len(TRAITS))]
        others = [i for i in range(len(TRAITS)) if i != own]
        off = max(others, key=lambda i: abs(slopes[i].mean))
        together = [
            number(slopes[own]),
            interval(slopes[own]),
            f"{signed(slopes[off].mean)} ({TRAITS[off]})",
            interval(slopes[off]),
        ]
    return [
        trait,
        ", ".join(number(d.spearman) for d in doses),
        number(_spearman(asked, measured[:, own])) if profiles else NOTHING,
        ", ".join(number(d.slope) for d in doses),
        *together[:2],
        ", ".join(signed(d.off_slope) for d in doses),
        *together[2:],
        ", ".join(signed(d.second_r) for d in doses),
    ]


def _spearman(asked: Floats, measured: Floats) -> float | None:
    """Of each level with what is measured there on average."""
    levels = np.unique(asked)
    means = np.array([measured[asked == level].mean() for level in levels])
    if len(levels) < FEWEST or not np.ptp(means) > 0:
        return None
    return float(spearmanr(levels, means).statistic)


def _slope(asked: Floats, measured: Floats) -> Estimate:
    """Least squares, with the percentile interval over doses."""

    def slope(x: Floats, y: Floats, axis: int) -> Floats:
        x = x - x.mean(axis=axis, keepdims=True)
        return np.asarray((x * y).sum(axis=axis) / (x * x).sum(axis=axis))

    statistic: Callable[..., Floats] = slope
    found = bootstrap(
        (asked, measured),
        statistic,
        paired=True,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = found.confidence_interval
    return Estimate(float(slope(asked, measured, axis=0)), float(low), float(high))


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f}%"


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return number(sum(known) / len(known)) if known else NOTHING


def _each(values: Sequence[float | None]) -> str:
    return ", ".join(number(value) for value in values)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return ["", lines[0], "|---|" + "---:|" * (len(head) - 1), *lines[1:]]
