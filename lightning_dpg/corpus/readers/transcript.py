"""Reader of plain transcripts: `NAME: line`, or `名：（动作）台词` with full-width marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.labels import label, parted
from lightning_dpg.corpus.readers.languages import by_script, joined
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.records import Dialogue, Utterance

_TITLE = re.compile(r"《(.+)》")
_SCENE = re.compile(r"【([^】]+)】")

Line = tuple[int, str]
"""A line of the file: its number, from 1, and its text without white space around it."""


class TranscriptReader(Reader):
    """Reads transcripts: a dialogue is what stands below one scene line `【…】`.

    Where a file has no scene lines, blank lines part the dialogues, unless they only part the
    speeches. A title in `《…》` may open the file; lines wholly in parentheses set the stage.
    """

    name = "transcript"
    endings: tuple[str, ...] = (".txt",)
    by_name = True

    def accepts(self, path: Path, head: str) -> bool:
        """Whether at least half of the lines, title, scene and stage lines aside, have a label."""
        if path.suffix.lower() not in self.endings:
            return False
        lines = [text for _, text in _lines(head) if not _sets_the_stage(text)]
        labelled = sum(label(line) is not None for line in lines)
        return labelled > 0 and 2 * labelled >= len(lines)

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The scenes that hold a speech; an unlabelled line without a speech above is rejected."""
        text = path.read_text(encoding="utf-8-sig")
        language = by_script(text)
        lines = list(_lines(text, blank=True))
        title = next((_TITLE.fullmatch(line) for _, line in lines if line), None)
        if title:
            lines = [(number, line) for number, line in lines if line != title[0]]
        number = 0
        for heading, below in _scenes(lines):
            utterances = tuple(_utterances(below, language, reject))
            if utterances:
                number += 1
                yield Dialogue(
                    id=f"{path.stem}/{number:03}",
                    work=title[1].strip() if title else path.stem,
                    scene=heading,
                    language=language,
                    source=path.name,
                    utterances=utterances,
                )


@dataclass
class _Speech:
    """A speech while it is being collected."""

    name: str
    line: int
    texts: list[str] = field(default_factory=list)
    directions: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Take a line's text and the directions in it."""
        text, directions = parted(line)
        self.directions += directions
        if text:
            self.texts.append(text)


def _lines(text: str, blank: bool = False) -> Iterator[Line]:
    """Numbered lines; empty ones only if `blank`."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() or blank:
            yield number, line.strip()


def _sets_the_stage(line: str) -> bool:
    """Whether nothing is said in a line: a title, a scene line, parentheses only."""
    return bool(_TITLE.fullmatch(line) or _SCENE.fullmatch(line)) or not parted(line)[0]


def _scenes(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    """Each scene's heading and lines, blank ones left out."""
    if any(_SCENE.fullmatch(line) for _, line in lines):
        return _headed(lines)
    runs = _runs(lines)
    # Many transcripts set every speech apart: then a blank line says nothing about scenes.
    if all(sum(label(line) is not None for _, line in run) < 2 for run in runs):
        runs = [[line for run in runs for line in run]]
    return [("", run) for run in runs]


def _headed(lines: Iterable[Line]) -> list[tuple[str, list[Line]]]:
    scenes: list[tuple[str, list[Line]]] = [("", [])]
    for number, line in lines:
        if heading := _SCENE.fullmatch(line):
            scenes.append((" ".join(heading[1].split()), []))
        elif line:
            scenes[-1][1].append((number, line))
    return scenes


def _runs(lines: Iterable[Line]) -> list[list[Line]]:
    """The lines between blank ones."""
    runs: list[list[Line]] = [[]]
    for number, line in lines:
        if line:
            runs[-1].append((number, line))
        elif runs[-1]:
            runs.append([])
    return runs


def _speeches(lines: Iterable[Line], reject: Reject) -> Iterator[_Speech]:
    speech: _Speech | None = None
    for number, line in lines:
        if _sets_the_stage(line):
            continue
        if found := label(line):
            if speech:
                yield speech
            name, directions = parted(found[0])
            speech = _Speech(name, number, directions=directions)
            speech.add(found[1])
        elif speech:
            speech.add(line)
        else:
            reject(f"line {number}", f"a line without a label and no speech above it: {line[:40]}")
    if speech:
        yield speech


def _utterances(lines: Iterable[Line], language: str, reject: Reject) -> Iterator[Utterance]:
    for speech in _speeches(lines, reject):
        position = f"line {speech.line}"
        if not speech.texts:
            reject(position, f"the speech of {speech.name} has no text")
            continue
        yield Utterance(
            speaker=slug(speech.name),
            name=speech.name,
            text=joined(speech.texts, language),
            directions=tuple(speech.directions),
            position=position,
            collective=is_collective(speech.name),
        )
