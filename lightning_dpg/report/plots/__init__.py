"""Figure factories: plain data in, a matplotlib Figure out, with no pyplot and no global state.

Sizes are chosen so that one point of a figure is about one pixel on the page.
"""

from lightning_dpg.report.plots.axes import NORMAL, SMALL, as_figure, new_axes
from lightning_dpg.report.plots.dials import dose_chart
from lightning_dpg.report.plots.intervals import deviation_chart, seen_chart, task_chart
from lightning_dpg.report.plots.matrix import heat_map
from lightning_dpg.report.plots.radar import radar
from lightning_dpg.report.plots.scatter import (
    largest,
    reach_of,
    trait_scatter,
    validation_scatter,
)
from lightning_dpg.report.plots.training import training_curve

__all__ = [
    "NORMAL",
    "SMALL",
    "as_figure",
    "deviation_chart",
    "dose_chart",
    "heat_map",
    "largest",
    "new_axes",
    "radar",
    "reach_of",
    "seen_chart",
    "task_chart",
    "training_curve",
    "trait_scatter",
    "validation_scatter",
]
