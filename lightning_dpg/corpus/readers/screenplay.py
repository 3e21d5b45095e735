"""From the paragraphs of a screenplay to dialogues: what its formats share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from screenplay_tools.screenplay import ElementType

from lightning_dpg.corpus.readers import Reject
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.records import Dialogue, Utterance

Piece = tuple[ElementType, str]
"""A line of a paragraph, as plain text, and what the paragraph is."""

_SPEECH = frozenset({ElementType.DIALOGUE, ElementType.LYRIC})
_SPOKEN = _SPEECH | {ElementType.CHARACTER}


def dialogues(
    pieces: Iterable[Piece], path: Path, work: str, language: str, reject: Reject
) -> Iterator[Dialogue]:
    """The scenes that hold a speech, which is a cue with all that follows it.

    A position reads `scene 3, speech 12`; both count from 1, scenes without a speech and speeches
    without text included.
    """
    for number, (heading, below) in enumerate(_scenes(pieces), start=1):
        utterances = tuple(_utterances(below, number, reject))
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

    def add(self, line: str) -> None:
        """Take a line: of two parentheticals in a row, Fountain sees only one."""
        if line.startswith("(") and line.endswith(")"):
            self.directions.append(line[1:-1].strip())
        elif line:
            self.lines.append(line)


def _scenes(pieces: Iterable[Piece]) -> Iterator[tuple[str, list[Piece]]]:
    """Each heading with the pieces below it; what stands above the first has an empty heading."""
    heading, below = "", list[Piece]()
    for kind, text in pieces:
        # The transition FADE IN: passes for a heading, in Fountain by its look.
        if kind is ElementType.HEADING and not text.startswith("FADE IN:"):
            # A preamble without speeches (a picture, a date) is not counted as a scene.
            if heading or any(other in _SPOKEN for other, _ in below):
                yield heading, below
            heading, below = text, []
        else:
            below.append((kind, text))
    yield heading, below


def _speeches(pieces: Iterable[Piece]) -> Iterator[_Speech]:
    """Each cue with its lines; a parenthetical interrupts a speech, anything else ends it.

    Lines without a cue make a speech without a name.
    """
    speech: _Speech | None = None
    for kind, text in pieces:
        if kind in _SPEECH:
            speech = speech or _Speech("")
            speech.add(text)
        elif speech and kind is ElementType.PARENTHETICAL:
            speech.directions.append(text)
        else:
            if speech:
                yield speech
            speech = _Speech(text) if text and kind is ElementType.CHARACTER else None
    if speech:
        yield speech


def _utterances(pieces: Iterable[Piece], scene: int, reject: Reject) -> Iterator[Utterance]:
    for number, speech in enumerate(_speeches(pieces), start=1):
        position = f"scene {scene}, speech {number}"
        if not speech.name:
            reject(position, f"a line without a character above it: {' '.join(speech.lines)[:40]}")
        elif not speech.lines:
            reject(position, f"the speech of {speech.name} has no text")
        else:
            yield Utterance(
                speaker=slug(speech.name),
                name=speech.name,
                text=" ".join(speech.lines),
                directions=tuple(filter(None, speech.directions)),
                position=position,
                collective=is_collective(speech.name),
            )
