"""The Fountain reader: whole records for small screenplays."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_dpg.corpus.readers.fountain import FountainReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance

Rejects = list[tuple[str, str]]

SCREENPLAY = """\
Title:
    _**The Lamp**_
Author: nobody
Language: fr

= A synopsis that nobody speaks.

INT. MILL - NIGHT #1#

A lamp. [[a note about the lamp]]

ANNA (V.O.)
(whispering)
I *never* said _that_. [[was: this]]
(louder)
(turning)
Never, **not *once***, 2 * 3 * 4 and \\*so\\*.

# A section

BEN (CONT'D) ^
Ask /* a cut */ me.

/*
ANNA
This was cut.
*/

@McAllister
Both of you
be quiet.

ALL
(cheering)
Hooray!

BEN
(shrugs)

EXT. YARD - DAY

Nobody speaks.

.A DREAM

@???
Who is there?

ÉMILE (off)
Moi.

ВСЁ


ANNA & BEN
We are.

ANNA
~La la
~lo

CUT TO:
"""


def read(tmp_path: Path, text: str, name: str = "lamp.fountain") -> tuple[list[Dialogue], Rejects]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    rejects: Rejects = []
    found = FountainReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def test_a_whole_screenplay(tmp_path: Path) -> None:
    dialogues, rejects = read(tmp_path, SCREENPLAY)
    mill = (
        Utterance(
            "anna",
            "ANNA",
            "I never said that. Never, not once, 2 * 3 * 4 and *so*.",
            ("whispering", "louder", "turning"),
            "scene 1, speech 1",
        ),
        Utterance("ben", "BEN", "Ask me.", (), "scene 1, speech 2"),
        Utterance("mcallister", "McAllister", "Both of you be quiet.", (), "scene 1, speech 3"),
        Utterance("all", "ALL", "Hooray!", ("cheering",), "scene 1, speech 4", collective=True),
    )
    dream = (
        Utterance("", "???", "Who is there?", (), "scene 3, speech 1", collective=True),
        Utterance("émile", "ÉMILE", "Moi.", (), "scene 3, speech 2"),
        Utterance("anna-ben", "ANNA & BEN", "We are.", (), "scene 3, speech 3", collective=True),
        Utterance("anna", "ANNA", "La la lo", (), "scene 3, speech 4"),
    )
    assert dialogues == [
        Dialogue("lamp/001", "The Lamp", "INT. MILL - NIGHT", "fr", "lamp.fountain", mill),
        Dialogue("lamp/003", "The Lamp", "A DREAM", "fr", "lamp.fountain", dream),
    ]
    assert rejects == [("scene 1, speech 5", "the speech of BEN has no text")]


def test_without_title_page_the_work_is_the_stem_and_the_language_english(tmp_path: Path) -> None:
    (dialogue,), rejects = read(tmp_path, "\nANNA\nHello.\n\nANNA\nAgain.\n", "two words.fountain")
    assert dialogue == Dialogue(
        "two words/001",
        "two words",
        "",
        "en",
        "two words.fountain",
        (
            Utterance("anna", "ANNA", "Hello.", (), "scene 1, speech 1"),
            Utterance("anna", "ANNA", "Again.", (), "scene 1, speech 2"),
        ),
    )
    assert rejects == []


def test_fade_in_and_a_preamble_are_no_scenes(tmp_path: Path) -> None:
    text = "Title: X\n\nFADE IN:\n\nA picture.\n\nINT. ROOM\n\nANNA\nHello.\n"
    (dialogue,), _ = read(tmp_path, text)
    assert (dialogue.id, dialogue.scene) == ("lamp/001", "INT. ROOM")


def test_a_speech_ends_at_an_action(tmp_path: Path) -> None:
    text = "INT. ROOM\n\nANNA\nOne.\n\nShe turns.\n\nANNA (CONT'D)\nTwo.\n"
    (dialogue,), _ = read(tmp_path, text)
    assert [spoken.text for spoken in dialogue.utterances] == ["One.", "Two."]


def test_a_region_is_cut_from_the_language(tmp_path: Path) -> None:
    (dialogue,), _ = read(tmp_path, "Language: en-GB\n\nINT. ROOM\n\nANNA\nOne.\n")
    assert dialogue.language == "en"


def test_an_impossible_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, "Title: X\nLanguage: English\n\nANNA\nHello.\n")
    assert str(error.value) == (
        f"`Language:` on the title page of {tmp_path / 'lamp.fountain'} expected a two-letter "
        "code such as en or zh, got 'English'"
    )


@pytest.mark.parametrize(
    ("name", "accepted"), [("a.fountain", True), ("a.SPMD", True), ("a.txt", False)]
)
def test_accepts_by_ending(name: str, accepted: bool) -> None:
    assert FountainReader().accepts(Path(name), SCREENPLAY) is accepted
