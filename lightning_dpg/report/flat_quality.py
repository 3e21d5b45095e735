"""Quality of replies, and what a second instrument reads in them, as plain tables."""

from __future__ import annotations

from lightning_dpg.records import TRAITS
from lightning_dpg.report.flat_table import Cell, Flat, ends, named
from lightning_dpg.report.reading import RunFolder


def quality_table(run: RunFolder) -> Flat:
    """Fluency, coherency, consistency and what was counted, by task and arm."""
    rows: list[list[Cell]] = []
    for task in run.tasks:
        for arm in task.arms:
            if found := arm.quality:
                counted = [found.consistency, *found.consistency_by_trait, *found.distinct]
                counted += [found.loops, found.refusals, found.words]
                judged = found.judged
                scores = [judged.fluency, judged.coherency, judged.consistency] if judged else []
                graded = [end for score in scores or [None] * 3 for end in ends(score)]
                silent = judged.unscored if judged else None
                likelihoods = [*ends(found.nll), *ends(found.coherency)]
                rows.append([task.name, arm.name, *likelihoods, *counted, *graded, silent])
    columns = ["task", "arm", *named("nll"), *named("coherency"), "consistency"]
    columns += [f"consistency_{trait}" for trait in TRAITS]
    columns += ["distinct_1", "distinct_2", "distinct_3", "loops", "refusals", "words"]
    judged_as = ("judged_fluency", "judged_coherency", "judged_consistency")
    columns += [end for name in judged_as for end in named(name)]
    return Flat([*columns, "judged_unscored"], rows)


def second_table(run: RunFolder) -> Flat:
    """Correlation of target and measured by another instrument, by task and arm."""
    rows: list[list[Cell]] = [
        [task.name, arm.name, arm.second, *arm.second_r]
        for task in run.tasks
        for arm in task.arms
        if arm.second
    ]
    return Flat(["task", "arm", "instrument", *(f"r_{trait}" for trait in TRAITS)], rows)
