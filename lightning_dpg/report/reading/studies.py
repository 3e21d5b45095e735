"""What was asked beside the tasks: dials one at a time, overfitting, broken replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lightning_dpg.records import TRAITS
from lightning_dpg.report.fields import Fields
from lightning_dpg.report.reading.arm import Scores
from lightning_dpg.report.reading.values import Estimate, count, estimate, estimates, numbers


@dataclass(frozen=True)
class Response:
    """One dial turned before one background: measured scores of its trait at each dose.

    Attributes:
        trait: whose dial it is.
        background: where the other dials stood; empty for 0.
        points: (dose, measured), without the doses that were not scored.
        spearman: of doses and scores, in [-1, 1].
        slopes: measured points of all five traits a point asked, None with too few scored doses.
        steps: from one scored dose to the next; `violations` of them lowered the measured score.
        saturation: slope over the outer half of the doses over that of the inner half; below 1 the
            dial flattens.
        intervals: of `spearman` and of the own `slope`, over doses; empty in earlier results.
    """

    trait: str
    background: Scores
    points: tuple[tuple[float, float], ...]
    spearman: float | None
    slopes: Scores | None
    steps: int
    violations: int | None
    saturation: float | None
    intervals: Mapping[str, Estimate] = field(default_factory=dict)

    @property
    def slope(self) -> float | None:
        """Of its own trait."""
        return self.slopes[TRAITS.index(self.trait)] if self.slopes else None

    @property
    def steepest_other(self) -> tuple[str, float] | None:
        """The trait that it drags along most, and that one's slope."""
        return steepest_other(self.trait, self.slopes) if self.slopes else None


@dataclass(frozen=True)
class Dose:
    """One dial: with the others at 0, before further backgrounds, and without any adapter.

    Attributes:
        null: the frozen model asked the same, which is what chance gives; None if it was not.
        second_r: correlation of the doses with what a second instrument measures.
    """

    base: Response
    backgrounds: tuple[Response, ...]
    null: Response | None
    second_r: float | None

    @property
    def trait(self) -> str:
        """Whose dial it is."""
        return self.base.trait


@dataclass(frozen=True)
class Overfitting:
    """P.S.D.C. (L2) of an arm on characters of training and on held-out ones, same questions.

    `difference` is seen minus unseen: below 0 it does better on those whom it has seen.
    """

    arm: str
    seen: Estimate | None
    unseen: Estimate | None
    difference: Estimate | None
    p: float | None


@dataclass(frozen=True)
class Control:
    """A measure of quality on replies that were broken on purpose, beside the intact ones."""

    name: str
    measure: str
    intact: Estimate | None
    broken: Estimate | None
    difference: Estimate | None
    p: float | None
    intact_text: str
    broken_text: str


@dataclass(frozen=True)
class Unscored:
    """What was not measured of a study that is no task.

    Attributes:
        study: its name, such as `dose/1`.
        unit: what has a score or none: persona, or reply.
        of: how many there were.
        reasons: how many have no score for which reason.
    """

    study: str
    arm: str
    unit: str
    of: int
    reasons: Mapping[str, int]

    @property
    def unscored(self) -> int:
        """How many have no score."""
        return sum(self.reasons.values())


def steepest_other(trait: str, slopes: Sequence[float]) -> tuple[str, float]:
    """Of slopes of all five traits the steepest that is not this one's, with its name."""
    others = [pair for pair in zip(TRAITS, slopes, strict=True) if pair[0] != trait]
    return max(others, key=lambda pair: abs(pair[1]))


def dose_of(trait: str, entry: Fields) -> Dose:
    """One entry of `dose_response`; a null control was asked at the same doses."""
    null = entry.child("null")
    doses = {"doses": entry.values.get("doses")}
    return Dose(
        base=_response(trait, entry),
        backgrounds=tuple(_response(trait, other) for other in entry.entries("backgrounds")),
        null=_response(trait, Fields(null.path, null.place, doses | dict(null.values)))
        if null.values
        else None,
        second_r=entry.number("second_r"),
    )


def overfitting_of(arm: str, entry: Fields) -> Overfitting:
    """One entry of `overfitting`."""
    seen, unseen, difference = (
        estimate(entry.child(key)) for key in ("seen", "unseen", "difference")
    )
    return Overfitting(arm, seen, unseen, difference, entry.number("p"))


def control_of(name: str, entry: Fields) -> Control:
    """One entry of `controls`."""
    example = entry.child("example")
    return Control(
        name=name,
        measure=entry.text("measure", ""),
        intact=estimate(entry.child("intact")),
        broken=estimate(entry.child("broken")),
        difference=estimate(entry.child("difference")),
        p=entry.number("p"),
        intact_text=example.text("intact", ""),
        broken_text=example.text("broken", ""),
    )


def unscored_of(study: str, entry: Fields) -> list[Unscored]:
    """One entry of `unscored`, an arm each."""
    found = []
    for arm in entry.values:
        part = entry.child(arm)
        reasons = {why: int(times or 0) for why, times in numbers(part.child("reasons")).items()}
        found.append(Unscored(study, arm, part.text("unit"), count(part, "of"), reasons))
    return found


def _response(trait: str, entry: Fields) -> Response:
    doses, measured = entry.numbers("doses"), entry.numbers("measured")
    if len(doses) != len(measured):
        raise entry.wrong("measured", f"{len(doses)} numbers", list(measured))
    violations, profiles = entry.number("violations"), entry.rows("profiles")
    whole = [None not in profile for profile in profiles] or [True] * len(doses)
    if len(whole) != len(doses):
        raise entry.wrong("profiles", f"{len(doses)} profiles", len(whole))
    compared = [s is not None and ok for s, ok in zip(measured, whole, strict=True)]
    return Response(
        trait=trait,
        background=entry.scores("background") or (),
        points=tuple(
            (dose, score)
            for dose, score in zip(doses, measured, strict=True)
            if dose is not None and score is not None
        ),
        spearman=entry.number("spearman"),
        slopes=entry.scores("slopes"),
        steps=max(0, sum(compared) - 1),
        violations=None if violations is None else int(violations),
        saturation=entry.number("saturation"),
        intervals=estimates(entry, "intervals"),
    )
