"""Several runs of one experiment, seed by seed, as tables in Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.statistics import (
    Floats,
    Interval,
    correlation_interval,
    mean_interval,
    ratio_interval,
)
from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import Estimate, RunFolder, read_run
from lightning_dpg.report.seed_studies import description_table, dose_table, fluency_table
from lightning_dpg.report.style import label
from lightning_dpg.report.tables import NOTHING, interval, number, signed

RESAMPLES = 2000


def seed_table(folders: Sequence[Path]) -> str:
    """Arms over seeds; of DPG ratios, correlations, dials and descriptions; fluency.

    A persona of a run is the unit of the intervals of P.S.D.C. and ratios: runs of other seeds hold
    out other characters and draw other profiles, so that all together are one larger sample.

    Raises:
        UserError: no folder, runs of different experiments, one seed twice, or what reading raises.
    """
    runs = [read_run(folder) for folder in folders]
    _check(runs)
    shared = [arm.name for arm in runs[0].arms if all(run.arm(arm.name) for run in runs)]
    seeds = ", ".join(str(run.facts.get("seed")) for run in runs)
    count = sum(len(run.personas) for run in runs)
    initials = " | ".join(f"r {trait[0].upper()}" for trait in TRAITS)
    lines = [
        f"{runs[0].facts.get('experiment')}: seeds {seeds}, {count} personas in all",
        "",
        f"| arm | P.S.D.C. (L2) | 95% | by seed | {initials} |",
        "|---|---:|---:|---|" + "---:|" * len(TRAITS),
    ]
    lines += [_arm_line(name, runs) for name in shared]
    lines += [_trivial_line(arm.name, runs) for arm in runs[0].trivial]
    lines += ["", "| DPG over | ratio | 95% | by seed |", "|---|---:|---:|---|"]
    for name in ("constant_zero", *(arm for arm in shared if arm != "dpg")):
        if "dpg" in shared:
            lines.append(_ratio_line(name, runs))
    lines += _dpg_correlations(runs) if "dpg" in shared else []
    lines += [*dose_table(runs), *description_table(runs), *fluency_table(shared, runs)]
    return "\n".join(lines)


def _check(runs: Sequence[RunFolder]) -> None:
    if not runs:
        raise UserError("No run was given: name the folders of finished runs, one for each seed")
    names = sorted({str(run.facts.get("experiment")) for run in runs})
    if len(names) > 1:
        raise UserError(f"Runs of one experiment can be put together, got {', '.join(names)}")
    if len({run.prompts for run in runs}) > 1:
        raise UserError("Runs that were asked the same questions can be put together")
    seeds = [run.facts.get("seed") for run in runs]
    if len(set(seeds)) < len(seeds):
        given = ", ".join(map(str, seeds))
        raise UserError(f"Each run must have a seed of its own, got seeds {given}")


def _deviations(name: str, run: RunFolder) -> dict[str, float]:
    """L2 by persona id, of an arm or of the answer that is always zero."""
    if name == "constant_zero":
        return {p.id: math.hypot(*p.target) for p in run.personas}
    arm = run.arm(name)
    assert arm is not None
    found = {p.id: arm.deviation(p) for p in run.personas}
    return {persona: value for persona, value in found.items() if value is not None}


def _arm_line(name: str, runs: Sequence[RunFolder]) -> str:
    by_seed = [list(_deviations(name, run).values()) for run in runs]
    every = _array([value for values in by_seed for value in values])
    together = _estimate(mean_interval(every, RESAMPLES, 0))
    seeds = ", ".join(number(fmean(values)) if values else NOTHING for values in by_seed)
    correlations = [_mean_correlation(name, runs, trait) for trait in range(len(TRAITS))]
    cells = [label(name), number(together), interval(together), seeds, *map(signed, correlations)]
    return f"| {' | '.join(cells)} |"


def _trivial_line(name: str, runs: Sequence[RunFolder]) -> str:
    """An answer that reads no prompt: its mean over seeds, of as many personas each."""
    each = [arm.psdc.get("l2") for run in runs for arm in run.trivial if arm.name == name]
    known = [found.mean for found in each if found]
    seeds = ", ".join(number(mean) for mean in known) or NOTHING
    mean = number(fmean(known)) if known else NOTHING
    return f"| *{label(name)}* | {mean} | {NOTHING} | {seeds} |" + f" {NOTHING} |" * len(TRAITS)


def _mean_correlation(name: str, runs: Sequence[RunFolder], trait: int) -> float | None:
    """Mean over seeds of the correlation of asked and measured."""
    arms = [arm for run in runs if (arm := run.arm(name))]
    known = [r for arm in arms if (r := arm.trait_r[trait]) is not None]
    return fmean(known) if known else None


def _dpg_correlations(runs: Sequence[RunFolder]) -> list[str]:
    """Asked and measured of DPG, by seed and over the personas of all seeds.

    The interval is over personas, for these trainings; a bias that one of them has lowers the
    pooled correlation and not its own.
    """
    arms = [(run, arm) for run in runs if (arm := run.arm("dpg"))]
    pairs = [
        (persona.target, arm.measured[persona.id])
        for run, arm in arms
        for persona in run.personas
        if persona.id in arm.measured
    ]
    lines = ["", "| DPG, asked and measured | r by seed | pooled | 95% |", "|---|---|---:|---:|"]
    for i, trait in enumerate(TRAITS):
        asked, measured = (_array([pair[side][i] for pair in pairs]) for side in (0, 1))
        every = _estimate(correlation_interval(asked, measured, RESAMPLES, 0))
        seeds = ", ".join(signed(arm.trait_r[i]) for _, arm in arms)
        lines.append(
            f"| {trait} | {seeds} | {signed(every.mean if every else None)} | {interval(every)} |"
        )
    return lines


def _ratio_line(name: str, runs: Sequence[RunFolder]) -> str:
    """Of mean deviations, over all personas and by seed; of personas that both have scored."""
    pairs = [_both("dpg", name, run) for run in runs]
    above, below = (_array([x for pair in pairs for x in pair[side]]) for side in (0, 1))
    found = _estimate(ratio_interval(above, below, RESAMPLES, 0))
    seeds = ", ".join(number(fmean(a) / fmean(b)) if b else NOTHING for a, b in pairs)
    return f"| {label(name)} | {number(found)} | {interval(found)} | {seeds} |"


def _both(first: str, second: str, run: RunFolder) -> tuple[list[float], list[float]]:
    """Deviations of two arms, of the personas of a run that both have scored."""
    one, other = _deviations(first, run), _deviations(second, run)
    shared = [persona for persona in one if persona in other]
    return [one[p] for p in shared], [other[p] for p in shared]


def _array(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _estimate(found: Interval) -> Estimate | None:
    mean = found["mean"]
    return None if mean is None else Estimate(mean, found["low"], found["high"])
