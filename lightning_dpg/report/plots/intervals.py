"""P.S.D.C. of the arms with intervals: of one task, of all tasks, of seen and unseen characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lightning_dpg.report.plots.axes import (
    DASHED,
    NORMAL,
    SMALL,
    add_axes,
    as_figure,
    new_axes,
    new_figure,
)
from lightning_dpg.report.reading import Arm, Estimate, Overfitting, Task
from lightning_dpg.report.style import INK, MUTED, PAPER, RULE, Look, label
from lightning_dpg.report.tables import number

LETTER = 0.085
"""Inches that a letter of a label takes."""
AXIS = "P.S.D.C. (L2), lower is better"


def deviation_chart(
    arms: Sequence[Arm], trivial: Sequence[Arm], look: Mapping[str, Look]
) -> Figure:
    """P.S.D.C. (L2) of each arm with its 95% interval; trivial answers as dashed lines."""
    marks = [(label(arm.name), arm.psdc["l2"].mean) for arm in trivial if "l2" in arm.psdc]
    highest = max([x for _, x in marks] + [_top(arm.psdc.get("l2")) for arm in arms] + [1.0])
    head = 0.25 * len(marks)  # inches: half a row per label
    height = 0.9 + 0.5 * len(arms) + head
    left = _margin([arm.name for arm in arms])
    axes = new_axes(5.4, height, left=left, right=0.12, top=0.12, bottom=0.54)
    for row, arm in enumerate(arms):
        _interval(axes, arm.psdc.get("l2"), len(arms) - 1 - row, look[arm.name])
    for row, (name, x) in enumerate(sorted(marks, key=lambda mark: mark[1])):
        # A staircase: every line ends at its own label, left of all lines that are higher.
        y = len(arms) - 0.2 + 0.5 * row
        axes.plot([x, x], [-0.6, y], color=MUTED, lw=1, ls=DASHED, zorder=1)
        side = "right" if x > 0.4 * highest else "left"
        text = f"{name} {number(x)}"
        gap = 0.012 * highest * (1 if side == "left" else -1)
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
        axes.text(x + gap, y, text, ha=side, va="center", size=SMALL, color=MUTED, bbox=box)
    axes.set(xlim=(0, 1.06 * highest), ylim=(-0.6, len(arms) - 0.4 + 0.5 * len(marks)))
    _rows(axes, [arm.name for arm in arms])
    axes.set_xlabel(AXIS, size=SMALL, color=MUTED)
    return as_figure(axes)


def task_chart(tasks: Sequence[Task], names: Sequence[str], look: Mapping[str, Look]) -> Figure:
    """The same for each task, side by side on one scale.

    Args:
        tasks: a panel each.
        names: of the arms, a row each from the top; one that a task lacks has nothing there.
        look: of each arm.

    Dashed: constant zero, on that task's personas. Dotted: the noise floor, where it is known.
    """
    found = [[_l2(task, name) for name in names] for task in tasks]
    zeros = [task.zero for task in tasks]
    highest = max(_top(value) for row in [*found, zeros] for value in row) or 1.0
    left, width, height = _margin(names), 2.05, 0.44 * len(names)
    figure = new_figure(left + len(tasks) * (width + 0.2), height + 1.22)
    for place, (task, values) in enumerate(zip(tasks, found, strict=True)):
        axes = add_axes(figure, left + place * (width + 0.2), 0.4, width, height)
        for row, (name, value) in enumerate(zip(names, values, strict=True)):
            _interval(axes, value, len(names) - 1 - row, look[name], missing="")
        floor = task.gold.psdc.get("l2") if task.gold else None
        _bound(axes, "noise floor", floor, (0, (1, 2)), 2)
        _bound(axes, "zero", task.zero, DASHED, 15)
        axes.set(xlim=(0, 1.06 * highest), ylim=(-0.6, len(names) - 0.4))
        axes.grid(axis="x", color=RULE, lw=0.5)
        axes.set_axisbelow(True)
        _rows(axes, names if place == 0 else [""] * len(names))
        # Two lines of labels are between the title and the axes.
        axes.set_title(task.title, loc="left", size=NORMAL, color=INK, pad=34)
    figure.axes[0].set_xlabel(AXIS, size=SMALL, color=MUTED, loc="left")
    return figure


def seen_chart(found: Sequence[Overfitting], look: Mapping[str, Look]) -> Figure:
    """P.S.D.C. of each arm on characters of training (hollow) and on held-out ones (filled)."""
    ends = [_top(value) for arm in found for value in (arm.seen, arm.unseen)]
    highest = max([*ends, 1.0])
    left = _margin([arm.arm for arm in found])
    axes = new_axes(5.4, 0.7 + 0.56 * len(found), left=left, right=0.12, top=0.1, bottom=0.54)
    for row, arm in enumerate(reversed(found)):
        for value, y, face in ((arm.seen, row + 0.15, "none"), (arm.unseen, row - 0.15, None)):
            if value is not None:
                _bar(axes, value, y, look[arm.arm])
                colour = look[arm.arm].light
                axes.plot(
                    [value.mean],
                    [y],
                    color=colour,
                    marker=look[arm.arm].marker,
                    ms=7.5,
                    mfc=face or colour,
                    mew=1.4,
                    zorder=4,
                )
    axes.set(xlim=(0, 1.06 * highest), ylim=(-0.6, len(found) - 0.4))
    axes.grid(axis="x", color=RULE, lw=0.5)
    axes.set_axisbelow(True)
    _rows(axes, [arm.arm for arm in found])
    axes.set_xlabel(AXIS, size=SMALL, color=MUTED)
    return as_figure(axes)


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """The arms at the left, the first on top."""
    axes.set_yticks(range(len(names)), [label(name) for name in reversed(names)])
    axes.tick_params(axis="y", length=0, labelsize=NORMAL, labelcolor=INK, pad=6)
    axes.spines["left"].set_visible(False)


def _margin(names: Sequence[str]) -> float:
    """Room for the labels of arms, in inches."""
    return 0.3 + LETTER * max(len(label(name)) for name in names)


def _bound(
    axes: Axes, name: str, value: Estimate | None, style: tuple[int, tuple[int, int]], up: int
) -> None:
    """A line through all rows, with its name so many points above the axes."""
    if value is None:
        return
    axes.axvline(value.mean, color=MUTED, lw=1, ls=style, zorder=1)
    axes.annotate(
        f"{name} {number(value)}",
        (value.mean, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, up),
        textcoords="offset points",
        ha="center",
        va="bottom",
        size=SMALL,
        color=MUTED,
    )


def _interval(
    axes: Axes, value: Estimate | None, y: float, look: Look, missing: str = " no persona scored"
) -> None:
    if value is None:
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 2}
        axes.text(0, y, missing, va="center", size=SMALL, color=MUTED, bbox=box)
        return
    _bar(axes, value, y, look)
    axes.plot([value.mean], [y], color=look.light, marker=look.marker, ms=8, zorder=3)
    axes.annotate(
        number(value),
        (value.mean, y),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        size=NORMAL,
        color=INK,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
        zorder=2,
    )


def _bar(axes: Axes, value: Estimate, y: float, look: Look) -> None:
    if value.low is not None and value.high is not None:
        axes.plot([value.low, value.high], [y, y], color=look.light, lw=3, alpha=0.45, zorder=2)


def _l2(task: Task, name: str) -> Estimate | None:
    arm = task.arm(name)
    return arm.psdc.get("l2") if arm else None


def _top(value: Estimate | None) -> float:
    return 0.0 if value is None else max(value.mean, value.high or 0.0)
