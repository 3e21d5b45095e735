"""JSON as language models write it: objects among prose, with the usual slips.

Accepted beside JSON: trailing commas, single and typographic quotation marks, keys without any,
Python's True, False and None, plus signs, full-width digits and marks, line breaks in strings.
Never guessed: where a string, an object or an array ends.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"[+\-−－＋]?\d+(?:[.．]\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"[^\W\d]\w*")
_OPENING = re.compile(r"[{｛](?=\s*(?:[\"“'‘＂]|[^\W\d]\w*\s*[:：]))")
"""A brace and the beginning of a key: other braces belong to prose."""
_QUOTES = {'"': '"', "'": "'", "＂": "＂", "“": "”", "‘": "’"}
_LITERALS = {"true": True, "false": False, "null": None, "none": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_HEX = re.compile(r"u([0-9a-fA-F]{4})")
_WIDE = str.maketrans("｛｝［］：，", "{}[]:,")
DEEPEST = 16


class Malformed(ValueError):
    """What begins like a JSON object and is none; the message says where."""


def find_objects(text: str) -> list[tuple[dict[str, Any], str]]:
    """The outermost objects in a text, in order, each with its source.

    Nothing is looked for in an object that does not parse: what looks like an object there may be a
    string's content.

    Raises:
        Malformed: an object that does not parse or is cut off, a key that comes twice in one, or a
            brace that closes none: then a quotation mark ended a string, and an object, too early.
    """
    found, prose, position = [], "", 0
    while opening := _OPENING.search(text, position):
        prose += text[position : opening.start()]
        reader = _Reader(text, opening.start())
        value = reader.value(0)
        found.append((value, text[opening.start() : reader.position]))
        position = reader.position
    prose = (prose + text[position:]).translate(_WIDE)
    if prose.count("}") > prose.count("{"):
        raise Malformed("a brace closes nothing (is a quotation mark in a string not escaped?)")
    return found


class _Reader:
    """A recursive descent over one object."""

    def __init__(self, text: str, position: int) -> None:
        self.text, self.position = text, position

    def value(self, depth: int) -> Any:
        mark = self._peek()
        if depth > DEEPEST:
            raise self._malformed(f"more than {DEEPEST} objects in one another")
        if mark == "{":
            return self._object(depth)
        if mark == "[":
            return self._array(depth)
        if mark in _QUOTES:
            return self._string()
        if found := _NUMBER.match(self.text, self.position):
            self.position = found.end()
            return number(found[0])
        if (found := _WORD.match(self.text, self.position)) and found[0].lower() in _LITERALS:
            self.position = found.end()
            return _LITERALS[found[0].lower()]
        raise self._malformed("expected a value")

    def _object(self, depth: int) -> dict[str, Any]:
        self.position += 1
        result: dict[str, Any] = {}
        while self._peek() != "}":
            key = self._key()
            if key in result:
                raise self._malformed(f"the key {key!r} comes twice")
            if self._peek() != ":":
                raise self._malformed(f"expected a colon after the key {key!r}")
            self.position += 1
            result[key] = self.value(depth + 1)
            self._comma("}")
        self.position += 1
        return result

    def _array(self, depth: int) -> list[Any]:
        self.position += 1
        result = []
        while self._peek() != "]":
            result.append(self.value(depth + 1))
            self._comma("]")
        self.position += 1
        return result

    def _key(self) -> str:
        if self._peek() in _QUOTES:
            return self._string()
        if found := _WORD.match(self.text, self.position):
            self.position = found.end()
            return found[0]
        raise self._malformed("expected a key")

    def _string(self) -> str:
        closing = _QUOTES[self.text[self.position]]
        parts, at = [], self.position + 1
        while at < len(self.text) and self.text[at] != closing:
            if self.text[at] != "\\":
                parts.append(self.text[at])
            elif code := _HEX.match(self.text, at + 1):
                parts.append(chr(int(code[1], 16)))
                at = code.end() - 1
            else:
                at += 1
                parts.append(_ESCAPES.get(self.text[at : at + 1], self.text[at : at + 1]))
            at += 1
        if at >= len(self.text):
            self.position = len(self.text)
            raise self._malformed("a string is not closed")
        self.position = at + 1
        # Two halves of one character may have been escaped apart.
        return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _comma(self, closing: str) -> None:
        mark = self._peek()
        if mark == ",":
            self.position += 1
        elif mark != closing:
            raise self._malformed(f"expected a comma or {closing}")

    def _peek(self) -> str:
        """The next mark, full-width ones as ordinary ones; empty at the end."""
        found = _SPACE.match(self.text, self.position)
        self.position = found.end() if found else self.position
        return self.text[self.position : self.position + 1].translate(_WIDE)

    def _malformed(self, what: str) -> Malformed:
        if self.position >= len(self.text):
            return Malformed(f"the JSON is cut off ({what})")
        rest = self.text[self.position : self.position + 20]
        return Malformed(f"{what} at {rest!r}")


def number(text: str) -> float | None:
    """The number that a text is, or None: `+3`, `−2`, `３`, but not `3/5` or `high`."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    return float(unicodedata.normalize("NFKC", text).replace("−", "-"))
