"""P.S.D.C. of every arm by task and by group of its personas: kinds, or languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
        zero: P.S.D.C. (L2) of the answer that is always zero, on these personas.
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


@dataclass(frozen=True)
class GroupRow:
    """One arm over the columns; `trivial` for constant zero and the noise floor."""

    name: str
    label: str
    trivial: bool
    cells: tuple[Estimate | None, ...]


def columns(run: RunFolder, grouping: Grouping = "kind") -> list[Column]:
    """For each task all its personas, then its groups where it has more than one."""
    return [column for task in run.tasks for column in _columns(task, grouping)]


def rows(run: RunFolder, found: Sequence[Column]) -> list[GroupRow]:
    """Constant zero, the noise floor where a task knows it, then the arms."""
    zeros = tuple(None if c.zero is None else Estimate(c.zero) for c in found)
    table = [GroupRow("constant_zero", label("constant_zero"), True, zeros)]
    floors = tuple(column.of(column.task.gold) for column in found)
    if any(floors):
        table.append(GroupRow(GOLD, f"Noise floor: {label(GOLD).lower()}", True, floors))
    for name in run.arm_names:
        cells = tuple(column.of(column.task.arm(name)) for column in found)
        table.append(GroupRow(name, label(name), False, cells))
    return table


def below(cell: Estimate | None, column: Column) -> bool:
    """Whether an arm's whole interval lies below what constant zero gets."""
    if cell is None or cell.high is None or column.zero is None:
        return False
    return cell.high < column.zero


def zeros_of_characters(run: RunFolder) -> tuple[float, float] | None:
    """Constant zero's P.S.D.C. (L2) on characters of training, and on held-out ones, if known."""
    zeros = {(c.task.name, c.group): c.zero for c in columns(run)}
    seen = zeros.get(("seen", ""))
    unseen = zeros.get(("questions", "held_out"), zeros.get(("questions", "")))
    return None if seen is None or unseen is None else (seen, unseen)


def _columns(task: Task, grouping: Grouping) -> list[Column]:
    zero = task.zero.mean if task.zero else None
    whole = Column(task, grouping, "", "all", len(task.personas), zero)
    names = list(dict.fromkeys(name for arm in task.arms for name in _groups(arm, grouping)))
    parts = [_part(task, grouping, name) for name in names]
    return [whole, *parts] if len(parts) > 1 else [whole]


def _part(task: Task, grouping: Grouping, name: str) -> Column:
    zeros = [g.zero for arm in task.arms if (g := _groups(arm, grouping).get(name))]
    size = sum(getattr(persona, grouping) == name for persona in task.personas)
    title = kind(name) if grouping == "kind" else name
    zero = next((value for value in zeros if value is not None), None)
    return Column(task, grouping, name, title, size, zero)


def _groups(arm: Arm, grouping: Grouping) -> dict[str, Group]:
    return dict(arm.by_kind if grouping == "kind" else arm.by_language)
