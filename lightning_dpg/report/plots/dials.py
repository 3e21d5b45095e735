"""Dose and response: one dial, before all its backgrounds and without an adapter."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lightning_dpg.records import HIGHEST, LOWEST
from lightning_dpg.report.plots.axes import NORMAL, SIDE, SMALL, as_figure, new_axes, perfect
from lightning_dpg.report.reading import Dose, Response
from lightning_dpg.report.style import INK, MUTED, Look
from lightning_dpg.report.tables import signed


def dose_chart(dose: Dose, look: Look) -> Figure:
    """Measured score (y) of one trait at each dose (x) of its dial; the dashed line is perfect.

    Strong: the other dials at 0. Thin: before other backgrounds. Grey: without an adapter.
    """
    axes = new_axes(2.7, 3.13, left=0.4, right=0.05, top=0.36, bottom=0.52)
    perfect(axes)
    if dose.null:
        _line(axes, dose.null, MUTED, 1.1, 0.9)
    for background in dose.backgrounds:
        _line(axes, background, look.light, 0.9, 0.7)
    _line(axes, dose.base, look.light, 2.2, 1.0, look.marker)
    axes.set(xlim=(-SIDE, SIDE), ylim=(-SIDE, SIDE))
    axes.set_xticks([LOWEST, 0, HIGHEST])
    axes.set_yticks([LOWEST, 0, HIGHEST])
    axes.set_title(dose.trait.capitalize(), loc="left", size=NORMAL, color=INK, pad=7)
    rho = f"asked, \N{GREEK SMALL LETTER RHO} {signed(dose.base.spearman)}"
    axes.set_xlabel(rho, size=SMALL, color=MUTED, labelpad=2)
    axes.set_ylabel("measured", size=SMALL, color=MUTED, labelpad=-4)
    return as_figure(axes)


def _line(
    axes: Axes, response: Response, colour: str, width: float, alpha: float, marker: str = ""
) -> None:
    if response.points:
        doses, scores = zip(*response.points, strict=True)
        axes.plot(
            doses,
            [min(max(score, -SIDE), SIDE) for score in scores],
            color=colour,
            lw=width,
            alpha=alpha,
            marker=marker,
            ms=5,
            zorder=4 if marker else 3,
        )
