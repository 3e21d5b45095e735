"""Reader of Fountain screenplays (fountain.io), on top of the library screenplay-tools."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from screenplay_tools.fountain.parser import Parser
from screenplay_tools.screenplay import Element, ElementType, TitleEntry

from lightning_dpg.corpus.readers import Reject
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance

_MARKS = re.compile(r"\[\[\d+\]\]|/\*\d+\*/")
"""What the library leaves where a note or a boneyard stood."""

_STARS = re.compile(r"(?<!\\)(\*{1,3})(?=\S)(.+?)(?<=[^\s\\])\1")
_UNDERLINE = re.compile(r"(?<![\w\\])_(?=\S)(.+?)(?<=[^\s\\])_(?!\w)")
_ESCAPE = re.compile(r"\\([*_])")
_SPEECH = frozenset({ElementType.DIALOGUE, ElementType.LYRIC})


class FountainReader:
    """Reads screenplays: a dialogue is a scene, a speech is a cue with all that follows it.

    The library gives no line numbers, so a position reads `scene 3, speech 12`; both count from 1,
    scenes without a speech and speeches without text included.
    """

    name = "fountain"
    endings: tuple[str, ...] = (".fountain", ".spmd")

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
        for number, (heading, elements) in enumerate(_scenes(parser.script.elements), start=1):
            utterances = tuple(_utterances(elements, number, reject))
            if utterances:
                yield Dialogue(
                    f"{path.stem}/{number:03}", work, heading, language, path.name, utterances
                )


@dataclass
class _Speech:
    """A speech while it is being collected."""

    name: str
    lines: list[str] = field(default_factory=list)
    directions: list[str] = field(default_factory=list)


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


def _scenes(elements: Iterable[Element]) -> Iterator[tuple[str, list[Element]]]:
    """Each heading with the elements below it; what stands above the first has an empty heading."""
    heading, below = "", list[Element]()
    for element in elements:
        # The library takes the transition FADE IN: for a heading.
        if element.type is ElementType.HEADING and not element.text.startswith("FADE IN:"):
            # A preamble without speeches (a picture, a date) is not counted as a scene.
            if heading or any(other.type is ElementType.CHARACTER for other in below):
                yield heading, below
            heading, below = _clean(element.text_raw), []
        else:
            below.append(element)
    yield heading, below


def _speeches(elements: Iterable[Element]) -> Iterator[_Speech]:
    """Each cue with its lines; a parenthetical interrupts a speech, anything else ends it."""
    speech: _Speech | None = None
    for element in elements:
        if element.type is ElementType.CHARACTER:
            if speech:
                yield speech
            speech = _Speech(_clean(element.name))
        elif speech and element.type is ElementType.PARENTHETICAL:
            speech.directions.append(_clean(element.text_raw))
        elif speech and element.type in _SPEECH:
            _add_lines(speech, element.text_raw)
        elif speech:
            yield speech
            speech = None
    if speech:
        yield speech


def _add_lines(speech: _Speech, text: str) -> None:
    """Sort lines into speech and directions: of two parentheticals the library sees only one."""
    for line in map(_clean, text.splitlines()):
        if line.startswith("(") and line.endswith(")"):
            speech.directions.append(line[1:-1].strip())
        elif line:
            speech.lines.append(line)


def _utterances(elements: Iterable[Element], scene: int, reject: Reject) -> Iterator[Utterance]:
    for number, speech in enumerate(_speeches(elements), start=1):
        position = f"scene {scene}, speech {number}"
        if not speech.lines:
            reject(position, f"the speech of {speech.name} has no text")
            continue
        yield Utterance(
            speaker=slug(speech.name),
            name=speech.name,
            text=" ".join(speech.lines),
            directions=tuple(filter(None, speech.directions)),
            position=position,
            collective=is_collective(speech.name),
        )


def _clean(text: str) -> str:
    """One line of plain text: notes, boneyards, emphasis and needless white space gone."""
    text = " ".join(_MARKS.sub("", text).split())
    found = 1
    while found:  # emphasis nests: **a *very* old man**
        text, found = _STARS.subn(r"\2", text)
    return _ESCAPE.sub(r"\1", _UNDERLINE.sub(r"\1", text)).strip()
