"""One persona: what it was asked to be, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lightning_dpg.records import HIGHEST, LOWEST, TRAITS
from lightning_dpg.report.plots.axes import SHORT, SMALL, as_figure, new_axes
from lightning_dpg.report.style import INK, MUTED, RULE, Look


def radar(target: Sequence[float], measured: Sequence[tuple[Sequence[float], Look]]) -> Figure:
    """One persona: the target as a grey area, what was measured of each arm as a line.

    Args:
        target: one score per trait.
        measured: one score per trait and the look, for each arm that was scored; the last one
            is drawn strongest.

    The centre is the lowest score, the rim the highest, the darker ring 0. Measured scores beyond
    the scale are drawn at its ends.
    """
    axes = new_axes(4.3, 3.1, left=0.05, right=0.05, top=0.05, bottom=0.05)
    axes.set_axis_off()
    for level in (LOWEST / 2, 0.0, HIGHEST / 2, HIGHEST):
        axes.plot(*_polygon([level] * len(TRAITS)), color=RULE if level else MUTED, lw=0.8)
    rim_x, rim_y = _polygon([HIGHEST] * len(TRAITS))
    for x, y, name in zip(rim_x[:-1], rim_y[:-1], SHORT, strict=True):
        axes.plot([0, x], [0, y], color=RULE, lw=0.8)
        side = "center" if abs(x) < 0.7 else "left" if x > 0 else "right"
        rise = "bottom" if y > 0.9 else "center" if y > 0 else "top"
        out = 1.06 if y > 0 else 1.12
        axes.text(1.06 * x, out * y, name, ha=side, va=rise, size=SMALL, color=INK)
    axes.fill(*_polygon(target), facecolor=MUTED, alpha=0.22, edgecolor="none", zorder=3)
    axes.plot(*_polygon(target), color=INK, lw=1.4, ls=(0, (3, 2)), zorder=6)
    for place, (scores, look) in enumerate(measured, start=1):
        strong = place == len(measured)
        width, size = (2.2, 4.5) if strong else (1.1, 3.2)
        outline = _polygon(np.clip(scores, LOWEST, HIGHEST).tolist())
        axes.plot(*outline, color=look.light, lw=width, marker=look.marker, ms=size, zorder=4)
    axes.set(xlim=(-1.65, 1.65), ylim=(-1.15, 1.25), aspect="equal")
    return as_figure(axes)


def _polygon(scores: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Closed outline of a profile, x and y [traits + 1]: first trait on top, rim at radius 1."""
    radius = (np.array([*scores, scores[0]]) - LOWEST) / (HIGHEST - LOWEST)
    angle = np.pi / 2 - 2 * np.pi * np.arange(len(radius)) / len(scores)
    return radius * np.cos(angle), radius * np.sin(angle)
