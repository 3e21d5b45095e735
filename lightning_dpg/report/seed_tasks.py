"""Arms by task over several seeds, and DPG against each other arm, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from lightning_dpg.evaluation.statistics import mean_interval
from lightning_dpg.evaluation.statistics.comparison import comparison, holm
from lightning_dpg.report.pooled import RESAMPLES, ZERO, as_estimate, pool, pool_both
from lightning_dpg.report.reading import RunFolder, Task
from lightning_dpg.report.reading.task import GOLD
from lightning_dpg.report.style import label
from lightning_dpg.report.tables import NOTHING, interval, number, p_value, signed, spread
from lightning_dpg.report.words import kind


def task_table(runs: Sequence[RunFolder]) -> list[str]:
    """Mean and interval of each arm in each task that all runs did, and by kind of persona.

    Nothing where that is one column alone, which the table of arms has already.
    """
    tasks = [_same(task, runs) for task in runs[0].tasks]
    columns = [column for same in tasks if same for column in _columns(same)]
    if len(columns) < 2:
        return []
    heads = [
        same[0].title if not name else f"{same[0].title}: {kind(name)}" for same, name in columns
    ]
    arms = [name for name in runs[0].arm_names if all(name in run.arm_names for run in runs)]
    lines = [
        "",
        f"| by task, P.S.D.C. (L2) | {' | '.join(heads)} |",
        "|---|" + "---:|" * len(heads),
        _line(f"*{label(ZERO)}*", ZERO, columns),
    ]
    if any(task.gold for same, _ in columns for task in same):
        lines.append(_line(f"*{label(GOLD)}*", GOLD, columns))
    return [*lines, *(_line(label(name), name, columns) for name in arms)]


def comparison_table(others: Sequence[str], tasks: Sequence[Task]) -> list[str]:
    """DPG minus each other arm over the personas of all seeds; p by sign flips of characters."""
    if not others:
        return []
    found = {}
    for name in others:
        own, other = pool_both("dpg", name, tasks)
        found[name] = comparison(own.values, other.values, own.clusters, RESAMPLES, 0)
    corrected = holm({name: one["p"] for name, one in found.items()})
    head = "| DPG minus | difference (L2) | 95% | d_z | p | p, Holm | personas |"
    lines = ["", head, "|---|" + "---:|" * 6]
    for name, one in found.items():
        difference = as_estimate(one["difference"])
        mean = signed(difference.mean if difference else None)
        numbers = [mean, interval(difference), signed(one["effect"]), p_value(one["p"])]
        cells = [label(name), *numbers, p_value(corrected[name]), str(one["personas"])]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _same(task: Task, runs: Sequence[RunFolder]) -> list[Task]:
    """The task in each run; empty where one lacks it."""
    found = [other for run in runs for other in run.tasks if other.name == task.name]
    return found if len(found) == len(runs) else []


def _columns(same: list[Task]) -> list[tuple[list[Task], str]]:
    kinds = [name for name in same[0].kinds if all(name in task.kinds for task in same)]
    return [(same, ""), *((same, name) for name in kinds if len(same[0].kinds) > 1)]


def _line(head: str, name: str, columns: Sequence[tuple[list[Task], str]]) -> str:
    cells = []
    for same, group in columns:
        found = pool(name, same, group)
        value = as_estimate(mean_interval(found.values, RESAMPLES, 0, clusters=found.clusters))
        # Constant zero is known exactly: its interval would be that of the profiles.
        cells.append(number(value) if name == ZERO else spread(value) if value else NOTHING)
    return f"| {head} | {' | '.join(cells)} |"
