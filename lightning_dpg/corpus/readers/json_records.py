"""JSON as corpora come in it: one object a line, or all of them in one array."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lightning_dpg.corpus.readers import Reject
from lightning_dpg.errors import UserError

BROKEN = (ValueError, RecursionError)
"""What `json` raises: also for numbers of too many digits, and for brackets nested too deep."""

_BETWEEN = re.compile(r"[\s,\[\]]*")


def records(path: Path, reject: Reject) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file, each with its position; all else in it is rejected.

    Files with one object a line may be larger than the memory and are read line by line. What
    runs over several lines is read at once: an array, or the only object of a `.json`. A position
    reads `line N`, and `line N, record M` in an array.

    Raises:
        UserError: a line that is not in UTF-8.
    """
    for position, value in (_document if _is_document(path) else _lines)(path, reject):
        if isinstance(value, dict):
            yield position, value
        else:
            reject(position, f"expected a JSON object, got {type(value).__name__}")


def why(error: Exception) -> str:
    """The reason for a rejection, without the place, which `json` counts from its own start."""
    return f"broken JSON: {getattr(error, 'msg', error)}"


def string(value: Any) -> str:
    """A text on one line; empty for what is no text.

    Half of a character, which a cut through an emoji leaves, is dropped: no file can store it.
    """
    if not isinstance(value, str):
        return ""
    return " ".join(value.encode("utf-8", errors="ignore").decode("utf-8").split())


def _is_document(path: Path) -> bool:
    """Whether the first line is no JSON by itself, and opens an array or a `.json`."""
    with path.open("rb") as file:
        lines = (line.removeprefix(codecs.BOM_UTF8).strip() for line in file)
        first = next(filter(None, lines), b"")
    if not (first.startswith(b"[") or path.suffix.lower() == ".json"):
        return False
    try:
        json.loads(first)
    except BROKEN:
        return True
    return False


def _lines(path: Path, reject: Reject) -> Iterator[tuple[str, Any]]:
    """The value on each line; of an array on one line, its elements."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            position = f"line {number}"
            line = _decoded(raw, path, number).strip()
            if not line:
                continue
            try:
                value = json.loads(line)
            except BROKEN as error:
                reject(position, why(error))
                continue
            if not isinstance(value, list):
                yield position, value
                continue
            for place, element in enumerate(value, start=1):
                yield f"{position}, record {place}", element


def _decoded(raw: bytes, path: Path, number: int) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}, line {number} expected text in UTF-8, got another encoding: byte "
            f"{error.start + 1} of the line is {raw[error.start]:#04x}. Convert it first"
        ) from None


def _document(path: Path, reject: Reject) -> Iterator[tuple[str, Any]]:
    """The values of an array one by one, whatever its layout.

    After a broken one, reading goes on at the next line that opens an object no farther to the
    right than the first one stands.
    """
    text = path.read_text(encoding="utf-8-sig")
    decoder = json.JSONDecoder()
    at = _end_of(_BETWEEN, text, 0)
    column = at - text.rfind("\n", 0, at) - 1
    opening = re.compile(rf"\n[ \t]{{0,{column}}}(?=\{{)")
    line, place, counted = 1, 0, 0
    while at < len(text):
        line, place, counted = line + text.count("\n", counted, at), place + 1, at
        position = f"line {line}, record {place}"
        try:
            value, end = decoder.raw_decode(text, at)
        except BROKEN as error:
            reject(position, why(error))
            at = _end_of(opening, text, at)
            continue
        yield position, value
        at = _end_of(_BETWEEN, text, end)


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Where the next match ends; the end of the text when there is none."""
    found = pattern.search(text, start)
    return found.end() if found else len(text)
