"""An assessor that follows a rule: for tests of everything around assessment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from lightning_dpg.assessment.base import too_short
from lightning_dpg.progress import Advance
from lightning_dpg.records import TRAITS, Rating


def digest_scores(text: str) -> tuple[float, ...]:
    """Five scores in [-5, 5] that mean nothing and depend on nothing but the text."""
    digest = hashlib.sha256(text.encode()).digest()
    return tuple(byte / 25.5 - 5.0 for byte in digest[: len(TRAITS)])


class ScriptedAssessor:
    """Rates by a given rule.

    Args:
        rule: from a text to five scores.
        min_words: shorter texts are insufficient evidence.
    """

    def __init__(
        self, rule: Callable[[str], tuple[float, ...]] = digest_scores, min_words: int = 1
    ) -> None:
        self.rule, self.min_words = rule, min_words

    @property
    def identity(self) -> str:
        """Name and version of the instrument."""
        return f"scripted/{self.rule.__name__}/min_words={self.min_words}"

    def rate(
        self,
        persons: Sequence[Sequence[str]],
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
        read: int | None = None,
    ) -> list[Rating]:
        """One rating for each person, of its passages joined by line breaks."""
        del contexts, read
        if advance:
            advance(sum(map(len, persons)))
        return [
            too_short(passages, self.min_words) or Rating(self.rule("\n".join(passages)))
            for passages in persons
        ]
