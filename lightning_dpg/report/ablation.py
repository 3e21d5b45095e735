"""An ablation for people: one self-contained page of all its cells.

It takes what `ablation.results.summarise` gives, or the same read back from JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lightning_dpg.records import TRAITS
from lightning_dpg.report import ablation_words as words
from lightning_dpg.report.ablation_plots import REFERENCE
from lightning_dpg.report.ablation_tables import tables
from lightning_dpg.report.style import INK, MUTED, PAPER, RULE
from lightning_dpg.report.svg import inline_svg
from lightning_dpg.report.tables import number, signed
from lightning_dpg.report.templates import template_environment
from lightning_dpg.report.words import kind
from lightning_dpg.runs import write_atomically

_ACCENT = "cell-reference"


def write_page(results: Mapping[str, Any], figure: Figure, path: Path) -> None:
    """Write the ablation as one HTML file that needs no network."""
    # A lone surrogate in a reply cannot be encoded; a question mark beats a lost page.
    page = render(results, figure)
    write_atomically(path, page.encode("utf-8", errors="replace").decode("utf-8"))


def render(results: Mapping[str, Any], figure: Figure) -> str:
    """The page as one string of HTML; `figure` is of `ablation_plots.cell_chart`."""
    variables = {INK: "--ink", MUTED: "--muted", RULE: "--rule", PAPER: "--paper"}
    variables[REFERENCE.light] = f"--{_ACCENT}"
    environment = template_environment(
        {
            "identifier": str,
            "signed": signed,
            "number": number,
            "kind": kind,
            "distance": lambda pair: words.distance(*pair),
        }
    )
    said = "P.S.D.C. of each cell with its 95% interval, and r of asked and measured by trait"
    return environment.get_template("ablation.html.j2").render(
        results=results,
        looks={_ACCENT: REFERENCE},
        outcome=words.outcome(results),
        setting=words.setting(results),
        notes=words.notes(results),
        troubles=words.troubles(results),
        tables={table.key: table for table in tables(results)},
        figure=inline_svg(figure, variables, "cells", said),
        traits=TRAITS,
        done=words.done(results),
        main=words.references(results),
        facts=words.facts(results),
    )
