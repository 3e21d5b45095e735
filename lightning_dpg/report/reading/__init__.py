"""What a run left in its folder, read into plain frozen records.

Nothing here computes and nothing draws: a report can be drawn again at any time from these files.
"""

from lightning_dpg.report.reading.arm import Arm, Group, Persona, Scores
from lightning_dpg.report.reading.files import Curve, Reply
from lightning_dpg.report.reading.quality import Judged, Quality
from lightning_dpg.report.reading.run import RunFolder, read_run, run_of
from lightning_dpg.report.reading.studies import (
    Control,
    Dose,
    Overfitting,
    Response,
    Unscored,
    steepest_other,
)
from lightning_dpg.report.reading.task import Comparison, Ratio, Task
from lightning_dpg.report.reading.values import Estimate

__all__ = [
    "Arm",
    "Comparison",
    "Control",
    "Curve",
    "Dose",
    "Estimate",
    "Group",
    "Judged",
    "Overfitting",
    "Persona",
    "Quality",
    "Ratio",
    "Reply",
    "Response",
    "RunFolder",
    "Scores",
    "Task",
    "Unscored",
    "read_run",
    "run_of",
    "steepest_other",
]
