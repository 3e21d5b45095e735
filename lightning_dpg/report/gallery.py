"""The figures of a run by name, for the page and for whoever else shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from lightning_dpg.records import TRAITS
from lightning_dpg.report import plots
from lightning_dpg.report.reading import Arm, RunFolder
from lightning_dpg.report.style import Look, label


@dataclass(frozen=True)
class Picture:
    """A figure, and what a screen reader says instead of it."""

    figure: Figure
    said: str


def overview(run: RunFolder, look: Mapping[str, Look]) -> dict[str, Picture]:
    """What a run shows of its main arm, without the figures that it has no numbers for.

    Names: `deviations`, `tasks`, `matrix`, `overfitting`, `scatter/<trait>`, `dose/<trait>`.
    """
    found = {
        "deviations": Picture(
            plots.deviation_chart(run.headline.arms, run.headline.trivial, look),
            "P.S.D.C. of each arm with its 95% interval, and of the trivial answers",
        )
    }
    if len(run.tasks) > 1:
        figure = plots.task_chart(run.tasks, run.arm_names, look)
        found["tasks"] = Picture(figure, "P.S.D.C. of each arm in each task")
    if any(value is not None for row in run.main.matrix for value in row):
        found["matrix"] = Picture(
            plots.heat_map(run.main.matrix),
            "Correlation of each prompted trait with each measured one",
        )
    if run.overfitting:
        found["overfitting"] = Picture(
            plots.seen_chart(run.overfitting, look),
            "P.S.D.C. of each arm on characters of training and on held-out ones",
        )
    scatters = scatter_panels(run, run.main, look)
    return found | {f"scatter/{trait}": one for trait, one in scatters.items()} | _doses(run, look)


def scatter_panels(run: RunFolder, arm: Arm, look: Mapping[str, Look]) -> dict[str, Picture]:
    """By trait, all on one scale for all arms; none for an arm without any score."""
    if not arm.measured:
        return {}
    reach = plots.reach_of(run.headline.arms)
    return {
        trait: Picture(
            plots.trait_scatter(arm, run.headline.personas, index, look[arm.name], reach),
            f"{label(arm.name)}: target against measured {trait}",
        )
        for index, trait in enumerate(TRAITS)
    }


def _doses(run: RunFolder, look: Mapping[str, Look]) -> dict[str, Picture]:
    return {
        f"dose/{dose.trait}": Picture(
            plots.dose_chart(dose, look[run.main.name]),
            f"{dose.trait}: asked against measured, one dial at a time",
        )
        for dose in run.doses
    }
