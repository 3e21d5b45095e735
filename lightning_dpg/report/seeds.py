"""Several runs of one experiment, seed by seed, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.statistics import correlation_interval, mean_interval, ratio_interval
from lightning_dpg.records import TRAITS
from lightning_dpg.report.pooled import (
    RESAMPLES,
    ZERO,
    array,
    as_estimate,
    cluster_of,
    pool,
    pool_both,
)
from lightning_dpg.report.reading import RunFolder, Task, read_run
from lightning_dpg.report.seed_studies import description_table, dose_table, quality_table
from lightning_dpg.report.seed_tasks import comparison_table, task_table
from lightning_dpg.report.style import label
from lightning_dpg.report.tables import NOTHING, interval, number, signed


def seed_table(folders: Sequence[Path]) -> str:
    """Arms over seeds, by task, too; of DPG ratios, comparisons, correlations, dials; quality.

    A persona of a run is the unit, and all of one character are resampled together: runs of other
    seeds hold out other characters and draw other profiles, so that all are one larger sample.

    Raises:
        UserError: no folder, runs of different experiments, one seed twice, or what reading raises.
    """
    runs = [read_run(folder) for folder in folders]
    _check(runs)
    tasks = [run.headline for run in runs]
    shared = [arm.name for arm in tasks[0].arms if all(task.arm(arm.name) for task in tasks)]
    seeds = ", ".join(str(run.facts.get("seed")) for run in runs)
    count = sum(len(task.personas) for task in tasks)
    initials = " | ".join(f"r {trait[0].upper()}" for trait in TRAITS)
    lines = [
        f"{runs[0].facts.get('experiment')}: seeds {seeds}, {count} personas in all",
        "",
        f"| arm | P.S.D.C. (L2) | 95% | by seed | {initials} |",
        "|---|---:|---:|---|" + "---:|" * len(TRAITS),
    ]
    lines += [_arm_line(name, tasks) for name in shared]
    lines += [_trivial_line(arm.name, tasks) for arm in tasks[0].trivial]
    lines += task_table(runs)
    if "dpg" in shared:
        others = [arm for arm in shared if arm != "dpg"]
        lines += ["", "| DPG over | ratio | 95% | by seed |", "|---|---:|---:|---|"]
        lines += [_ratio_line(name, tasks) for name in (ZERO, *others)]
        lines += [*comparison_table(others, tasks), *_dpg_correlations(tasks)]
    lines += [*dose_table(runs), *description_table(runs), *quality_table(shared, runs)]
    return "\n".join(lines)


def _check(runs: Sequence[RunFolder]) -> None:
    if not runs:
        raise UserError("No run was given: name the folders of finished runs, one for each seed")
    names = sorted({str(run.facts.get("experiment")) for run in runs})
    if len(names) > 1:
        raise UserError(f"Runs of one experiment can be put together, got {', '.join(names)}")
    if len({(run.headline.name, run.headline.prompts) for run in runs}) > 1:
        raise UserError("Runs that were asked the same questions can be put together")
    seeds = [run.facts.get("seed") for run in runs]
    if len(set(seeds)) < len(seeds):
        given = ", ".join(map(str, seeds))
        raise UserError(f"Each run must have a seed of its own, got seeds {given}")


def _arm_line(name: str, tasks: Sequence[Task]) -> str:
    found = pool(name, tasks)
    together = as_estimate(mean_interval(found.values, RESAMPLES, 0, clusters=found.clusters))
    seeds = ", ".join(number(fmean(values)) if values else NOTHING for values in found.by_seed)
    correlations = [_mean_correlation(name, tasks, trait) for trait in range(len(TRAITS))]
    cells = [label(name), number(together), interval(together), seeds, *map(signed, correlations)]
    return f"| {' | '.join(cells)} |"


def _trivial_line(name: str, tasks: Sequence[Task]) -> str:
    """An answer that reads no prompt: its mean over seeds, of as many personas each."""
    each = [arm.psdc.get("l2") for task in tasks for arm in task.trivial if arm.name == name]
    known = [found.mean for found in each if found]
    seeds = ", ".join(number(mean) for mean in known) or NOTHING
    mean = number(fmean(known)) if known else NOTHING
    return f"| *{label(name)}* | {mean} | {NOTHING} | {seeds} |" + f" {NOTHING} |" * len(TRAITS)


def _mean_correlation(name: str, tasks: Sequence[Task], trait: int) -> float | None:
    """Mean over seeds of the correlation of asked and measured."""
    arms = [arm for task in tasks if (arm := task.arm(name))]
    known = [r for arm in arms if (r := arm.trait_r[trait]) is not None]
    return fmean(known) if known else None


def _dpg_correlations(tasks: Sequence[Task]) -> list[str]:
    """Asked and measured of DPG, by seed and over the personas of all seeds.

    The interval is over personas, for these trainings; a bias that one of them has lowers the
    pooled correlation and not its own.
    """
    arms = [(task, arm) for task in tasks if (arm := task.arm("dpg"))]
    scored = [
        (persona, arm.measured[persona.id])
        for task, arm in arms
        for persona in task.personas
        if persona.id in arm.measured
    ]
    clusters = [cluster_of(persona) for persona, _ in scored]
    lines = ["", "| DPG, asked and measured | r by seed | pooled | 95% |", "|---|---|---:|---:|"]
    for i, trait in enumerate(TRAITS):
        asked = array([persona.target[i] for persona, _ in scored])
        measured = array([scores[i] for _, scores in scored])
        found = correlation_interval(asked, measured, RESAMPLES, 0, clusters=clusters)
        every = as_estimate(found)
        seeds = ", ".join(signed(arm.trait_r[i]) for _, arm in arms)
        lines.append(
            f"| {trait} | {seeds} | {signed(every.mean if every else None)} | {interval(every)} |"
        )
    return lines


def _ratio_line(name: str, tasks: Sequence[Task]) -> str:
    """Of mean deviations, over all personas and by seed; of personas that both have scored."""
    above, below = pool_both("dpg", name, tasks)
    ratio = ratio_interval(above.values, below.values, RESAMPLES, 0, clusters=above.clusters)
    found = as_estimate(ratio)
    pairs = zip(above.by_seed, below.by_seed, strict=True)
    seeds = ", ".join(number(fmean(a) / fmean(b)) if b else NOTHING for a, b in pairs)
    return f"| {label(name)} | {number(found)} | {interval(found)} | {seeds} |"
