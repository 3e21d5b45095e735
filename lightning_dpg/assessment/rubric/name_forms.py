"""The forms of names: by what words a person may be called, whatever case and inflection."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lightning_dpg.assessment.base import CJK
from lightning_dpg.assessment.rubric.ordinary import AMBIGUOUS, DESCRIPTIVE, SURNAMES

_HAN = CJK.pattern.strip("[]")
TOKEN = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")
"""A word, or a run of Chinese characters."""
BETWEEN = "·・•"
"""Stand between the names of one person in Chinese."""
_PLACE = re.compile(r",|\b(?:of|OF|Of)\b")
_POSSESSIVE = re.compile(r"['’][sS]\b")
_RUSSIAN = re.compile(
    r"(?<=[а-яё]{3})(?:ого|ому|ыми|ими|ами|ями|ой|ый|ий|ая|ою|ею|ей|ом|ем|ём|ым|им|ах|ях|ам|ям|"
    r"[аяуюеыиойь])$"
)
_BEFORE_SENTENCE = re.compile(r"(?:^|[.!?…:;\n])[\s\"'“”‘’«»()\[\]—–-]*$")

Form = tuple[str, ...]
"""A name as its words, each as `word_of` gives it; a Chinese name is one word."""


def is_name(token: re.Match[str]) -> bool:
    """Whether a single word that may be a name is one here."""
    word, text = token[0], token.string
    if word_of(word) not in _AMBIGUOUS:
        return True
    shouted = len(word) > 1 and word.isupper()
    opens = _BEFORE_SENTENCE.search(text[max(0, token.start() - 20) : token.start()])
    addressed = text[token.end() : token.end() + 1] in ("!", ",", "'", "’")
    return not shouted and (addressed or not opens)


def word_of(token: str) -> str:
    """A word without case and without the endings of inflection."""
    word = token.casefold().replace("ё", "е")
    if word.endswith("s") and len(word) > 3:
        return word[:-1]
    return _RUSSIAN.sub("", word)


def form_of(name: str) -> Form:
    """The words of a name; none where it is no name but a role."""
    words = tuple(word_of(found[0]) for found in TOKEN.finditer(_POSSESSIVE.sub("", name)))
    if all(word in _DESCRIPTIVE or not word[0].isalpha() for word in words):
        return ()
    return () if len("".join(words)) < 2 else words


def parts_of(name: str) -> Iterator[Form]:
    """What a person may be called of a name: its single words, or a Chinese given name."""
    pieces = re.split(rf"[\s{BETWEEN}]+", _PLACE.split(_POSSESSIVE.sub("", name))[0])
    for piece in pieces:
        if len(pieces) == 1 and len(piece) == 3 and piece[0] in SURNAMES:
            if piece[1:] not in DESCRIPTIVE:
                yield (piece[1:],)
        elif (piece[:1].isupper() or CJK.match(piece)) and (form := form_of(piece)):
            yield form


_DESCRIPTIVE = frozenset(map(word_of, DESCRIPTIVE))
_AMBIGUOUS = frozenset(map(word_of, AMBIGUOUS))
