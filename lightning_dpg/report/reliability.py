"""A reliability study for people: tables in the terminal, and one self-contained page.

Both take what `assessment.reliability.study.study` gives, or the same read back from JSON. A page
also shows `about` (a mapping of facts) and `notes` (sentences) where the results have them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lightning_dpg.records import TRAITS
from lightning_dpg.report import reliability_words as words
from lightning_dpg.report.reliability_plots import assessor_scatter, forest
from lightning_dpg.report.reliability_words import Results
from lightning_dpg.report.style import INK, MUTED, PAPER, RULE, Look, looks
from lightning_dpg.report.svg import inline_svg
from lightning_dpg.report.tables import interval, number
from lightning_dpg.report.templates import template_environment
from lightning_dpg.report.words import counted
from lightning_dpg.runs import write_atomically

COEFFICIENTS = {
    "auc": ("AUC, high against low pole", 0.5),
    "split_half": ("Split-half reliability", 0.0),
    "sets.icc": ("ICC(1,1) of one set", 0.0),
    "repeats.icc": ("ICC(1,1) of one repeat", 0.0),
}
"""What is drawn: title, and what an assessor gets that knows nothing."""
_PALETTE = ("dpg", "lora_sft", "prompted", "unadapted", "lora_sft_contrast", "5", "6", "7")


def table(results: Results) -> RenderableType:
    """All coefficients for a terminal, a table for each assessor and each pair."""
    parts: list[RenderableType] = [Text(words.setting(results))]
    for name, about in results["assessors"].items():
        heads = words.COLUMNS | (words.REPEATS if words.has_repeats(about) else {})
        rows = {head: _cells(about, key) for key, head in heads.items()}
        rows["Unscored"] = [str(about["traits"][trait]["unscored"]) for trait in TRAITS]
        parts += [Text(f"\n{name}: {about['identity']}", style="bold"), _grid(rows)]
        parts += [Text(words.repeats_said(about)), Text(words.sets_said(about))]
        parts += [Text(f"{reason}: {count}") for reason, count in about["reasons"].items()]
    for pair in results["pairs"]:
        rows = {head: _cells(pair, key) for key, head in words.PAIR.items()}
        rows["95% limits"] = [words.limits(pair, trait).replace(", ", "…") for trait in TRAITS]
        parts += [Text("\n" + " and ".join(pair["assessors"]), style="bold"), _grid(rows)]
    return Group(*parts)


def write_page(results: Results, path: Path) -> None:
    """Write the study as one HTML file that needs no network."""
    # A lone surrogate in a name cannot be encoded; a question mark beats a lost page.
    write_atomically(path, render(results).encode("utf-8", errors="replace").decode("utf-8"))


def render(results: Results) -> str:
    """The page as one string of HTML."""
    names = list(results["assessors"])
    look = dict(zip(names, _looks(len(names)), strict=True))
    keys = {name: f"assessor-{place}" for place, name in enumerate(names)}
    variables = {INK: "--ink", MUTED: "--muted", RULE: "--rule", PAPER: "--paper"}
    variables |= {look[name].light: f"--{keys[name]}" for name in names}
    environment = template_environment({"identifier": keys.__getitem__})
    return environment.get_template("reliability.html.j2").render(
        results=results,
        outcome=words.outcome(results),
        setting=words.setting(results),
        traits=TRAITS,
        looks=look,
        heads=words.COLUMNS,
        repeat_heads=words.REPEATS,
        pair_heads=words.PAIR,
        forests=_forests(results, look, variables),
        scatters=[
            _scatters(results, pair, n, variables) for n, pair in enumerate(results["pairs"])
        ],
        has_repeats=words.has_repeats,
        value=words.value,
        bounds=lambda about, trait, key: interval(words.estimate(about, trait, key)),
        limits=words.limits,
        sets_said=words.sets_said,
        repeats_said=words.repeats_said,
        counted=counted,
        shown_languages=", ".join(sorted({s["language"] for s in results["subjects"]})),
    )


def _cells(about: Results, key: str) -> list[str]:
    """A coefficient by trait, with the ends of its interval below it."""
    cells = []
    for trait in TRAITS:
        shown, found = words.value(about, trait, key), words.estimate(about, trait, key)
        if found and found.low is not None and found.high is not None:
            shown += f"\n{number(found.low)}…{number(found.high)}"
        cells.append(shown)
    return cells


def _grid(rows: Mapping[str, Sequence[str]]) -> Table:
    """Coefficients by trait, narrow enough for 80 columns."""
    shown = Table("", box=None, header_style="bold", pad_edge=False)
    for trait in TRAITS:
        shown.add_column(trait[0].upper(), justify="right")
    for head, cells in rows.items():
        shown.add_row(head, *(Text(cell) for cell in cells))
    return shown


def _looks(count: int) -> list[Look]:
    palette = list(looks(_PALETTE).values())
    return [palette[i % len(palette)] for i in range(count)]


def _forests(
    results: Results, look: Mapping[str, Look], variables: Mapping[str, str]
) -> list[Markup]:
    """One figure for each coefficient that any assessor has."""
    figures = []
    for key, (title, zero) in COEFFICIENTS.items():
        found = {
            name: [words.estimate(about, trait, key) for trait in TRAITS]
            for name, about in results["assessors"].items()
        }
        if any(value is not None for values in found.values() for value in values):
            said = f"{title} by trait and assessor, with 95% intervals"
            name = f"forest-{re.sub('[^a-z]', '-', key)}"
            figures.append(inline_svg(forest(title, found, look, zero), variables, name, said))
    return figures


def _scatters(
    results: Results, pair: Results, place: int, variables: Mapping[str, str]
) -> list[Markup]:
    """A panel per trait of what two assessors said of the same sets."""
    first, second = pair["assessors"]
    panels = []
    for i, trait in enumerate(TRAITS):
        points: list[tuple[float, float]] = []
        poles: list[int] = []
        for subject in results["subjects"]:
            x, y = subject["scores"][first][i], subject["scores"][second][i]
            if x is not None and y is not None:
                points.append((x, y))
                poles.append(_pole(subject["poles"], i))
        figure = assessor_scatter(
            (first, second), points, poles, trait, words.estimate(pair, trait, "r")
        )
        said = f"{trait}: {first} against {second}"
        panels.append(inline_svg(figure, variables, f"pair-{place}-{trait}", said))
    return panels


def _pole(poles: Sequence[int], trait: int) -> int:
    return poles[trait] if poles else 0
