"""What was asked beside the tasks as plain tables: dials, descriptions, controls, worst cases."""

from __future__ import annotations

from lightning_dpg.records import TRAITS
from lightning_dpg.report import groups
from lightning_dpg.report.cards import failures
from lightning_dpg.report.flat_table import Cell, Flat, ends, named
from lightning_dpg.report.reading import Response, RunFolder


def study_tables(run: RunFolder) -> dict[str, Flat]:
    """By name, with those that have no row."""
    return {
        "dose_response": _doses(run),
        "descriptions": _descriptions(run),
        "controls": _controls(run),
        "overfitting": _overfitting(run),
        "worst_personas": _worst(run),
    }


def _doses(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = []
    for dose in run.doses:
        rows.append([*_response(dose.base, "zero"), dose.second_r])
        for other in dose.backgrounds:
            rows.append([*_response(other, ",".join(f"{s:g}" for s in other.background)), None])
        if dose.null:
            rows.append([*_response(dose.null, "no adapter"), None])
    columns = ["dial", "others", *named("spearman"), "violations", "steps", *named("slope")]
    columns += ["saturation", "steepest_other", "steepest_other_slope"]
    return Flat([*columns, "second_r"], rows)


def _response(response: Response, others: str) -> list[Cell]:
    name, slope = response.steepest_other or (None, None)
    spearman, own = (ends(response.intervals.get(key))[1:] for key in ("spearman", "slope"))
    return [
        *(response.trait, others, response.spearman, *spearman),
        *(response.violations, response.steps, response.slope, *own),
        *(response.saturation, name, slope),
    ]


def _descriptions(run: RunFolder) -> Flat:
    names = ("explained", "expected", "p", "replies")
    rows: list[list[Cell]] = [
        [shown, *(effect.get(name) for name in names)]
        for shown, effect in run.descriptions.items()
        if effect.get("p") is not None
    ]
    return Flat(["shown", *names], rows)


def _controls(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [
            one.name,
            one.measure,
            *(value.mean if value else None for value in (one.intact, one.broken)),
            *ends(one.difference),
            one.p,
            one.intact_text,
            one.broken_text,
        ]
        for one in run.controls
    ]
    columns = ["control", "measure", "intact", "broken", *named("difference"), "p"]
    return Flat([*columns, "intact_text", "broken_text"], rows)


def _overfitting(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [one.arm, *ends(one.seen), *ends(one.unseen), *ends(one.difference), one.p]
        for one in run.overfitting
    ]
    if rows and (zeros := groups.zeros_of_characters(run)):
        seen, unseen = zeros
        rows.insert(0, ["constant_zero", seen, None, None, unseen, None, None])
        rows[0] += [seen - unseen, None, None, None]
    columns = (end for name in ("seen", "unseen", "difference") for end in named(name))
    return Flat(["arm", *columns, "p"], rows)


def _worst(run: RunFolder) -> Flat:
    rows: list[list[Cell]] = [
        [
            *(one.persona.id, one.persona.kind, one.deviation),
            *(*one.persona.target, *one.measured),
            *(m - t for m, t in zip(one.measured, one.persona.target, strict=True)),
            "\n\n".join(f"{reply.prompt}\n{reply.text}" for reply in one.replies),
        ]
        for one in failures(run)
    ]
    sides = ("target", "measured", "off")
    scores = [f"{side}_{trait}" for side in sides for trait in TRAITS]
    return Flat(["persona", "kind", "deviation", *scores, "replies"], rows)
