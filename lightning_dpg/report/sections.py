"""The sections of the page in their order, and which of them a run has."""

from __future__ import annotations

from dataclasses import dataclass

from lightning_dpg.report import groups
from lightning_dpg.report.reading import RunFolder


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        id: what the table of contents points at.
        title: its heading.
        short: the same in the table of contents.
    """

    id: str
    title: str
    short: str

    @property
    def template(self) -> str:
        """Its file."""
        return f"page_{self.id}.html.j2"


ALL = (
    Section("headline", "How far from the personality that was asked for", "Headline"),
    Section("tasks", "The same by task", "By task"),
    Section("comparisons", "Against the other arms", "Comparisons"),
    Section("traits", "Trait by trait", "Traits"),
    Section("matrix", "Which trait was asked for, and which showed", "Matrix"),
    Section("scatter", "Target against measured", "Scatter"),
    Section("doses", "One dial at a time", "Dials"),
    Section("descriptions", "Descriptions alone", "Descriptions"),
    Section("quality", "At what price", "Quality"),
    Section("controls", "Does the measure catch a broken reply?", "Controls"),
    Section("second", "What a second instrument sees", "Second instrument"),
    Section("personas", "Personas", "Personas"),
    Section("worst", "The personas that it missed most", "Worst"),
    Section("overfitting", "Characters of training against held-out ones", "Overfitting"),
    Section("training", "Training", "Training"),
    Section("unscored", "What was not measured, and why", "Unscored"),
    Section("reading", "How to read this", "How to read"),
    Section("facts", "What was run", "Facts"),
)


def sections(run: RunFolder) -> list[Section]:
    """Those that the run has something for."""
    arms = run.headline.arms
    absent = {
        "tasks": len(groups.columns(run)) < 2,
        "comparisons": not (run.headline.comparisons or run.headline.ratios),
        "traits": not run.main.traits,
        "matrix": all(value is None for row in run.main.matrix for value in row),
        "scatter": not any(arm.measured for arm in arms),
        "doses": not run.doses,
        "descriptions": all(effect.get("p") is None for effect in run.descriptions.values()),
        "quality": not any(arm.quality for arm in arms),
        "controls": not run.controls,
        "second": not any(arm.second for arm in arms),
        "worst": not run.main.measured,
        "overfitting": not run.overfitting,
        "training": not run.curves,
    }
    return [section for section in ALL if not absent.get(section.id, False)]
