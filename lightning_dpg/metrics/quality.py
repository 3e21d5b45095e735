"""Quality of generated text that can be counted: variety and loops."""

from __future__ import annotations

import re
from collections.abc import Sequence

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[.,;:!?]")
LONGEST_LOOP = 8
ROUNDS = 3


def words(text: str) -> list[str]:
    """Words and punctuation marks, lower case."""
    return WORD.findall(text.lower())


def distinct(texts: Sequence[str], n: int) -> float:
    """Distinct-n (Li et al. 2016): different n-grams over all n-grams of all texts, in [0, 1].

    It falls with the amount of text: compare arms by as many texts of like length. NaN where no
    text has n words.
    """
    grams = [
        tuple(found[i : i + n]) for found in map(words, texts) for i in range(len(found) - n + 1)
    ]
    return len(set(grams)) / len(grams) if grams else float("nan")


def loops(text: str) -> bool:
    """Whether some run of up to eight words comes three times or more in a row."""
    found = words(text)
    for size in range(1, LONGEST_LOOP + 1):
        for start in range(len(found) - ROUNDS * size + 1):
            run = found[start : start + size]
            if found[start : start + ROUNDS * size] == run * ROUNDS and _has_word(run):
                return True
    return False


def _has_word(run: Sequence[str]) -> bool:
    return any(part[0].isalnum() for part in run)  # three dots are no loop
