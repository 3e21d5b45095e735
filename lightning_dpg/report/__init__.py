"""The report of a run: tables, plots and one self-contained page, drawn from its folder alone."""

from lightning_dpg.report.page import write_report

__all__ = ["write_report"]
