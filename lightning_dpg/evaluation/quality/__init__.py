"""Fluency, coherency and consistency of what an arm said, without a reference and by a judge."""

from lightning_dpg.evaluation.quality.controls import Control, controls
from lightning_dpg.evaluation.quality.judged import JudgedQuality, judged
from lightning_dpg.evaluation.quality.measure import Quality, measure_quality

__all__ = ["Control", "JudgedQuality", "Quality", "controls", "judged", "measure_quality"]
