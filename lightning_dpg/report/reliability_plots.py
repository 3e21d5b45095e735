"""Figures of a reliability study: coefficients with intervals, and two assessors side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lightning_dpg.records import HIGHEST, LOWEST, TRAITS
from lightning_dpg.report.plots import NORMAL, SMALL, as_figure, new_axes
from lightning_dpg.report.reading import Estimate
from lightning_dpg.report.style import INK, MUTED, RULE, Look
from lightning_dpg.report.tables import number, signed

STEP = 0.8
"""Share of a trait's height that its assessors are spread over."""
_WIDTH, _NUMBERS = 4.6, 0.46
"""Of the figure, and of the column of numbers at its right, in inches."""


def forest(
    title: str,
    found: Mapping[str, Sequence[Estimate | None]],
    look: Mapping[str, Look],
    zero: float,
) -> Figure:
    """One coefficient per trait and assessor, a point with its 95% interval, the number beside it.

    Args:
        title: names the coefficient.
        found: by assessor, one estimate per trait; None where it is not defined.
        look: of each assessor.
        zero: what an assessor gets that knows nothing, a dashed line.
    """
    height = 0.95 + len(TRAITS) * (0.24 + 0.2 * len(found))
    left = 0.3 + 0.085 * max(map(len, TRAITS))
    axes = new_axes(_WIDTH, height, left=left, right=_NUMBERS, top=0.36, bottom=0.4)
    lowest = zero
    for place, (name, estimates) in enumerate(found.items()):
        shift = STEP * (place - (len(found) - 1) / 2) / len(found)
        for trait, value in enumerate(estimates):
            if value is not None:
                lowest = min(lowest, value.mean, value.low if value.low is not None else 1.0)
                _point(axes, value, trait + shift, look[name])
            axes.annotate(
                number(value),
                (1.0, trait + shift),
                xycoords=("axes fraction", "data"),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                size=SMALL,
                color=INK,
            )
    axes.axvline(zero, color=MUTED, lw=1, ls=(0, (4, 3)), zorder=1)
    for trait in range(1, len(TRAITS)):
        axes.axhline(trait - 0.5, color=RULE, lw=0.6, zorder=0)
    axes.set(xlim=(lowest - 0.04, 1.02), ylim=(len(TRAITS) - 0.5, -0.5))
    axes.set_xticks([x for x in np.arange(-1, 1.01, 0.25) if x >= lowest - 0.04])
    axes.set_yticks(range(len(TRAITS)), [trait.capitalize() for trait in TRAITS])
    axes.tick_params(axis="y", length=0, labelsize=NORMAL, labelcolor=INK, pad=6)
    axes.spines["left"].set_visible(False)
    edge = -left / (_WIDTH - left - _NUMBERS)
    axes.set_title(title, loc="left", size=NORMAL, color=INK, pad=7, x=edge)
    return as_figure(axes)


def assessor_scatter(
    names: tuple[str, str],
    scores: Sequence[tuple[float, float]],
    poles: Sequence[int],
    trait: str,
    r: Estimate | None,
) -> Figure:
    """Scores of one trait by two assessors (x, y), a point for each subject that both scored.

    Filled points are of the author's high pole, hollow ones of the low pole, crosses of neither.
    """
    side = HIGHEST + 0.5
    axes = new_axes(2.7, 3.13, left=0.4, right=0.05, top=0.36, bottom=0.52)
    axes.plot([-side, side], [-side, side], color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=1)
    axes.axhline(0, color=RULE, lw=0.7, zorder=0)
    axes.axvline(0, color=RULE, lw=0.7, zorder=0)
    for pole, marker, face, edge in (
        (0, "x", MUTED, None),
        (-1, "o", "none", INK),
        (1, "o", INK, INK),
    ):
        some = [point for point, own in zip(scores, poles, strict=True) if own == pole]
        axes.scatter(
            [x for x, _ in some],
            [y for _, y in some],
            s=11,
            marker=marker,
            facecolor=face,
            edgecolor=edge,
            linewidth=0.8,
            alpha=0.65,
            zorder=2,
            clip_on=False,
        )
    axes.set(xlim=(-side, side), ylim=(-side, side))
    axes.set_xticks([LOWEST, 0, HIGHEST])
    axes.set_yticks([LOWEST, 0, HIGHEST])
    axes.set_title(trait.capitalize(), loc="left", size=NORMAL, color=INK, pad=7)
    said = f"r {signed(r.mean if r else None)}"
    axes.set_title(said, loc="right", size=NORMAL, color=INK, pad=7)
    axes.set_xlabel(names[0], size=SMALL, color=MUTED, labelpad=2)
    axes.set_ylabel(names[1], size=SMALL, color=MUTED, labelpad=-4)
    return as_figure(axes)


def _point(axes: Axes, value: Estimate, y: float, look: Look) -> None:
    if value.low is not None and value.high is not None:
        axes.plot([value.low, value.high], [y, y], color=look.light, lw=2.4, alpha=0.45, zorder=2)
    axes.plot([value.mean], [y], color=look.light, marker=look.marker, ms=5.5, zorder=3)
