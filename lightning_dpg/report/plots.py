"""Figure factories: plain data in, a matplotlib Figure out, with no pyplot and no global state.

Sizes are chosen so that one point of a figure is about one pixel on the page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lightning_dpg.records import HIGHEST, LOWEST, TRAITS
from lightning_dpg.report.reading import Arm, Curve, Dose, Estimate, Persona
from lightning_dpg.report.style import INK, MUTED, PAPER, RULE, Look, label
from lightning_dpg.report.tables import number, signed

SMALL, NORMAL = 10.0, 11.5
_SPOKES = ("Openness", "Conscient.", "Extraversion", "Agreeable.", "Neuroticism")


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
    width, side = 2.25, HIGHEST + 0.5
    height = width * reach / side
    axes = new_axes(width + 0.45, height + 0.88, left=0.4, right=0.05, top=0.36, bottom=0.52)
    axes.plot([-side, side], [-side, side], color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=1)
    axes.axhline(0, color=RULE, lw=0.7, zorder=0)
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
    axes.set(xlim=(-side, side), ylim=(-reach, reach), xticks=(-5, 0, 5), yticks=(-5, 0, 5))
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
        axes.plot([LOWEST, HIGHEST], [LOWEST, HIGHEST], color=MUTED, lw=0.9, ls=(0, (4, 3)))
        axes.scatter([p[trait] for p, _ in pairs], [m[trait] for _, m in pairs], s=18)
        axes.set_title(name.capitalize(), size=SMALL)
        axes.set_xlabel("prompted", size=SMALL)
        side = HIGHEST + 0.5
        axes.set(xlim=(-side, side), ylim=(-side, side), aspect="equal")
    panels[0].set_ylabel("measured", size=SMALL)
    return figure


def deviation_chart(
    arms: Sequence[Arm], trivial: Sequence[Arm], look: Mapping[str, Look]
) -> Figure:
    """P.S.D.C. (L2) of each arm with its 95% interval; trivial answers as dashed lines."""
    marks = [(label(arm.name), arm.psdc["l2"].mean) for arm in trivial if "l2" in arm.psdc]
    highest = max([x for _, x in marks] + [_top(arm) for arm in arms] + [1.0])
    head = 0.25 * len(marks)  # inches: half a row per label
    left = 0.3 + 0.085 * max(len(label(arm.name)) for arm in arms)
    height = 0.9 + 0.5 * len(arms) + head
    axes = new_axes(5.4, height, left=left, right=0.12, top=0.12, bottom=0.54)
    for row, arm in enumerate(arms):
        _interval(axes, arm.psdc.get("l2"), len(arms) - 1 - row, look[arm.name])
    for row, (name, x) in enumerate(sorted(marks, key=lambda mark: mark[1])):
        # A staircase: every line ends at its own label, left of all lines that are higher.
        y = len(arms) - 0.2 + 0.5 * row
        axes.plot([x, x], [-0.6, y], color=MUTED, lw=1, ls=(0, (4, 3)), zorder=1)
        side = "right" if x > 0.4 * highest else "left"
        text = f"{name} {number(x)}"
        gap = 0.012 * highest * (1 if side == "left" else -1)
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
        axes.text(x + gap, y, text, ha=side, va="center", size=SMALL, color=MUTED, bbox=box)
    axes.set(xlim=(0, 1.06 * highest), ylim=(-0.6, len(arms) - 0.4 + 0.5 * len(marks)))
    axes.set_yticks(range(len(arms)), [label(arm.name) for arm in reversed(arms)])
    axes.tick_params(axis="y", length=0, labelsize=NORMAL, labelcolor=INK, pad=6)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("P.S.D.C. (L2), lower is better", size=SMALL, color=MUTED)
    return as_figure(axes)


def dose_chart(dose: Dose, look: Look) -> Figure:
    """Measured score (y) of one trait at each dose (x) of its dial; the dashed line is perfect."""
    side = HIGHEST + 0.5
    axes = new_axes(2.7, 3.13, left=0.4, right=0.05, top=0.36, bottom=0.52)
    axes.plot([-side, side], [-side, side], color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=1)
    axes.axhline(0, color=RULE, lw=0.7, zorder=0)
    if dose.points:
        doses, scores = zip(*dose.points, strict=True)
        axes.plot(doses, scores, color=look.light, lw=1.4, marker=look.marker, ms=4.5, zorder=3)
    axes.set(xlim=(-side, side), ylim=(-side, side))
    axes.set_xticks([LOWEST, 0, HIGHEST])
    axes.set_yticks([LOWEST, 0, HIGHEST])
    axes.set_title(dose.trait.capitalize(), loc="left", size=NORMAL, color=INK, pad=7)
    axes.set_xlabel(
        f"asked, \N{GREEK SMALL LETTER RHO} {signed(dose.spearman)}", size=SMALL, color=MUTED
    )
    return as_figure(axes)


def radar(target: Sequence[float], measured: Sequence[tuple[Sequence[float], Look]]) -> Figure:
    """One persona: the target as a grey area, what was measured of each arm as a line.

    Args:
        target: one score per trait.
        measured: one score per trait and the look, for each arm that was scored; the last one
            is drawn strongest.

    The centre is the lowest score, the rim the highest, the darker ring 0. Measured scores beyond
    the scale are drawn at its ends.
    """
    axes = new_axes(3.8, 3.1, left=0.05, right=0.05, top=0.05, bottom=0.05)
    axes.set_axis_off()
    for level in (LOWEST / 2, 0.0, HIGHEST / 2, HIGHEST):
        axes.plot(*_polygon([level] * len(TRAITS)), color=RULE if level else MUTED, lw=0.8)
    rim_x, rim_y = _polygon([HIGHEST] * len(TRAITS))
    for x, y, name in zip(rim_x[:-1], rim_y[:-1], _SPOKES, strict=True):
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


def training_curve(curves: Mapping[str, Curve], column: str, look: Mapping[str, Look]) -> Figure:
    """One logged column over the training steps, a line per trained arm.

    A long curve is drawn faintly as logged, with its running mean on top.
    """
    axes = new_axes(4.3, 2.5, left=0.5, right=0.12, top=0.36, bottom=0.46)
    for arm, curve in curves.items():
        steps, values = np.array(curve, dtype=float).T
        window = max(1, len(values) // 12)
        if window > 1:
            axes.plot(steps, values, color=look[arm].light, lw=0.7, alpha=0.3)
        mark = look[arm].marker if len(values) <= 20 else ""
        smooth = _running_mean(values, window)
        axes.plot(steps, smooth, color=look[arm].light, lw=1.8, marker=mark, ms=4)
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_axisbelow(True)
    axes.set_title(column, loc="left", size=NORMAL, color=INK, pad=7)
    axes.set_xlabel("training step", size=SMALL, color=MUTED, labelpad=2)
    return as_figure(axes)


def reach_of(arms: Sequence[Arm]) -> float:
    """How far the axes of trait scores run: from 5.5, at most to 7.5.

    Beyond that a single wild score would squeeze all others; it is drawn at the edge instead.
    """
    return min(7.5, max(HIGHEST + 0.5, 0.5 + math.ceil(largest(arms))))


def largest(arms: Sequence[Arm]) -> float:
    """The largest measured score of all arms, without its sign; 0 where none was scored."""
    scores = (abs(s) for arm in arms for scores in arm.measured.values() for s in scores)
    return max(scores, default=0.0)


def _interval(axes: Axes, value: Estimate | None, y: float, look: Look) -> None:
    if value is None:
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 2}
        axes.text(0, y, " no persona scored", va="center", size=SMALL, color=MUTED, bbox=box)
        return
    if value.low is not None and value.high is not None:
        ends = [value.low, value.high]
        axes.plot(ends, [y, y], color=look.light, lw=3, alpha=0.45, zorder=2)
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


def _top(arm: Arm) -> float:
    value = arm.psdc.get("l2")
    return 0.0 if value is None else max(value.mean, value.high or 0.0)


def _polygon(scores: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Closed outline of a profile, x and y [traits + 1]: first trait on top, rim at radius 1."""
    radius = (np.array([*scores, scores[0]]) - LOWEST) / (HIGHEST - LOWEST)
    angle = np.pi / 2 - 2 * np.pi * np.arange(len(radius)) / len(scores)
    return radius * np.cos(angle), radius * np.sin(angle)


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Centred mean over at most `window` neighbours [steps]; the ends average fewer."""
    ones = np.ones(window)
    total = np.convolve(values, ones, mode="same")
    return np.asarray(total / np.convolve(np.ones_like(values), ones, mode="same"))


def new_axes(
    width: float, height: float, *, left: float, right: float, top: float, bottom: float
) -> Axes:
    """Axes on a new figure; all sizes in inches, so that labels never collide with margins."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    box = (left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height)
    axes = figure.add_axes(box)
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
