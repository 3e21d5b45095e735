"""Text from outside as data in a prompt: nothing in it can end the block that it stands in."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_MARKS = set("<>[]{}`#|=")
"""What delimiters, code fences and the control tokens of chat templates are made of."""
_HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Categories of characters that nobody sees, or that are none: zero-width, bidirectional, tags."""
_OTHER = re.compile(r"[^\w ]")


def quoted(text: str) -> str:
    r"""A text as one JSON string on one line; `json.loads` gives exactly the text back.

    Letters and everyday punctuation stay readable. Marks of delimiters, their full-width likes and
    all that is invisible are written as `\uXXXX`: a server that looks for `<|im_start|>` in what
    it is sent finds none.
    """
    return _OTHER.sub(lambda found: _written(found[0]), json.dumps(text, ensure_ascii=False))


@lru_cache(4096)
def _written(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)
    if unicodedata.category(character) not in _HIDDEN and not _MARKS & set(plain):
        return character
    units = character.encode("utf-16-be", errors="surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def digest(lines: Sequence[str]) -> str:
    """Twelve hexadecimal digits that say what the lines are."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def block(lines: Sequence[str]) -> str:
    """Lines of quoted text between two lines that carry their digest.

    A text cannot hold its own digest, and being quoted it cannot begin a line.
    """
    code = digest(lines)
    return "\n".join((f"=== DATA {code} BEGINS ===", *lines, f"=== DATA {code} ENDS ==="))
