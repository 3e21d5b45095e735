"""The figure of an ablation: P.S.D.C. of each cell, and beside it how each trait follows."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lightning_dpg.records import TRAITS
from lightning_dpg.report.ablation_words import estimate, is_reference
from lightning_dpg.report.plots.axes import (
    DASHED,
    NORMAL,
    SHORT,
    SMALL,
    add_axes,
    new_figure,
)
from lightning_dpg.report.reading import Estimate
from lightning_dpg.report.style import INK, MUTED, PAPER, RULE, looks
from lightning_dpg.report.tables import number

REFERENCE = looks(["dpg"])["dpg"]
"""How the cell looks that others are compared with."""
LETTER, ROW = 0.088, 0.42
"""Inches that a letter of a label takes, and a row."""
_PSDC, _TRAIT, _GAP, _TOP, _BOTTOM = 2.8, 0.95, 0.26, 0.42, 0.52
"""Widths of the panels and what is around them, in inches."""


def cell_chart(results: Mapping[str, Any]) -> Figure:
    """A row for each cell: a point with its 95% interval in every panel.

    The first panel is P.S.D.C. (dashed: what constant zero gets on the same personas), the others
    are r of asked and measured, a trait each. A cell without numbers says so in its row.
    """
    cells = results["cells"]
    main = {name for name in cells if is_reference(results, name)}
    left = 0.3 + LETTER * max(map(len, cells))
    height = ROW * len(cells)
    width = left + _PSDC + len(TRAITS) * (_TRAIT + _GAP) + 0.15
    figure = new_figure(width, height + _TOP + _BOTTOM)
    psdc = add_axes(figure, left, _BOTTOM, _PSDC, height)
    places = [left + _PSDC + _GAP + i * (_TRAIT + _GAP) for i in range(len(TRAITS))]
    panels = [add_axes(figure, place, _BOTTOM, _TRAIT, height) for place in places]
    highest = _deviations(psdc, cells, main)
    psdc.set(xlim=(0, 1.08 * highest))
    psdc.set_yticks(range(len(cells)), list(cells))
    psdc.set_xlabel("P.S.D.C. (L2), lower is better", size=SMALL, color=MUTED)
    for trait, title, axes in zip(TRAITS, SHORT, panels, strict=True):
        _correlations(axes, cells, main, trait)
        axes.set_title(title, loc="left", size=SMALL, color=INK, pad=6)
        axes.set_yticks(range(len(cells)), [""] * len(cells))
    panels[2].set_xlabel("r of asked and measured, higher is better", size=SMALL, color=MUTED)
    for axes in (psdc, *panels):
        axes.set_ylim(len(cells) - 0.5, -0.5)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", color=RULE, lw=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0, labelsize=NORMAL, labelcolor=INK, pad=6)
    return figure


def as_png(figure: Figure) -> bytes:
    """The figure as the content of a PNG file, on white."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160, facecolor="white")
    return buffer.getvalue()


def _deviations(axes: Axes, cells: Mapping[str, Any], main: set[str]) -> float:
    """Draws the first panel; gives the largest value in it."""
    highest = 1.0
    zeros: dict[int, float] = {}
    for row, (name, cell) in enumerate(cells.items()):
        if cell["status"] != "done":
            _say(axes, row, cell["status"])
            continue
        value = estimate(cell["numbers"]["psdc"])
        zero = cell["numbers"]["trivial"].get("constant_zero")
        highest = max(highest, zero or 0.0, _top(value))
        if zero is not None:
            zeros[row] = zero
            ends = [row - 0.5, row + 0.5]
            axes.plot([zero, zero], ends, color=MUTED, lw=1, ls=DASHED, zorder=1)
        if value is None:
            _say(axes, row, "no persona scored")
            continue
        _point(axes, value, row, name in main)
        axes.annotate(
            number(value),
            (value.mean, row),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            size=SMALL,
            color=INK,
        )
    if zeros:
        row, zero = next(iter(zeros.items()))
        axes.annotate(
            "constant zero",
            (zero, row - 0.5),
            xytext=(0, 5),
            textcoords="offset points",
            ha="right" if zero > 0.5 * highest else "left",
            size=SMALL,
            color=MUTED,
        )
    return highest


def _say(axes: Axes, row: int, text: str) -> None:
    """In place of a point, why there is none."""
    box = {"facecolor": PAPER, "edgecolor": "none", "pad": 2}
    axes.text(0, row, f" {text}", va="center", size=SMALL, color=MUTED, bbox=box)


def _correlations(axes: Axes, cells: Mapping[str, Any], main: set[str], trait: str) -> None:
    axes.axvline(0, color=MUTED, lw=1, ls=DASHED, zorder=1)
    for row, (name, cell) in enumerate(cells.items()):
        if cell["status"] == "done":
            value = estimate(cell["numbers"]["traits"][trait])
            if value is not None:
                _point(axes, value, row, name in main)
    axes.set(xlim=(-1.05, 1.05))
    axes.set_xticks([-1, 0, 1], ["\N{MINUS SIGN}1", "0", "1"])


def _point(axes: Axes, value: Estimate, row: float, main: bool) -> None:
    colour = REFERENCE.light if main else INK
    if value.low is not None and value.high is not None:
        axes.plot([value.low, value.high], [row, row], color=colour, lw=2.4, alpha=0.45, zorder=2)
    axes.plot(
        [value.mean],
        [row],
        color=colour,
        marker="o" if main else "s",
        ms=6.5 if main else 5.5,
        zorder=3,
        clip_on=False,
    )


def _top(value: Estimate | None) -> float:
    return 0.0 if value is None else max(value.mean, value.high or 0.0)
