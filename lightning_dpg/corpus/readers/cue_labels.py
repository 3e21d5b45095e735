"""What the lines of subtitles say besides speech: who speaks, in labels, and how, in brackets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lightning_dpg.corpus.readers.cues import BRACKETS
from lightning_dpg.corpus.readers.labels import label

_SHARE = 0.1
"""Of the lines, how many must have labels that recur: `Remember:` may come twice in a film and is
nobody, while in a file that labels its speakers their names open far more lines."""

_SONG = r"^[♩-♬].*[♩-♬]$|^[^♩-♬]+[♩-♬]+$|[♩-♬]+[^♩-♬]*[♩-♬]*"
_ASIDE = re.compile(f" ?(?:{BRACKETS}|{_SONG})")
_BRACKETED = re.compile(r"\[([^\[\]():：]+):?\]")
_NAMED = re.compile(_BRACKETED.pattern + r":? ?(?=.)")
_SOUNDS = frozenset(
    (
        "sighs laughs chuckles giggles gasps grunts groans moans coughs sobs cries weeps screams "
        "sniffles sniffs scoffs snorts gulps pants exhales inhales whispers shouts yells mutters "
        "mumbles murmurs stammers stutters sings hums whistles music applause laughter cheers "
        "silence in on over off through into from to with"
    ).split()
)
"""Words of `[SIGHS]`, `[IN FRENCH]` and `[OVER RADIO]` that are in no name."""


def parted(line: str) -> tuple[str, list[str]]:
    """What is said in a line, and the brackets and songs in it."""
    directions = [found[0].strip(" ()[]（）【】♩♪♫♬") for found in _ASIDE.finditer(line)]
    return _ASIDE.sub("", line).strip(), list(filter(None, directions))


def names(lines: Sequence[str]) -> frozenset[str]:
    """The labels that name a speaker.

    A label in capitals does so before small letters: `I SAID: GO!` is only loud. Any other must
    recur. So must one in brackets, in capitals or not, since `[SIGHS]` looks like a name.
    """
    labelled = [(found[0], line) for line in lines if (found := label(parted(line)[0]))]
    counts = Counter(name for name, _ in labelled if not name[0].islower())
    recurring = {name for name, count in counts.items() if count > 1}
    if sum(counts[name] for name in recurring) < _SHARE * len(lines):
        recurring.clear()
    capitals = {name for name, line in labelled if name.isupper() and not line.isupper()}
    return frozenset(capitals | recurring | _bracketed(lines))


def named(line: str, known: frozenset[str]) -> str:
    """The line, with a colon after a name that stands in brackets."""
    found = _NAMED.match(line)
    return f"{found[1]}: {line[found.end() :]}" if found and found[1] in known else line


def _bracketed(lines: Sequence[str]) -> set[str]:
    """The names in brackets: they open a line that goes on, a sound now and then stands alone."""
    everywhere = Counter(name for line in lines for name in _BRACKETED.findall(line))
    opening = Counter(found[1] for line in lines if (found := _NAMED.match(line)))
    return {
        name
        for name, count in opening.items()
        if count == everywhere[name] > 1 and label(f"{name}:") and not _is_sound(name)
    }


def _is_sound(name: str) -> bool:
    words = name.lower().split()
    lasting = any(len(word) > 5 and word.endswith("ing") for word in words)
    return name[0].islower() or lasting or bool(_SOUNDS.intersection(words))
