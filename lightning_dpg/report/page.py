"""One self-contained `report.html`: drawn from a run's folder, readable anywhere, offline."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment

from lightning_dpg.records import TRAITS
from lightning_dpg.report import groups, plots, tables, unscored, verdict, words
from lightning_dpg.report.cards import beside, failures
from lightning_dpg.report.drawing import Drawing, identifier
from lightning_dpg.report.facts import fact_tables
from lightning_dpg.report.reading import RunFolder, read_run
from lightning_dpg.report.sections import sections
from lightning_dpg.report.style import label
from lightning_dpg.report.templates import template_environment
from lightning_dpg.runs import REPORT, write_atomically

FACTS = ("experiment", "seed", "labels", "judge", "judge_note")
"""What sentences of the page say of a run; a run may lack some."""


def write_report(folder: Path) -> Path:
    """Draw `report.html` into the folder of a run or evaluation, from the files in it alone.

    Raises:
        UserError: the folder holds no results, or broken ones; the message says what to do.
    """
    run = read_run(folder)
    file = folder / REPORT
    # A lone surrogate in a reply cannot be encoded; a question mark beats a lost report.
    write_atomically(file, render(run).encode("utf-8", errors="replace").decode("utf-8"))
    return file


def render(run: RunFolder) -> str:
    """The page as one string of HTML."""
    drawing = Drawing(run)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            run=run,
            task=run.headline,
            main=run.main,
            facts={name: run.facts.get(name) for name in FACTS},
            sections=sections(run),
            fact_tables=fact_tables(run),
            words=words,
            unscored=unscored,
            verdict=verdict,
            groups=groups,
            traits=TRAITS,
            looks=drawing.looks,
            rows=tables.headline_rows(run),
            drawing=drawing,
            beside=beside(run.headline),
            failures=failures(run),
            zeros=groups.zeros_of_characters(run),
            reach=plots.reach_of(run.headline.arms),
            cut=plots.largest(run.headline.arms) > plots.reach_of(run.headline.arms),
        )
    )


@cache
def _environment() -> Environment:
    """Where templates are found; those of the sections are compiled once."""
    environment = template_environment(
        {
            "label": label,
            "number": tables.number,
            "signed": tables.signed,
            "interval": tables.interval,
            "spread": tables.spread,
            "percent": tables.percent,
            "p_value": tables.p_value,
            "identifier": identifier,
            "profile": _profile,
        }
    )
    return environment


def _profile(scores: tuple[float, ...], without: str) -> str:
    """A profile in one line, but for the trait that is dosed: `O +2.0, C -1.0, ...`."""
    pairs = zip(TRAITS, scores, strict=False)
    shown = [(t[0].upper(), tables.signed(score, 1)) for t, score in pairs if t != without]
    return ", ".join(map(" ".join, shown))
