"""P.S.D.C. of every arm by task and by group of its personas: kinds, or languages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from lightning_dpg.report.reading import Arm, Estimate, Group, RunFolder, Task
from lightning_dpg.report.reading.task import GOLD
from lightning_dpg.report.style import label
from lightning_dpg.report.words import kind

Grouping = Literal["kind", "language"]


@dataclass(frozen=True)
class Column:
    """All personas of a task, or one group of them.

    Attributes:
        group: kind or language as written; empty for all.
        title: the group as a reader sees it.
        personas: how many, scored or not.
        zero: P.S.D.C. (L2) of the answer that is always zero, on all these personas.
    """

    task: Task
    grouping: Grouping
    group: str
    title: str
    personas: int
    zero: float | None

    def of(self, arm: Arm | None) -> Estimate | None:
        """P.S.D.C. (L2) of an arm of the task on these personas."""
        if arm is None:
            return None
        if not self.group:
            return arm.psdc.get("l2")
        group = _groups(arm, self.grouping).get(self.group)
        return group.l2 if group else None

    def zero_of(self, arm: Arm | None) -> float | None:
        """Constant zero on those of these personas that the arm has scored."""
        if arm is None:
            return None
        if not self.group:
            return self.task.zero_of(arm)
        group = _groups(arm, self.grouping).get(self.group)
        return group.zero if group else None


@dataclass(frozen=True)
class GroupRow:
    """One arm over the columns.

    Attributes:
        trivial: of constant zero and of the noise floor.
        zeros: what constant zero gets on the personas of each cell.
    """

    name: str
    label: str
    trivial: bool
    cells: tuple[Estimate | None, ...]
    zeros: tuple[float | None, ...]


def columns(run: RunFolder, grouping: Grouping = "kind") -> list[Column]:
    """For each task all its personas, then its groups where it has more than one."""
    return [column for task in run.tasks for column in _columns(task, grouping)]


def rows(run: RunFolder, found: Sequence[Column]) -> list[GroupRow]:
    """Constant zero, the noise floor where a task knows it, then the arms."""
    zeros = tuple(column.zero for column in found)
    exact = tuple(None if zero is None else Estimate(zero) for zero in zeros)
    table = [GroupRow("constant_zero", label("constant_zero"), True, exact, zeros)]
    floor = [(column, column.task.gold) for column in found]
    if any(column.of(gold) for column, gold in floor):
        table.append(_row(GOLD, f"Noise floor: {label(GOLD).lower()}", True, floor))
    for name in run.arm_names:
        arms = [(column, column.task.arm(name)) for column in found]
        table.append(_row(name, label(name), False, arms))
    return table


def below(cell: Estimate | None, zero: float | None) -> bool:
    """Whether an arm's whole interval lies below what constant zero gets on the same personas."""
    if cell is None or cell.high is None or zero is None:
        return False
    return cell.high < zero


def zeros_of_characters(run: RunFolder) -> tuple[float, float] | None:
    """Constant zero's P.S.D.C. (L2) on characters of training, and on held-out ones, if known."""
    zeros = {(c.task.name, c.group): c.zero for c in columns(run)}
    seen = zeros.get(("seen", ""))
    unseen = zeros.get(("questions", "held_out"), zeros.get(("questions", "")))
    return None if seen is None or unseen is None else (seen, unseen)


def _row(
    name: str, title: str, trivial: bool, arms: Sequence[tuple[Column, Arm | None]]
) -> GroupRow:
    cells = tuple(column.of(arm) for column, arm in arms)
    zeros = tuple(column.zero_of(arm) for column, arm in arms)
    return GroupRow(name, title, trivial, cells, zeros)


def _columns(task: Task, grouping: Grouping) -> list[Column]:
    zero = task.zero.mean if task.zero else None
    whole = Column(task, grouping, "", "all", len(task.personas), zero)
    names = list(dict.fromkeys(name for arm in task.arms for name in _groups(arm, grouping)))
    parts = [_part(task, grouping, name) for name in names]
    return [whole, *parts] if len(parts) > 1 else [whole]


def _part(task: Task, grouping: Grouping, name: str) -> Column:
    targets = [p.target for p in task.personas if getattr(p, grouping) == name]
    title = kind(name) if grouping == "kind" else name
    zero = fmean(math.hypot(*target) for target in targets) if targets else None
    return Column(task, grouping, name, title, len(targets), zero)


def _groups(arm: Arm, grouping: Grouping) -> dict[str, Group]:
    return dict(arm.by_kind if grouping == "kind" else arm.by_language)
