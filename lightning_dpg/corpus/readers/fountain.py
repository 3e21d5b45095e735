"""Reader of Fountain screenplays (fountain.io), on top of the library screenplay-tools."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from screenplay_tools.fountain.parser import Parser
from screenplay_tools.screenplay import Element, ElementType, TitleEntry

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.screenplay import Piece, dialogues
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue

_MARKS = re.compile(r"\[\[\d+\]\]|/\*\d+\*/")
"""What the library leaves where a note or a boneyard stood."""

_STARS = re.compile(r"(?<!\\)(\*{1,3})(?=\S)(.+?)(?<=[^\s\\])\1")
_UNDERLINE = re.compile(r"(?<![\w\\])_(?=\S)(.+?)(?<=[^\s\\])_(?!\w)")
_ESCAPE = re.compile(r"\\([*_])")


class FountainReader(Reader):
    """Reads screenplays: a dialogue is a scene, a speech is a cue with all that follows it.

    The library gives no line numbers, so a position reads `scene 3, speech 12`; both count from 1,
    scenes without a speech and speeches without text included.
    """

    name = "fountain"
    endings: tuple[str, ...] = (".fountain", ".spmd")
    by_name = True

    def accepts(self, path: Path, head: str) -> bool:
        """Whether the name of the file ends as Fountain files do."""
        return path.suffix.lower() in self.endings

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The scenes that hold a speech.

        Raises:
            UserError: the title page names a language by something else than a two-letter code.
        """
        parser = Parser()
        parser.add_lines(_forced_cues(path.read_text(encoding="utf-8-sig").splitlines()))
        title = _title_page(parser.script.titleEntries)
        work = title.get("title") or path.stem
        language = _language(title.get("language", "en"), path)
        yield from dialogues(_pieces(parser.script.elements), path, work, language, reject)


def _forced_cues(lines: list[str]) -> Iterator[str]:
    """The lines, with an `@` before cues such as ÉMILE: the library knows only A to Z."""
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        name = line.strip().partition("(")[0]
        cue = name.isupper() and not name[0].isascii() and after.strip() and not before.strip()
        yield f"@{line.strip()}" if cue else line


def _title_page(entries: Iterable[TitleEntry]) -> dict[str, str]:
    """The title page, with its keys in lower case and each value on one line."""
    return {entry.key.lower(): _clean(entry.text_raw) for entry in entries}


def _language(value: str, path: Path) -> str:
    """The two-letter code in `en` or `en-GB`."""
    code = re.fullmatch(r"([a-z]{2})([-_].+)?", value.lower())
    if code is None:
        raise UserError(
            f"`Language:` on the title page of {path} expected a two-letter code "
            f"such as en or zh, got {value!r}"
        )
    return code[1]


def _pieces(elements: Iterable[Element]) -> Iterator[Piece]:
    for element in elements:
        if element.type is ElementType.CHARACTER:
            yield element.type, _clean(element.name)
        else:
            # Of two parentheticals in a row the library sees only one: each line is a piece.
            yield from ((element.type, _clean(line)) for line in element.text_raw.splitlines())


def _clean(text: str) -> str:
    """One line of plain text: notes, boneyards, emphasis and needless white space gone."""
    text = " ".join(_MARKS.sub("", text).split())
    found = 1
    while found:  # emphasis nests: **a *very* old man**
        text, found = _STARS.subn(r"\2", text)
    return _ESCAPE.sub(r"\1", _UNDERLINE.sub(r"\1", text)).strip()
