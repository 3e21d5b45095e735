"""Curves of training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from lightning_dpg.report.plots.axes import NORMAL, SMALL, as_figure, new_axes
from lightning_dpg.report.reading import Curve
from lightning_dpg.report.style import INK, MUTED, RULE, Look


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


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Centred mean over at most `window` neighbours [steps]; the ends average fewer."""
    ones = np.ones(window)
    total = np.convolve(values, ones, mode="same")
    return np.asarray(total / np.convolve(np.ones_like(values), ones, mode="same"))
