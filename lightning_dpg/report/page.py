"""One self-contained `report.html`: drawn from a run's folder, readable anywhere, offline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lightning_dpg.records import TRAITS
from lightning_dpg.report import plots, tables, words
from lightning_dpg.report.cards import Choice, choose, samples
from lightning_dpg.report.reading import Curve, Persona, Reply, RunFolder, read_run
from lightning_dpg.report.style import INK, MUTED, PAPER, RULE, Look, label, looks
from lightning_dpg.report.svg import inline_svg
from lightning_dpg.runs import REPORT, write_atomically

_FACTS = (
    "experiment",
    "seed",
    "version",
    "backbone",
    "labels",
    "judge",
    "judge_note",
    "corpus",
    "wall_seconds",
    "versions",
)
"""What the page says of a run beside its numbers; an older run may lack some."""


@dataclass(frozen=True)
class Card:
    """What the page shows of one persona: `samples` is [prompts][arms]."""

    choice: Choice
    radar: Markup
    samples: list[list[Reply | None]]

    @property
    def persona(self) -> Persona:
        """Whom the card is about."""
        return self.choice.persona


def write_report(run_dir: Path) -> Path:
    """Draw `report.html` into the folder of a run, from the files in that folder alone.

    Raises:
        UserError: the folder holds no results, or broken ones; the message says what to do.
    """
    run = read_run(run_dir)
    file = run_dir / REPORT
    # A lone surrogate in a reply cannot be encoded; a question mark beats a lost report.
    write_atomically(file, render(run).encode("utf-8", errors="replace").decode("utf-8"))
    return file


def render(run: RunFolder) -> str:
    """The page as one string of HTML."""
    environment = Environment(
        loader=PackageLoader("lightning_dpg", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "label": label,
        "number": tables.number,
        "signed": tables.signed,
        "interval": tables.interval,
        "identifier": _identifier,
        "scalars": _scalars,
    }
    drawing = _Drawing(run)
    return environment.get_template("page.html.j2").render(
        run=run,
        facts={name: run.facts.get(name) for name in _FACTS},
        words=words,
        traits=TRAITS,
        looks=drawing.looks,
        rows=tables.headline_rows(run),
        deviations=drawing.deviations(),
        scatters=drawing.scatters(),
        dose_charts=drawing.dose_charts(),
        cards=drawing.cards(),
        curves=drawing.curves(),
        reach=drawing.reach,
        cut=plots.largest(run.arms) > drawing.reach,
    )


class _Drawing:
    """The figures of one run as SVG, with one look per arm and one scale for all scatters."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        # Trained arms that were not evaluated still have curves, hence a colour.
        self.looks = looks(list(dict.fromkeys([*(arm.name for arm in run.arms), *run.curves])))
        self.reach = plots.reach_of(run.arms)
        self.variables = {INK: "--ink", MUTED: "--muted", RULE: "--rule", PAPER: "--paper"}
        self.variables |= {look.light: f"--{_identifier(n)}" for n, look in self.looks.items()}

    def deviations(self) -> Markup:
        figure = plots.deviation_chart(self.run.arms, self.run.trivial, self.looks)
        said = "P.S.D.C. of each arm with its 95% interval, and of the trivial answers"
        return inline_svg(figure, self.variables, "deviations", said)

    def scatters(self) -> dict[str, list[Markup]]:
        """By arm, one panel per trait; none for an arm without any score."""
        found: dict[str, list[Markup]] = {}
        for arm in self.run.arms:
            found[arm.name] = []
            for index, trait in enumerate(TRAITS if arm.measured else ()):
                look = self.looks[arm.name]
                figure = plots.trait_scatter(arm, self.run.personas, index, look, self.reach)
                said = f"{label(arm.name)}: target against measured {trait}"
                key = f"{_identifier(arm.name)}-{trait}"
                found[arm.name].append(inline_svg(figure, self.variables, key, said))
        return found

    def dose_charts(self) -> list[Markup]:
        """One panel per trait of the dose-response of the main arm."""
        look = self.looks[self.run.main.name]
        return [
            inline_svg(
                plots.dose_chart(dose, look),
                self.variables,
                f"dose-{dose.trait}",
                f"{dose.trait}: asked against measured, one dial at a time",
            )
            for dose in self.run.doses
        ]

    def cards(self) -> list[Card]:
        chosen = choose(self.run.personas, self.run.main)
        return [self._card(turn, choice) for turn, choice in enumerate(chosen)]

    def curves(self) -> list[Markup]:
        """One figure per logged column of training or validation, all trained arms in it."""
        found = []
        logged_by_arm = self.run.curves.items()
        for number, column in enumerate(_columns(self.run.curves.values())):
            lines = {arm: logged[column] for arm, logged in logged_by_arm if column in logged}
            figure = plots.training_curve(lines, column, self.looks)
            said = f"{column} over the training steps"
            found.append(inline_svg(figure, self.variables, f"curve-{number}", said))
        return found

    def _card(self, turn: int, choice: Choice) -> Card:
        persona = choice.persona
        arms = sorted(self.run.arms, key=lambda arm: arm is self.run.main)
        measured: list[tuple[tuple[float, ...], Look]] = [
            (arm.measured[persona.id], self.looks[arm.name])
            for arm in arms
            if persona.id in arm.measured
        ]
        figure = plots.radar(persona.target, measured)
        said = f"target and measured profiles of {persona.name}"
        picture = inline_svg(figure, self.variables, f"radar-{turn}", said)
        return Card(choice, picture, samples(self.run, persona, turn))


def _columns(logged: Iterable[Mapping[str, Curve]]) -> list[str]:
    """The logged columns to show: of training, then of validation; per step rather than epoch."""
    names = list(dict.fromkeys(name for columns in logged for name in columns))
    shown = [n for n in names if not (n.endswith("_epoch") and f"{n[:-6]}_step" in names)]
    return [n for start in ("train/", "val/") for n in shown if n.startswith(start)]


def _identifier(name: str) -> str:
    """A name as part of a CSS variable or an element's id."""
    return "arm-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _scalars(values: object) -> list[tuple[str, str]]:
    """A mapping, nested or not, as rows of name and text, for the tables of facts."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items() if isinstance(values, dict) else ():
        if isinstance(value, dict):
            rows += [(f"{name}: {inner}", text) for inner, text in _scalars(value)]
        elif value is not None:
            rows.append((str(name), f"{value:,.1f}" if isinstance(value, float) else str(value)))
    return rows
