"""The plain records that flow through the house: no torch, no files, nothing mutable."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lightning_dpg.errors import UserError

TRAITS: tuple[str, ...] = (
    "openness",
    "conscientiousness",
    "extraversion",
    "agreeableness",
    "neuroticism",
)
"""The Big Five, in the order that every array, table and file of this project uses."""

LOWEST, HIGHEST = -5.0, 5.0


@dataclass(frozen=True)
class Profile:
    """A personality: five Big Five scores, each in [-5, 5], in the order of `TRAITS`.

    Raises:
        UserError: a wrong number of scores, or a score that is not finite or out of range.
            Nothing is clamped: a person who types 9 has made a mistake.
    """

    scores: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.scores) != len(TRAITS):
            given = ",".join(f"{score:g}" for score in self.scores)
            raise UserError(
                f"A profile needs {len(TRAITS)} scores ({', '.join(TRAITS)}), "
                f"got {len(self.scores)}: {given}"
            )
        for trait, score in zip(TRAITS, self.scores, strict=True):
            if not (math.isfinite(score) and LOWEST <= score <= HIGHEST):
                raise UserError(
                    f"The score for {trait} must lie between {LOWEST:g} and {HIGHEST:g}, "
                    f"got {score:g}"
                )

    @classmethod
    def parse(cls, text: str) -> Profile:
        """Read `"4,-2,3,0,-4"`, as typed after `--ocean`.

        Raises:
            UserError: a part that is no number, or what the constructor refuses.
        """
        scores = []
        for part in text.split(","):
            try:
                scores.append(float(part))
            except ValueError:
                raise UserError(
                    f"A profile is five numbers such as 4,-2,3,0,-4 ({', '.join(TRAITS)}), "
                    f"got {part.strip()!r} in {text!r}"
                ) from None
        return cls(tuple(scores))

    @classmethod
    def cut(cls, scores: Sequence[float]) -> Profile:
        """A profile from *measured* scores, which may overshoot the scale and are cut to it."""
        # The score comes first: min and max hand on a NaN, which is refused, only from there.
        return cls(tuple(min(max(float(score), LOWEST), HIGHEST) for score in scores))

    def __str__(self) -> str:
        return ", ".join(f"{t} {s:+.1f}" for t, s in zip(TRAITS, self.scores, strict=True))


@dataclass(frozen=True)
class Utterance:
    """One speech of one speaker.

    Attributes:
        speaker: identifier of the speaker, unique within the work; empty when nobody is named.
        name: the name as displayed.
        text: what is said, without stage directions.
        directions: stage directions inside the speech, in order.
        position: where it stands in the source (`line 12`, an XML id), for tracing back.
        collective: said by a group or by nobody in particular (ALL, a crowd): no character.
        addressees: identifiers of those spoken to, where the source says it.
    """

    speaker: str
    name: str
    text: str
    directions: tuple[str, ...] = ()
    position: str = ""
    collective: bool = False
    addressees: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dialogue:
    """One scene: utterances in order, with where it comes from.

    Attributes:
        id: unique within the corpus, stable over rebuilds.
        work: the play, film or novel.
        scene: heading of the scene, possibly empty.
        language: two-letter code.
        source: name of the file.
    """

    id: str
    work: str
    scene: str
    language: str
    source: str
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True)
class Character:
    """Who a speaker is, as far as a source says it.

    Attributes:
        id: `work/speaker`, unique within the corpus.
        name: the name as displayed.
        description: who they are, in prose; empty when the source has none.
        poles: the author's intention per trait (-1, 0, 1), for known-groups checks only: never a
            label. Empty when unknown.
    """

    id: str
    name: str
    description: str = ""
    poles: tuple[int, ...] = ()


@dataclass(frozen=True)
class Rating:
    """What an assessor says of a text: a score per trait, or why there is none.

    Attributes:
        scores: one per trait, in [-5, 5]. None where the text
            gave insufficient evidence, which is not a score of 0.
        reason: why scores are missing; empty when none is.
    """

    scores: tuple[float | None, ...]
    reason: str = ""

    @classmethod
    def unscored(cls, reason: str) -> Rating:
        """A rating without any score."""
        return cls((None,) * len(TRAITS), reason)

    @property
    def complete(self) -> bool:
        """Whether every trait has a score."""
        return all(score is not None for score in self.scores)

    @property
    def known(self) -> bool:
        """Whether any trait has a score."""
        return any(score is not None for score in self.scores)

    def profile(self) -> Profile | None:
        """The scores cut to the scale of profiles, or None when one is missing."""
        known = [score for score in self.scores if score is not None]
        return Profile.cut(known) if len(known) == len(TRAITS) else None


def is_given(description: str) -> bool:
    """Whether a character's description says anything."""
    return bool(description.strip())


def distinct(descriptions: Iterable[str]) -> list[str]:
    """Each of the descriptions that say anything once, in an order of their own."""
    return sorted({text for text in descriptions if is_given(text)})
