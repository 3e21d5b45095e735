"""Labels in plain text: how a line such as `NAME: text` says who speaks it."""

from __future__ import annotations

import re

from lightning_dpg.assessment.base import CJK

_DIRECTION = re.compile(r"\s*[（(]([^（()）]*)[)）]")
_LABELLED = re.compile(r"([^:：]{1,60}?)\s*[:：](?!//)\s*(.*)")
_NO_NAME = re.compile(r"[，。！？；…,;!?\"“”「」『』{}()（）\[\]<>=|\\]|[.．] *$")
_UNNAMED = re.compile(r"[?？]+")
_PARTICLES = frozenset(("of the and de la le du von van der den to in").split())
_NARRATION = re.compile(r"[^:：]*[道曰说問问答云][:：]\s*[“\"「『].*")


def label(line: str) -> tuple[str, str] | None:
    """The label and the rest of `NAME: rest`, or None when the line opens with no short label.

    A name has up to 12 Chinese characters, or up to 4 words, each but particles with a capital if
    there are several: `He said: go` and `贾母笑道：“……”` are narration.
    """
    found = _LABELLED.fullmatch(line)
    if found is None or _NARRATION.fullmatch(line):
        return None
    name = parted(found[1])[0]
    if _UNNAMED.fullmatch(name):
        return found[1], found[2]
    words = name.split()
    lower = [word for word in words if word[0].islower() and word not in _PARTICLES]
    named = (
        any(char.isalpha() for char in name)
        and not _NO_NAME.search(name)
        and len(words) <= 4
        and len(CJK.findall(name)) <= 12
        and (len(words) == 1 or not lower)
    )
    return (found[1], found[2]) if named else None


def parted(line: str) -> tuple[str, list[str]]:
    """What is said in a line, and the parentheses in it."""
    directions = [found.strip() for found in _DIRECTION.findall(line)]
    return _DIRECTION.sub("", line).strip(), list(filter(None, directions))
