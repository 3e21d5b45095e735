"""What all figures share: sizes of text, empty axes, the dashed line of perfection."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lightning_dpg.records import HIGHEST
from lightning_dpg.report.style import MUTED, RULE

SMALL, NORMAL = 10.0, 11.5
DASHED = (0, (4, 3))
SIDE = HIGHEST + 0.5
"""How far an axis of prompted scores runs, in points of the trait scale."""
SHORT = ("Openness", "Conscient.", "Extraversion", "Agreeable.", "Neuroticism")
"""The traits, where there is little room."""


def new_axes(
    width: float, height: float, *, left: float, right: float, top: float, bottom: float
) -> Axes:
    """Axes on a new figure; all sizes in inches, so that labels never collide with margins."""
    figure = new_figure(width, height)
    return add_axes(figure, left, bottom, width - left - right, height - top - bottom)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def add_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place of a figure, in inches from its lower left corner."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(RULE)
    axes.tick_params(labelsize=SMALL, labelcolor=MUTED, color=RULE, length=3, pad=3)
    return axes


def as_figure(axes: Axes) -> Figure:
    """The figure of axes from `new_axes`."""
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure


def perfect(axes: Axes) -> None:
    """The dashed line on which what was asked is what was measured, and a rule at 0."""
    axes.plot([-SIDE, SIDE], [-SIDE, SIDE], color=MUTED, lw=0.9, ls=DASHED, zorder=1)
    axes.axhline(0, color=RULE, lw=0.7, zorder=0)
