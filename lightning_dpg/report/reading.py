"""What a run left in its folder, read into plain frozen records.

Nothing here computes and nothing draws: a report can be drawn again at any time from these files.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS
from lightning_dpg.report.fields import Fields, broken
from lightning_dpg.runs import REPLIES, RESULTS, SETTINGS

Scores = tuple[float, ...]
"""One score per trait, in the order of `TRAITS`; measured ones may overshoot [-5, 5]."""

Curve = list[tuple[float, float]]
"""(training step, value), in the order of the steps."""


@dataclass(frozen=True)
class Estimate:
    """A mean over personas; `low` and `high` bound its 95% interval where one was computed."""

    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Persona:
    """Someone the model was asked to be: `target` is the prompted profile."""

    id: str
    kind: str
    name: str
    description: str
    target: Scores


@dataclass(frozen=True)
class Arm:
    """One way to get a personality out of the model, or a trivial answer to compare it with.

    Attributes:
        psdc: by the name of the norm (l2, l1, mae, rmse), in points of the trait scale.
        trait_r: prompted against measured, one per trait; None where it is not defined.
        measured: by persona id, for the personas that were scored.
        reasons: by persona id, why there is no score.
        fluency: what was counted of its replies (nll, distinct_1, loops, ...); empty where nothing.
        second_r: prompted against what a second instrument measured, one per trait.
        second: name of that instrument; empty where there was none.
    """

    name: str
    psdc: Mapping[str, Estimate]
    trait_r: tuple[float | None, ...]
    scored: int
    unscored: int
    measured: Mapping[str, Scores]
    reasons: Mapping[str, str]
    fluency: Mapping[str, float | None] = field(default_factory=dict)
    second_r: tuple[float | None, ...] = ()
    second: str = ""

    def deviation(self, persona: Persona) -> float | None:
        """L2 distance from the prompted to the measured profile of one persona."""
        measured = self.measured.get(persona.id)
        return None if measured is None else math.dist(persona.target, measured)


@dataclass(frozen=True)
class Ratio:
    """P.S.D.C. of one arm over another's; `against` names the other where the key does not."""

    name: str
    value: Estimate
    against: str = ""


@dataclass(frozen=True)
class Dose:
    """One dial turned by itself: measured scores of its trait at each dose, and slopes.

    `slopes` are measured points of all five traits a point asked, None with too few scored doses;
    `second_r` is the doses' correlation with what the second instrument measures.
    """

    trait: str
    points: tuple[tuple[float, float], ...]
    spearman: float | None
    slopes: Scores | None
    second_r: float | None

    @property
    def slope(self) -> float | None:
        """Of its own trait."""
        return self.slopes[TRAITS.index(self.trait)] if self.slopes else None

    @property
    def steepest_other(self) -> tuple[str, float] | None:
        """The trait that it drags along most, and that one's slope."""
        return steepest_other(self.trait, self.slopes) if self.slopes else None


def steepest_other(trait: str, slopes: Sequence[float]) -> tuple[str, float]:
    """Of slopes of all five traits the steepest that is not this one's, with its name."""
    others = [pair for pair in zip(TRAITS, slopes, strict=True) if pair[0] != trait]
    return max(others, key=lambda pair: abs(pair[1]))


@dataclass(frozen=True)
class Reply:
    """What one arm said as one persona: text of a model, never to be trusted as markup."""

    arm: str
    persona: str
    prompt: str
    text: str


@dataclass(frozen=True)
class RunFolder:
    """Everything that the report shows, in the order of the files.

    Attributes:
        facts: the plain facts of the run (experiment, seed, labels, judge, ...), as written.
        doses: the dose-response of the main arm, a trait each; empty where none was made.
        descriptions: what descriptions explain by themselves (explained, expected, p, replies), of
            the traits that replies show and of their words.
        curves: by folder of the trained arm, then by logged column.
    """

    path: Path
    facts: Mapping[str, Any]
    prompts: tuple[str, ...]
    personas: tuple[Persona, ...]
    arms: tuple[Arm, ...]
    trivial: tuple[Arm, ...]
    ratios: tuple[Ratio, ...]
    doses: tuple[Dose, ...]
    descriptions: Mapping[str, Mapping[str, float | None]]
    replies: tuple[Reply, ...]
    curves: Mapping[str, Mapping[str, Curve]]
    config: str

    def arm(self, name: str) -> Arm | None:
        """The arm of that name, if the run had it."""
        return next((arm for arm in self.arms if arm.name == name), None)

    @property
    def main(self) -> Arm:
        """The arm that the report is about: DPG, or else the last one."""
        return self.arm("dpg") or self.arms[-1]


def read_run(folder: Path) -> RunFolder:
    """Read the folder of a run.

    Raises:
        UserError: `results.json` is missing or is not what an evaluation writes, or a line of
            `replies.jsonl` is broken. Absent replies, metrics and configuration are no error.
    """
    results = _results(folder / RESULTS)
    personas = tuple(_persona(entry) for entry in results.entries("personas"))
    arms = tuple(_arm(name, entry) for name, entry in results.children("arms").items())
    if not personas or not arms:
        raise broken(results.path, "`arms` and `personas` expected at least one entry each")
    config = folder / SETTINGS
    return RunFolder(
        path=folder,
        facts=results.values,
        prompts=results.strings("prompts"),
        personas=personas,
        arms=arms,
        trivial=tuple(_arm(name, entry) for name, entry in results.children("trivial").items()),
        ratios=tuple(_ratios(results)),
        doses=tuple(_dose(*item) for item in results.children("dose_response").items()),
        descriptions=_descriptions(results.child("descriptions")),
        replies=_replies(folder / REPLIES),
        curves={file.parent.name: _curves(file) for file in sorted(folder.glob("*/metrics.csv"))},
        config=config.read_text(encoding="utf-8") if config.is_file() else "",
    )


def _results(file: Path) -> Fields:
    if not file.is_file():
        raise UserError(
            f"{file} is missing: the report is drawn from the results of an evaluation. "
            "Evaluate the run first, or give the folder that holds its results.json"
        )
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as problem:  # bad JSON or bad UTF-8
        raise broken(file, f"not valid JSON ({problem})") from None
    return Fields.of(file, "", values)


def _persona(entry: Fields) -> Persona:
    target = entry.scores("target")
    if target is None:
        raise entry.wrong("target", f"{len(TRAITS)} numbers", None)
    name = entry.text("id")
    return Persona(
        id=name,
        kind=entry.text("kind", ""),
        name=entry.text("name", name),
        description=entry.text("description", ""),
        target=target,
    )


def _arm(name: str, entry: Fields) -> Arm:
    measured = entry.child("measured")
    correlations = entry.child("trait_r")
    psdc = {norm: _estimate(value) for norm, value in entry.children("psdc").items()}
    scores = {persona: measured.scores(persona) for persona in measured.values}
    reasons, second = entry.child("reasons"), entry.child("second")
    return Arm(
        name=name,
        psdc={norm: value for norm, value in psdc.items() if value is not None},
        trait_r=tuple(correlations.number(trait) for trait in TRAITS),
        scored=int(entry.number("scored") or 0),
        unscored=int(entry.number("unscored") or 0),
        measured={persona: value for persona, value in scores.items() if value is not None},
        reasons={persona: reasons.text(persona) for persona in reasons.values},
        fluency=_numbers(entry.child("fluency")),
        second_r=tuple(second.child("trait_r").number(trait) for trait in TRAITS),
        second=second.text("instrument", ""),
    )


def _numbers(entry: Fields) -> dict[str, float | None]:
    return {name: entry.number(name) for name in entry.values}


def _descriptions(entry: Fields) -> dict[str, dict[str, float | None]]:
    if "p" in entry.values:  # runs of before words were compared
        return {"traits": _numbers(entry)}
    return {shown: _numbers(entry.child(shown)) for shown in entry.values}


def _dose(trait: str, entry: Fields) -> Dose:
    doses, measured = entry.numbers("doses"), entry.numbers("measured")
    if len(doses) != len(measured):
        raise entry.wrong("measured", f"{len(doses)} numbers", list(measured))
    return Dose(
        trait=trait,
        points=tuple(
            (dose, score)
            for dose, score in zip(doses, measured, strict=True)
            if dose is not None and score is not None
        ),
        spearman=entry.number("spearman"),
        slopes=entry.scores("slopes"),
        second_r=entry.number("second_r"),
    )


def _estimate(entry: Fields) -> Estimate | None:
    mean = entry.number("mean")
    if mean is None:
        return None
    return Estimate(mean, entry.number("low"), entry.number("high"))


def _ratios(results: Fields) -> list[Ratio]:
    entries = results.children("ratios").items()
    found = ((name, entry, _estimate(entry)) for name, entry in entries)
    return [
        Ratio(name, value, entry.text("arm", ""))
        for name, entry, value in found
        if value is not None
    ]


def _replies(file: Path) -> tuple[Reply, ...]:
    if not file.is_file():
        return ()
    replies = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = Fields.of(file, f"line {number}", json.loads(line))
        except ValueError:
            raise broken(file, f"line {number} is not valid JSON") from None
        texts = (entry.text(key) for key in ("arm", "persona", "prompt", "reply"))
        replies.append(Reply(*texts))
    return tuple(replies)


def _curves(file: Path) -> dict[str, Curve]:
    """The columns of Lightning's CSVLogger, whose rows are sparse: an empty cell is no value."""
    curves: dict[str, Curve] = {}
    with file.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            step = _cell(row.get("step"))
            for column, text in row.items():
                value = _cell(text)
                if step is not None and value is not None and column != "step":
                    curves.setdefault(column, []).append((step, value))
    return curves


def _cell(text: str | None) -> float | None:
    """A cell as a number; None where it is empty, not finite, or cut off by a crash."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
