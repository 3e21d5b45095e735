"""Quality of generated text that can be counted: variety, loops and length."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

HAN = re.compile(r"[\u3400-\u9fff]")
"""A Chinese character: a word by itself here, since Chinese puts no spaces between words."""
WORD = re.compile(
    r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:['’-][^\W_\u3400-\u9fff]+)*|[.,;:!?。，；：！？、]"
)
WIDE_MARKS = re.compile(r"[\u2010-\u2027\u3000-\u303f\uff00-\uffef]")
LONGEST_LOOP = 8
"""In words; of Chinese twice as many characters."""
ROUNDS = 3


def words(text: str) -> list[str]:
    """Words, Chinese characters and punctuation marks, lower case."""
    return WORD.findall(text.lower())


def length(text: str) -> int:
    """How many words a text has: those between spaces; two Chinese characters count as one."""
    characters = len(HAN.findall(text))
    if not characters:
        return len(text.split())
    rest = WIDE_MARKS.sub(" ", HAN.sub(" ", text))
    return len(rest.split()) + (characters + 1) // 2


def ngrams(text: str, n: int) -> Iterator[tuple[str, ...]]:
    """All runs of n words of a text, in order."""
    found = words(text)
    return (tuple(found[i : i + n]) for i in range(len(found) - n + 1))


def ngram_code(ngram: tuple[str, ...]) -> int:
    """A number of 64 bits that stands for an n-gram, the same in every process."""
    digest = hashlib.blake2b("\0".join(ngram).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def distinct(texts: Sequence[str], n: int) -> float:
    """Distinct-n (Li et al. 2016): different n-grams over all n-grams of all texts, in [0, 1].

    It falls with the amount of text: compare arms by as many texts of like length. It does not
    fall where a text is nonsense. NaN where no text has n words.
    """
    found = [gram for text in texts for gram in ngrams(text, n)]
    return len(set(found)) / len(found) if found else float("nan")


def loops(text: str) -> bool:
    """Whether some run of up to eight words comes three times or more in a row.

    A single Chinese character is no such run: 哈哈哈 and 好好好 are ordinary speech.
    """
    found = words(text)
    longest = 2 * LONGEST_LOOP if HAN.search(text) else LONGEST_LOOP
    for size in range(1, longest + 1):
        for start in range(len(found) - ROUNDS * size + 1):
            run = found[start : start + size]
            if found[start : start + ROUNDS * size] == run * ROUNDS and _can_loop(run):
                return True
    return False


def _can_loop(run: Sequence[str]) -> bool:
    has_word = any(part[0].isalnum() for part in run)  # three dots are no loop
    return has_word and not (len(run) == 1 and HAN.match(run[0]))
