"""The tables of a run as plain columns and rows, for whoever logs or loads them."""

from __future__ import annotations

from statistics import fmean

from lightning_dpg.records import TRAITS
from lightning_dpg.report import groups, verdict, words
from lightning_dpg.report.facts import fact_tables
from lightning_dpg.report.flat_quality import quality_table, second_table
from lightning_dpg.report.flat_studies import study_tables
from lightning_dpg.report.flat_table import Cell, Flat, ends, named
from lightning_dpg.report.reading import RunFolder
from lightning_dpg.report.tables import headline_rows
from lightning_dpg.report.unscored import absent_controls, unscored_parts

FITS = ("pearson", "spearman", "concordance", "mae", "bias", "slope")


def flat_tables(run: RunFolder) -> dict[str, Flat]:
    """All tables that have a row, by name: labels are those of the files, numbers not rounded."""
    found = {
        "targets": _targets(run),
        "arms": _arms(run),
        "by_task": _grouped(run, "kind"),
        "by_language": _grouped(run, "language"),
        "traits": _traits(run),
        "matrix": _matrix(run),
        "matrix_summary": _matrix_summary(run),
        "comparisons": _comparisons(run),
        "ratios": _ratios(run),
        "quality": quality_table(run),
        "second_instrument": second_table(run),
        "personas": _personas(run),
        **study_tables(run),
        "unscored": _unscored(run),
        "skipped": _skipped(run),
        "facts": _facts(run),
    }
    return {name: table for name, table in found.items() if table.rows}


def _targets(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [[t.name, t.outcome, t.found] for t in verdict.targets(run)]
    return Flat(["target", "outcome", "found"], rows)


def _arms(run: RunFolder) -> Flat:
    correlations = [f"r_{trait}" for trait in TRAITS]
    rows: list[list[Cell]] = [
        [
            row.name,
            *ends(row.l2),
            *ends(row.mae),
            fmean(row.known_r) if row.known_r else None,
            *row.trait_r,
            *([row.unscored, row.scored + row.unscored] if not row.trivial else [None, None]),
        ]
        for row in headline_rows(run)
    ]
    columns = ["arm", *named("psdc_l2"), *named("mae"), "r_mean", *correlations]
    return Flat([*columns, "unscored", "personas"], rows)


def _grouped(run: RunFolder, grouping: groups.Grouping) -> Flat:
    """Empty by language where all speak one: the table by kind has that."""
    columns = groups.columns(run, grouping)
    if grouping == "language" and not any(column.group for column in columns):
        return Flat([], [])
    rows: list[list[Cell]] = [
        [column.task.name, column.group or "all", row.name, *ends(cell), zero]
        for row in groups.rows(run, columns)
        for column, cell, zero in zip(columns, row.cells, row.zeros, strict=True)
        if cell is not None
    ]
    return Flat(["task", "group", "arm", *named("psdc_l2"), "constant_zero"], rows)


def _traits(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [task.name, arm.name, trait, *(end for name in FITS for end in ends(fit.get(name)))]
        for task in run.tasks
        for arm in task.arms
        for trait, fit in arm.traits.items()
    ]
    return Flat(["task", "arm", "trait", *(end for name in FITS for end in named(name))], rows)


def _matrix(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [arm.name, trait, *row]
        for arm in run.headline.arms
        for trait, row in zip(TRAITS, arm.matrix, strict=False)
    ]
    return Flat(["arm", "prompted", *TRAITS], rows)


def _matrix_summary(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [
            *(task.name, arm.name, arm.diagonal, arm.off_diagonal),
            *ends(arm.selectivity),
            *ends(arm.profile_r),
        ]
        for task in run.tasks
        for arm in task.arms
        if arm.matrix or arm.profile_r
    ]
    columns = ["task", "arm", "diagonal", "off_diagonal", *named("selectivity")]
    return Flat([*columns, *named("profile_r")], rows)


def _comparisons(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = []
    for task in run.tasks:
        for one in task.comparisons:
            found = [("all", one), *((trait.other, trait) for trait in one.traits)]
            rows += [
                [
                    *(task.name, one.other, trait, *ends(c.difference)),
                    *(c.p, c.p_holm, c.effect, one.personas),
                ]
                for trait, c in found
            ]
    columns = ["task", "other", "trait", *named("difference"), "p", "p_holm", "effect"]
    return Flat([*columns, "personas"], rows)


def _ratios(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [
            *(task.name, ratio.name, ratio.against or None, *ends(ratio.value)),
            *(verdict.MOST.get(ratio.name), words.PAPER.get(ratio.name)),
        ]
        for task in run.tasks
        for ratio in task.ratios
    ]
    return Flat(["task", "ratio", "against", *named("value"), "target", "paper"], rows)


def _personas(run: RunFolder) -> Flat:
    """Everybody of the headline as asked for and as each arm was measured."""
    rows: list[list[Cell]] = [
        [
            *(one.id, one.kind, one.language, arm.name, arm.deviation(one), *one.target),
            *arm.measured.get(one.id, (None,) * len(TRAITS)),
        ]
        for one in run.headline.personas
        for arm in run.headline.arms
        if arm.measured
    ]
    scores = [f"{side}_{trait}" for side in ("target", "measured") for trait in TRAITS]
    return Flat(["persona", "kind", "language", "arm", "deviation", *scores], rows)


def _unscored(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [part.name, part.arm, part.unit, part.unscored, part.of, why, count, ids]
        for part in unscored_parts(run)
        for why, count, ids in (
            [(r.text, r.count, ", ".join(r.ids)) for r in part.reasons] or [("", part.unscored, "")]
        )
        if part.unscored
    ]
    rows += [
        [f"{task.name}: quality", arm.name, "answer", judged.unscored, None, why, count, ""]
        for task in run.tasks
        for arm in task.arms
        if arm.quality and (judged := arm.quality.judged)
        for why, count in judged.reasons.items()
    ]
    return Flat(["of", "arm", "unit", "unscored", "asked", "reason", "count", "ids"], rows)


def _skipped(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [["arm", name, why] for name, why in run.skipped.items()]
    rows += [["control", name, why] for name, why in absent_controls(run).items()]
    return Flat(["what", "name", "reason"], rows)


def _facts(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [title, name, text] for title, facts in fact_tables(run).items() for name, text in facts
    ]
    return Flat(["about", "name", "value"], rows)
