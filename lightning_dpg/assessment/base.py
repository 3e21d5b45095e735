"""What an assessor is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from lightning_dpg.records import Rating

CJK = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class Assessor(Protocol):
    """Rates texts on the Big Five."""

    @property
    def identity(self) -> str:
        """Name and version of the instrument, for checkpoints and reports: never anonymous."""
        ...

    def rate(self, texts: Sequence[str], contexts: Sequence[str] | None = None) -> list[Rating]:
        """One rating for each text, in order.

        Args:
            texts: what one speaker said: a reply, or several joined by line breaks.
            contexts: what was said before each text, for instruments that read it.

        Returns:
            Scores in [-5, 5]; a text that shows too little is unscored with a reason.
        """
        ...


def count_words(text: str) -> int:
    """Words in a text; two Chinese characters count as one word."""
    characters = len(CJK.findall(text))
    return len(WORD.findall(CJK.sub(" ", text))) + (characters + 1) // 2
