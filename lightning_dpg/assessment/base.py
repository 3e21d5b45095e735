"""What an assessor is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from lightning_dpg.progress import Advance
from lightning_dpg.records import Rating

CJK = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class Assessor(Protocol):
    """Rates people on the Big Five by what they say."""

    @property
    def identity(self) -> str:
        """Name and version of the instrument, for checkpoints and reports: never anonymous."""
        ...

    def rate(
        self,
        persons: Sequence[Sequence[str]],
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
        read: int | None = None,
    ) -> list[Rating]:
        """One rating for each person, in order.

        Args:
            persons: what each of them said, passage by passage: one reply or several.
            contexts: what was said before, for instruments that read it.
            advance: told how many passages were read.
            read: for instruments that compare with people of whom as much was read: compare with
                those of whom so many passages were, instead of as many as here.

        Returns:
            Scores in [-5, 5]; a person that shows too little is unscored with a reason.
        """
        ...


@runtime_checkable
class Anonymising(Protocol):
    """Whoever replaces names before texts leave the machine."""

    def knowing(self, names: Sequence[Sequence[str]]) -> Any:
        """The same, for texts in which people of these names and aliases occur."""
        ...


@runtime_checkable
class Paid(Protocol):
    """Whoever costs money."""

    @property
    def spent(self) -> float | None:
        """Dollars so far; None where prices are not known."""
        ...


@runtime_checkable
class Normed(Protocol):
    """Whoever compares with people of a corpus."""

    reference: Any
    """Their norms (`reference.Reference`), or None as long as there are none."""


Reader = TypeVar("Reader")


def knowing(reader: Reader, names: Sequence[Sequence[str]]) -> Reader:
    """A reader that replaces names is told these; any other is handed back."""
    told: Reader = reader.knowing(names) if isinstance(reader, Anonymising) else reader
    return told


def spending(reader: object) -> Callable[[], float | None] | None:
    """What a progress bar asks for the dollars so far; None where nothing costs any."""
    return (lambda: reader.spent) if isinstance(reader, Paid) else None


def is_chinese(text: str) -> bool:
    """Whether three letters of ten are Chinese characters, one of which is a word."""
    letters = sum(character.isalpha() for character in text)
    return len(CJK.findall(text)) >= 0.3 * max(letters, 1)


def count_words(text: str) -> int:
    """Words in a text; two Chinese characters count as one word."""
    characters = len(CJK.findall(text))
    return len(WORD.findall(CJK.sub(" ", text))) + (characters + 1) // 2


def too_short(passages: Sequence[str], least: int) -> Rating | None:
    """The rating of a person who said fewer than `least` words; None for one who said enough."""
    said = sum(map(count_words, passages))
    if said >= least and said:
        return None
    return Rating.unscored(f"insufficient evidence: {said} words, {max(1, least)} are needed")
