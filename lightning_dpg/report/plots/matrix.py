"""Which trait was asked for and which one showed."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lightning_dpg.records import TRAITS
from lightning_dpg.report.plots.axes import NORMAL, SHORT, SMALL, as_figure, new_axes
from lightning_dpg.report.reading.arm import Matrix
from lightning_dpg.report.style import INK, MINUS, MUTED, PLUS
from lightning_dpg.report.tables import signed

STRONGEST = 0.62
"""Opacity of a correlation of 1: dark text stays readable on it, and light text in the dark."""


def heat_map(matrix: Matrix) -> Figure:
    """Correlations, prompted traits in rows and measured ones in columns.

    Blue is positive, orange negative, as strong as the correlation; the diagonal is framed.
    """
    size = len(TRAITS)
    axes = new_axes(6.2, 3.7, left=1.35, right=0.1, top=0.62, bottom=0.08)
    for row, values in enumerate(matrix):
        for column, value in enumerate(values):
            own = row == column
            colour = PLUS if (value or 0) > 0 else MINUS
            strength = STRONGEST * min(1.0, abs(value or 0))
            corner = (column + 0.04, row + 0.04)
            axes.add_patch(
                Rectangle(corner, 0.92, 0.92, facecolor=colour, alpha=strength, edgecolor="none")
            )
            if own:
                axes.add_patch(
                    Rectangle(corner, 0.92, 0.92, facecolor="none", edgecolor=INK, lw=1.4)
                )
            axes.text(
                column + 0.5,
                row + 0.5,
                signed(value),
                ha="center",
                va="center",
                size=NORMAL,
                color=INK,
                weight="bold" if own else "normal",
            )
    axes.set(xlim=(0, size), ylim=(size, 0))
    axes.set_xticks([i + 0.5 for i in range(size)], SHORT)
    axes.set_yticks([i + 0.5 for i in range(size)], SHORT)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=INK, pad=5)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("measured", size=SMALL, color=MUTED, labelpad=6)
    axes.set_ylabel("prompted", size=SMALL, color=MUTED, labelpad=6)
    return as_figure(axes)
