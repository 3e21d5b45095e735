"""Who speaks: identifiers made from names, and which names stand for no character."""

from __future__ import annotations

import re
import unicodedata

_GROUPS = frozenset(
    (
        "all both everyone everybody others voices crowd mob omnes chorus unknown unidentified "
        "alle beide stimmen chor todos todas ambos voces coro tous toutes voix choeur chœur все "
        "оба обе голоса хор"
    ).split()
)
"""Words that make a group or a nobody of any name that begins or ends with them."""

_NOBODIES = frozenset(
    (
        "voice narrator people together several many ensemble stimme voz голос вместе 众 众人 "
        "大家 群众 合 齐 齐声 同声 二人 两人 三人 旁白 画外音 某人 不明"
    ).split()
)
"""Words that do so only when they are the whole name: `VOICE`, but not `VOICE OF PETER`."""

_ARTICLES = frozenset(["a", "an", "the", "another", "first", "second", "third", "other"])
_CONJUNCTIONS = frozenset(["and", "und", "et", "и"])
_SEVERAL = re.compile(r"[&＆/／+＋、]")
_CHINESE_GROUP = re.compile(r"(众|全体|所有).+|.+们")


def slug(name: str) -> str:
    """An identifier: lower case, letters of any script and digits, other runs one hyphen.

    Empty for a name without letters or digits, such as `???`.
    """
    composed = unicodedata.normalize("NFKC", name).lower()
    # Marks (category M) are vowels in many Indic scripts: they belong to the word.
    kept = (char if unicodedata.category(char)[0] in "LMN" else " " for char in composed)
    return "-".join("".join(kept).split())


def is_collective(name: str) -> bool:
    """Whether a name stands for a group, or for nobody in particular: no character.

    `ALL`, `BOTH GIRLS`, `VOICES OFF`, `A VOICE`, `ANNA & BEN`, `众人`, `旁白` and `???` do.
    """
    if _SEVERAL.search(name):
        return True
    words = slug(name).split("-")
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    if not words[0]:
        return True
    return (
        bool(_GROUPS & {words[0], words[-1]})
        or bool(_CONJUNCTIONS & set(words[1:-1]))
        or (len(words) == 1 and words[0] in _NOBODIES)
        or _CHINESE_GROUP.fullmatch(words[0]) is not None
    )
