"""The TEI reader on real plays, where they are present; counts are taken again by XPath."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from lightning_dpg.corpus.readers.registry import read_file
from lightning_dpg.corpus.readers.transcript import TranscriptReader
from lightning_dpg.records import Utterance

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
PLAYS = sorted([*SHARED.glob("amdracor/*.xml"), *SHARED.glob("other/*.xml")])
TEI = {"t": "http://www.tei-c.org/ns/1.0"}

pytestmark = pytest.mark.skipif(not PLAYS, reason=f"{SHARED} is absent")


def read(path: Path) -> tuple[list[Utterance], list[tuple[str, str]]]:
    rejects: list[tuple[str, str]] = []
    dialogues = read_file(path, lambda where, why: rejects.append((where, why)))
    return [spoken for dialogue in dialogues for spoken in dialogue.utterances], rejects


def squeezed(element: etree._Element, path: str) -> list[str]:
    """The text nodes at a path below an element, without any white space."""
    return ["".join(str(text).split()) for text in element.xpath(path, namespaces=TEI)]


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: path.stem)
def test_every_speech_is_an_utterance_or_a_rejection(path: Path) -> None:
    utterances, rejects = read(path)
    root = etree.parse(path).getroot()
    speeches = root.xpath("//t:sp", namespaces=TEI)
    several = root.xpath("//t:sp[contains(normalize-space(@who), ' ')]", namespaces=TEI)
    assert len(utterances) + len(rejects) == len(speeches) > 0
    refused = {where for where, _ in rejects}
    kept = [speech for speech in several if f"line {speech.sourceline}" not in refused]
    joined = [spoken for spoken in utterances if "+" in spoken.speaker]
    assert [spoken.position for spoken in joined] == [f"line {sp.sourceline}" for sp in kept]
    assert [spoken.speaker.count("+") for spoken in joined] == [
        len(speech.get("who").split()) - 1 for speech in kept
    ]
    assert all(spoken.collective for spoken in joined)
    assert all(spoken.text and spoken.name and spoken.speaker for spoken in utterances)


@pytest.mark.parametrize("path", PLAYS[::5], ids=lambda path: path.stem)
def test_texts_are_what_stands_outside_labels_directions_and_notes(path: Path) -> None:
    utterances = {spoken.position: spoken for spoken in read(path)[0]}
    unspoken = "ancestor::t:stage or ancestor::t:speaker or ancestor::t:note"
    for speech in etree.parse(path).getroot().iter("{*}sp"):
        spoken = utterances.get(f"line {speech.sourceline}")
        if spoken is None:
            continue
        expected = "".join(squeezed(speech, f".//text()[not({unspoken})]"))
        assert "".join(spoken.text.split()) == expected
        stages = speech.xpath("count(.//t:stage[normalize-space()])", namespaces=TEI)
        assert len(spoken.directions) == stages


@pytest.mark.parametrize("name", ["zh_hongloumeng.txt", "zh_hongloumeng_speaker_labels.txt"])
def test_a_novel_is_no_transcript(name: str) -> None:
    path = SHARED / "other" / name
    text = path.read_text(encoding="utf-8")
    heads = [text[start : start + 4096] for start in range(0, len(text), 4096)]
    assert not any(TranscriptReader().accepts(path, head) for head in heads)
