"""The figures of one run as SVG for its page, with one look per arm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from lightning_dpg.report import plots
from lightning_dpg.report.cards import MOST_LINES, Choice, beside, choose, samples
from lightning_dpg.report.gallery import Picture, overview, scatter_panels
from lightning_dpg.report.reading import Curve, Persona, Reply, RunFolder
from lightning_dpg.report.style import PAGE, Look, looks
from lightning_dpg.report.svg import inline_svg


@dataclass(frozen=True)
class Card:
    """What the page shows of one persona: `samples` is [prompts][arms of `beside`]."""

    choice: Choice
    radar: Markup
    samples: list[list[Reply | None]]

    @property
    def persona(self) -> Persona:
        """Whom the card is about."""
        return self.choice.persona


class Drawing:
    """Every figure of the page.

    Attributes:
        looks: of every arm, also of those that were trained and not evaluated.
        figures: those of `gallery.overview`, by their names.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        named = [*run.arm_names, *run.curves, *(arm.arm for arm in run.overfitting)]
        self.looks = looks(list(dict.fromkeys(named)))
        arms = {look.light: f"--{identifier(name)}" for name, look in self.looks.items()}
        self.variables = PAGE | arms
        found = overview(run, self.looks).items()
        self.figures = {name: self._inline(name, picture) for name, picture in found}

    def panels(self, start: str) -> list[Markup]:
        """Figures whose names begin so, such as `dose/`."""
        return [figure for name, figure in self.figures.items() if name.startswith(start)]

    def other_scatters(self) -> dict[str, list[Markup]]:
        """By arm that is not the main one, one panel per trait."""
        return {
            arm.name: [
                self._inline(f"{arm.name}-{trait}", picture)
                for trait, picture in scatter_panels(self.run, arm, self.looks).items()
            ]
            for arm in self.run.headline.arms
            if arm is not self.run.main
        }

    def cards(self) -> list[Card]:
        """Of chosen personas, see `cards.choose`."""
        chosen = choose(self.run.headline.personas, self.run.main)
        return [
            Card(choice, self._radar(turn, choice.persona), samples(self.run, choice.persona, turn))
            for turn, choice in enumerate(chosen)
        ]

    def curves(self) -> list[Markup]:
        """One figure per logged column of training or validation, all trained arms in it."""
        found = []
        for number, column in enumerate(_columns(self.run.curves.values())):
            logged = self.run.curves.items()
            lines = {arm: columns[column] for arm, columns in logged if column in columns}
            figure = plots.training_curve(lines, column, self.looks)
            picture = Picture(figure, f"{column} over the training steps")
            found.append(self._inline(f"curve-{number}", picture))
        return found

    def _radar(self, turn: int, persona: Persona) -> Markup:
        arms = beside(self.run.headline, MOST_LINES)
        arms.sort(key=lambda arm: arm is self.run.main)  # the main one on top
        measured: list[tuple[tuple[float, ...], Look]] = [
            (arm.measured[persona.id], self.looks[arm.name])
            for arm in arms
            if persona.id in arm.measured
        ]
        figure = plots.radar(persona.target, measured)
        said = f"target and measured profiles of {persona.name}"
        return self._inline(f"radar-{turn}", Picture(figure, said))

    def _inline(self, key: str, picture: Picture) -> Markup:
        return inline_svg(picture.figure, self.variables, identifier(key), picture.said)


def identifier(name: str) -> str:
    """A name as part of a CSS variable or an element's id."""
    return "arm-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _columns(logged: Iterable[Mapping[str, Curve]]) -> list[str]:
    """The logged columns to show: of training, then of validation; per step rather than epoch."""
    names = list(dict.fromkeys(name for columns in logged for name in columns))
    shown = [n for n in names if not (n.endswith("_epoch") and f"{n[:-6]}_step" in names)]
    return [n for start in ("train/", "val/") for n in shown if n.startswith(start)]
