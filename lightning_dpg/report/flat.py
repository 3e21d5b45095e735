"""The tables of a run as plain columns and rows, for whoever logs or loads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lightning_dpg.records import TRAITS
from lightning_dpg.report import groups
from lightning_dpg.report.cards import failures
from lightning_dpg.report.reading import Estimate, Response, RunFolder
from lightning_dpg.report.tables import headline_rows

Cell = str | float | int | None
FITS = ("pearson", "spearman", "concordance", "mae", "bias", "slope")


class Flat(NamedTuple):
    """A table: every row has a cell for each column, None where there is no number."""

    columns: list[str]
    rows: list[list[Cell]]


def flat_tables(run: RunFolder) -> dict[str, Flat]:
    """All tables that have a row, by name: labels are those of the files, numbers not rounded."""
    found = {
        "arms": _arms(run),
        "by_task": _by_task(run),
        "traits": _traits(run),
        "matrix": _matrix(run),
        "comparisons": _comparisons(run),
        "dose_response": _doses(run),
        "quality": _quality(run),
        "controls": _controls(run),
        "overfitting": _overfitting(run),
        "worst_personas": _worst(run),
    }
    return {name: table for name, table in found.items() if table.rows}


def _arms(run: RunFolder) -> Flat:
    correlations = [f"r_{trait}" for trait in TRAITS]
    rows: list[list[Cell]] = [
        [row.name, *_ends(row.l2), *row.trait_r, row.unscored if row.scored else None]
        for row in headline_rows(run)
    ]
    return Flat(["arm", *_named("psdc_l2"), *correlations, "unscored"], rows)


def _by_task(run: RunFolder) -> Flat:
    columns = groups.columns(run)
    rows: list[list[Cell]] = [
        [column.task.name, column.group or "all", row.name, *_ends(cell), column.zero]
        for row in groups.rows(run, columns)
        for column, cell in zip(columns, row.cells, strict=True)
        if cell is not None
    ]
    return Flat(["task", "group", "arm", *_named("psdc_l2"), "constant_zero"], rows)


def _traits(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [task.name, arm.name, trait, *(end for name in FITS for end in _ends(fit.get(name)))]
        for task in run.tasks
        for arm in task.arms
        for trait, fit in arm.traits.items()
    ]
    return Flat(["task", "arm", "trait", *(end for name in FITS for end in _named(name))], rows)


def _matrix(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [arm.name, trait, *row]
        for arm in run.headline.arms
        for trait, row in zip(TRAITS, arm.matrix, strict=False)
    ]
    return Flat(["arm", "prompted", *TRAITS], rows)


def _comparisons(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = []
    for task in run.tasks:
        for one in task.comparisons:
            found = [("all", one), *((trait.other, trait) for trait in one.traits)]
            rows += [
                [task.name, one.other, trait, *_ends(c.difference), c.p, c.p_holm, c.effect]
                for trait, c in found
            ]
    return Flat(["task", "other", "trait", *_named("difference"), "p", "p_holm", "effect"], rows)


def _doses(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = []
    for dose in run.doses:
        rows.append([*_response(dose.base, "zero"), dose.second_r])
        for other in dose.backgrounds:
            rows.append([*_response(other, ",".join(f"{s:g}" for s in other.background)), None])
        if dose.null:
            rows.append([*_response(dose.null, "no adapter"), None])
    columns = ["dial", "others", "spearman", "violations", "slope", "saturation"]
    return Flat([*columns, "steepest_other", "steepest_other_slope", "second_r"], rows)


def _response(response: Response, others: str) -> list[Cell]:
    name, slope = response.steepest_other or (None, None)
    known = [response.spearman, response.violations, response.slope, response.saturation]
    return [response.trait, others, *known, name, slope]


def _quality(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = []
    for task in run.tasks:
        for arm in task.arms:
            if found := arm.quality:
                judged = found.judged
                scores = [judged.fluency, judged.coherency, judged.consistency] if judged else []
                means = [score.mean if score else None for score in scores] or [None] * 3
                ends = [*_ends(found.nll), *_ends(found.coherency)]
                counted = [found.consistency, *found.distinct, found.loops, found.refusals]
                rows.append([task.name, arm.name, *ends, *counted, found.words, *means])
    columns = ["task", "arm", *_named("nll"), *_named("coherency"), "consistency"]
    columns += ["distinct_1", "distinct_2", "distinct_3", "loops", "refusals", "words"]
    return Flat([*columns, "judged_fluency", "judged_coherency", "judged_consistency"], rows)


def _controls(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [
            one.name,
            one.measure,
            *(value.mean if value else None for value in (one.intact, one.broken)),
            *_ends(one.difference),
            one.p,
            one.intact_text,
            one.broken_text,
        ]
        for one in run.controls
    ]
    columns = ["control", "measure", "intact", "broken", *_named("difference"), "p"]
    return Flat([*columns, "intact_text", "broken_text"], rows)


def _overfitting(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [one.arm, *_ends(one.seen), *_ends(one.unseen), *_ends(one.difference), one.p]
        for one in run.overfitting
    ]
    ends = (end for name in ("seen", "unseen", "difference") for end in _named(name))
    return Flat(["arm", *ends, "p"], rows)


def _worst(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [
            one.persona.id,
            one.persona.kind,
            one.deviation,
            *one.persona.target,
            *one.measured,
            "\n\n".join(f"{reply.prompt}\n{reply.text}" for reply in one.replies),
        ]
        for one in failures(run)
    ]
    scores = [f"{side}_{trait}" for side in ("target", "measured") for trait in TRAITS]
    return Flat(["persona", "kind", "deviation", *scores, "replies"], rows)


def _named(name: str) -> Sequence[str]:
    return name, f"{name}_low", f"{name}_high"


def _ends(value: Estimate | None) -> list[float | None]:
    return [value.mean, value.low, value.high] if value else [None] * 3
