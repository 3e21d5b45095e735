"""Reader of the Cornell Movie-Dialogs corpus, as its archive unpacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.speakers import is_collective
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance

CONVERSATIONS = "movie_conversations.txt"
LINES = "movie_lines.txt"
CHARACTERS = "movie_characters_metadata.txt"
TITLES = "movie_titles_metadata.txt"
SEPARATOR = "+++$+++"

_LIST = re.compile(r"\[\s*'L\d+'(?:\s*,\s*'L\d+')*\s*\]")
_OPENS_LIST = re.compile(re.escape(SEPARATOR) + r"\s*\[\s*'L\d")
_ID = re.compile(r"L\d+")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")

Row = tuple[str, list[str]]
"""Where a row stands, and its fields."""


class CornellReader(Reader):
    """Reads conversations, which name their lines in order; the lines stand in a file beside them.

    All other files of the archive hold the same separator, the README included: the reader accepts
    them and finds no dialogue in them, so that the folder as a whole can be a source. A position
    reads `line N` in the conversations and `movie_lines.txt, line N` elsewhere.
    """

    name = "cornell"
    endings: tuple[str, ...] = (".txt",)

    def accepts(self, path: Path, head: str) -> bool:
        """Whether a text is the file of conversations by its name, or holds the separator."""
        return path.suffix.lower() in self.endings and (
            path.name == CONVERSATIONS or SEPARATOR in head
        )

    def companions(self, path: Path) -> tuple[Path, ...]:
        """The tables beside the conversations."""
        beside = (LINES, CHARACTERS, TITLES) if path.name == CONVERSATIONS else ()
        return tuple(path.with_name(name) for name in beside)

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The conversations, each a dialogue; nothing from the files that go with them.

        Raises:
            UserError: conversations without `movie_lines.txt` beside them, or lines alone.
        """
        text = _decoded(path)
        if path.name != CONVERSATIONS and not _OPENS_LIST.search(text):
            if path.name == LINES:
                _require(path, CONVERSATIONS)
            return
        _require(path, LINES)
        names = {fields[0]: fields[1] for _, fields in _beside(path, CHARACTERS, 6, reject)}
        titles = {fields[0]: fields[1] for _, fields in _beside(path, TITLES, 6, reject)}
        lines = _lines(path, names, reject)
        known = names.keys() | {line.character for line in lines.values()}
        for number, (position, (first, second, movie, ids)) in enumerate(
            _rows(text, "", 4, reject), start=1
        ):
            if reason := _fault({first, second} - known, ids):
                reject(position, reason)
                continue
            utterances = tuple(_utterances(ids, (first, second), lines, position, reject))
            if utterances:
                work = titles.get(movie) or movie
                yield Dialogue(f"{path.stem}/{number:03}", work, "", "en", path.name, utterances)


@dataclass(frozen=True)
class _Line:
    """What one character says, as `movie_lines.txt` has it."""

    position: str
    character: str
    name: str
    text: str


def _decoded(path: Path) -> str:
    """The text of a file: UTF-8 if somebody converted it, else ISO-8859-1 as published.

    The files hold quotation marks and dashes that only the Windows code page, which adds to
    ISO-8859-1, knows; the five bytes that it does not know either are dropped.
    """
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="ignore")


def _require(path: Path, needed: str) -> None:
    """Refuse a file without the one that it needs beside it."""
    if not path.with_name(needed).is_file():
        raise UserError(
            f"{path} says nothing without {needed}, which the archive of the Cornell Movie-Dialogs "
            f"corpus holds too: put it into {path.parent}"
        )


def _rows(text: str, file: str, width: int, reject: Reject) -> Iterator[Row]:
    """The rows of a table; those without as many fields are rejected."""
    # A line ends at \n only: splitlines() would also break at characters inside a speech.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        position = f"{file}, line {number}" if file else f"line {number}"
        fields = [field.strip() for field in line.split(SEPARATOR)]
        if len(fields) == width:
            yield position, fields
        else:
            reject(position, f"expected {width} fields parted by {SEPARATOR}, got {len(fields)}")


def _beside(path: Path, file: str, width: int, reject: Reject) -> Iterator[Row]:
    """The rows of another file of the archive, if it is there."""
    if path.with_name(file).is_file():
        yield from _rows(_decoded(path.with_name(file)), file, width, reject)


def _lines(path: Path, names: Mapping[str, str], reject: Reject) -> dict[str, _Line]:
    """All lines by their identifiers; the list of characters goes before the names beside them."""
    lines: dict[str, _Line] = {}
    for position, (id, character, _, name, text) in _beside(path, LINES, 5, reject):
        if id in lines:
            reject(position, f"a second line with the identifier {id}")
            continue
        plain = " ".join(_MARKUP.sub("", text).split())
        lines[id] = _Line(position, character, names.get(character) or name, plain)
    return lines


def _fault(unknown: set[str], ids: str) -> str:
    """Why a conversation cannot be read; empty when it can.

    A character is known from the list of characters, or from saying a line anywhere.
    """
    if unknown:
        return f"a conversation of unknown characters: {', '.join(sorted(unknown))}"
    return "" if _LIST.fullmatch(ids) else f"expected a list such as ['L1', 'L2'], got {ids[:40]}"


def _utterances(
    ids: str,
    pair: Sequence[str],
    lines: Mapping[str, _Line],
    position: str,
    reject: Reject,
) -> Iterator[Utterance]:
    """The lines of a conversation, each said by one of a pair to the other."""
    for id in _ID.findall(ids):
        line = lines.get(id)
        if line is None:
            reject(position, f"the line {id} is not in {LINES}")
        elif line.character not in pair:
            reject(line.position, f"{line.character} is not in the conversation that names {id}")
        elif not line.text:
            reject(line.position, f"the line of {line.name} has no text")
        else:
            yield Utterance(
                speaker=line.character,
                name=line.name,
                text=line.text,
                position=line.position,
                collective=is_collective(line.name),
                addressees=tuple(other for other in pair if other != line.character),
            )
