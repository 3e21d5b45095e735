"""Prompted against measured, a point for each persona."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lightning_dpg.records import HIGHEST, LOWEST, TRAITS
from lightning_dpg.report.plots.axes import (
    DASHED,
    NORMAL,
    SIDE,
    SMALL,
    as_figure,
    new_axes,
    perfect,
)
from lightning_dpg.report.reading import Arm, Persona
from lightning_dpg.report.style import INK, MUTED, RULE, Look
from lightning_dpg.report.tables import signed


def trait_scatter(
    arm: Arm, personas: Sequence[Persona], trait: int, look: Look, reach: float
) -> Figure:
    """Target (x) against measured (y) for one trait of one arm, one point per persona.

    Args:
        arm: the arm whose replies were measured.
        personas: whom it spoke for.
        trait: index into `TRAITS`.
        look: colour and marker of the arm.
        reach: the measured axis runs from -reach to reach, in points of the trait scale; points
            beyond are drawn at its ends. Both axes have the same scale.

    Filled points are held-out characters, hollow ones all other personas.
    """
    width = 2.25
    height = width * reach / SIDE
    axes = new_axes(width + 0.45, height + 0.88, left=0.4, right=0.05, top=0.36, bottom=0.52)
    perfect(axes)
    axes.axvline(0, color=RULE, lw=0.7, zorder=0)
    scored = [persona for persona in personas if persona.id in arm.measured]
    for filled in (True, False):
        some = [persona for persona in scored if (persona.kind == "held_out") == filled]
        axes.scatter(
            [persona.target[trait] for persona in some],
            np.clip([arm.measured[persona.id][trait] for persona in some], -reach, reach),
            s=20,
            marker=look.marker,
            facecolor=look.light if filled else "none",
            edgecolor=look.light,
            alpha=0.85,
            linewidth=1.1,
            zorder=3,
            clip_on=False,
        )
    axes.set(xlim=(-SIDE, SIDE), ylim=(-reach, reach), xticks=(-5, 0, 5), yticks=(-5, 0, 5))
    axes.set_title(TRAITS[trait].capitalize(), loc="left", size=NORMAL, color=INK, pad=7)
    axes.set_title(f"r {signed(arm.trait_r[trait])}", loc="right", size=NORMAL, color=INK, pad=7)
    axes.set_xlabel("target", size=SMALL, color=MUTED, labelpad=2)
    axes.set_ylabel("measured", size=SMALL, color=MUTED, labelpad=-4)
    return as_figure(axes)


def validation_scatter(
    prompted: Sequence[Sequence[float]], measured: Sequence[Sequence[float | None]]
) -> Figure:
    """Prompted (x) against measured (y) for all five traits side by side, as logged in training.

    Args:
        prompted: personas × traits, in [-5, 5].
        measured: personas × traits; a persona with a None is left out.
    """
    pairs = [(p, m) for p, m in zip(prompted, measured, strict=True) if None not in m]
    figure = Figure(figsize=(2.2 * len(TRAITS), 2.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(TRAITS), sharex=True, sharey=True)
    for trait, (name, axes) in enumerate(zip(TRAITS, panels, strict=True)):
        axes.plot([LOWEST, HIGHEST], [LOWEST, HIGHEST], color=MUTED, lw=0.9, ls=DASHED)
        axes.scatter([p[trait] for p, _ in pairs], [m[trait] for _, m in pairs], s=18)
        axes.set_title(name.capitalize(), size=SMALL)
        axes.set_xlabel("prompted", size=SMALL)
        axes.set(xlim=(-SIDE, SIDE), ylim=(-SIDE, SIDE), aspect="equal")
    panels[0].set_ylabel("measured", size=SMALL)
    return figure


def reach_of(arms: Sequence[Arm]) -> float:
    """How far the axes of trait scores run: from 5.5, at most to 7.5.

    Beyond that a single wild score would squeeze all others; it is drawn at the edge instead.
    """
    return min(7.5, max(SIDE, 0.5 + math.ceil(largest(arms))))


def largest(arms: Sequence[Arm]) -> float:
    """The largest measured score of all arms, without its sign; 0 where none was scored."""
    scores = (abs(s) for arm in arms for scores in arm.measured.values() for s in scores)
    return max(scores, default=0.0)
