"""The Cornell reader: a whole archive in small, and every way in which it can be broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_dpg.corpus.readers.cornell import CornellReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance
from tests.corpus.fuzz import FUZZ, broken, check_survives

Rejects = list[tuple[str, str]]

CONVERSATIONS, LINES = "movie_conversations.txt", "movie_lines.txt"
CHARACTERS, TITLES = "movie_characters_metadata.txt", "movie_titles_metadata.txt"

ARCHIVE = {
    CONVERSATIONS: [
        "u0 | u2 | m0 | ['L11', 'L12', 'L13']",
        "u2 | u5 | m0 | ['L20','L21']",
        "u7 | u7 | m3 | ['L30']",
    ],
    LINES: [
        "L30 | u7 | m3 | DIARIST | Dear me.",
        "L21 | u5 | m0 | CROWD | Hear, hear!",
        "L20 | u2 | m0 | TOM | Friends, 2 < 3 and 5 > 4.",
        "L13 | u0 | m0 | IRIS | Then it is  <u>your</u> lamp <I>now</I>.",
        "L12 | u2 | m0 | TOM | Ren\u00e9e\u2019s lamp\u2026 not <b>mine</b>.",
        "L11 | u0 | m0 | IRIS | Whose lamp is this?",
    ],
    CHARACTERS: [
        "u0 | IRIS VALE | m0 | the lamp | f | 1",
        "u2 | TOM | m0 | the lamp | m | 2",
        "u5 | CROWD | m0 | the lamp | ? | ?",
    ],
    TITLES: ["m0 | the lamp | 1999 | 6.90 | 62847 | ['comedy', 'romance']"],
}


def encoded(rows: list[str], encoding: str = "cp1252") -> bytes:
    """The file as the corpus has it, with its own separator."""
    return "".join(f"{row.replace(' | ', ' +++$+++ ')}\n" for row in rows).encode(encoding)


def archive(tmp_path: Path, without: tuple[str, ...] = (), **changed: list[str]) -> Path:
    """The conversations in an archive; `lines=[...]` puts other rows into `movie_lines.txt`."""
    for name, rows in ARCHIVE.items():
        if name not in without:
            rows = changed.get(name.split("_")[1].removesuffix(".txt"), rows)
            (tmp_path / name).write_bytes(encoded(rows))
    return tmp_path / CONVERSATIONS


def read(path: Path) -> tuple[list[Dialogue], Rejects]:
    rejects: Rejects = []
    found = CornellReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def texts(dialogues: list[Dialogue]) -> list[list[str]]:
    return [[spoken.text for spoken in dialogue.utterances] for dialogue in dialogues]


def test_a_whole_archive(tmp_path: Path) -> None:
    dialogues, rejects = read(archive(tmp_path))
    lamp = (
        Utterance("u0", "IRIS VALE", "Whose lamp is this?", (), f"{LINES}, line 6", False, ("u2",)),
        Utterance("u2", "TOM", "Renée’s lamp… not mine.", (), f"{LINES}, line 5", False, ("u0",)),
        Utterance(
            "u0", "IRIS VALE", "Then it is your lamp now.", (), f"{LINES}, line 4", False, ("u2",)
        ),
    )
    speech = (
        Utterance("u2", "TOM", "Friends, 2 < 3 and 5 > 4.", (), f"{LINES}, line 3", False, ("u5",)),
        Utterance("u5", "CROWD", "Hear, hear!", (), f"{LINES}, line 2", True, ("u2",)),
    )
    diary = (Utterance("u7", "DIARIST", "Dear me.", (), f"{LINES}, line 1"),)
    source = CONVERSATIONS
    assert dialogues == [
        Dialogue("movie_conversations/001", "the lamp", "", "en", source, lamp),
        Dialogue("movie_conversations/002", "the lamp", "", "en", source, speech),
        Dialogue("movie_conversations/003", "m3", "", "en", source, diary),
    ]
    assert rejects == []


def test_names_and_works_without_the_metadata(tmp_path: Path) -> None:
    dialogues, rejects = read(archive(tmp_path, without=(CHARACTERS, TITLES)))
    assert [dialogue.work for dialogue in dialogues] == ["m0", "m0", "m3"]
    assert dialogues[0].utterances[0].name == "IRIS"
    assert rejects == []


def test_a_copy_in_utf_8_is_read_as_such(tmp_path: Path) -> None:
    path = archive(tmp_path)
    (tmp_path / LINES).write_bytes(encoded(ARCHIVE[LINES], "utf-8-sig"))
    assert read(path)[0][0].utterances[1].text == "Renée’s lamp… not mine."


def test_bytes_that_no_code_page_knows_are_dropped(tmp_path: Path) -> None:
    path = archive(tmp_path)
    raw = encoded(ARCHIVE[LINES]).replace(b"Dear me.", b"Dear\x81 \x97me\xe9.")
    (tmp_path / LINES).write_bytes(raw)
    assert read(path)[0][2].utterances[0].text == "Dear —meé."


def test_a_line_ends_at_a_line_feed_only(tmp_path: Path) -> None:
    path = archive(tmp_path)
    raw = encoded(ARCHIVE[LINES]).replace(b"Dear me.", b"Dear\x0b\x1cme.")
    (tmp_path / LINES).write_bytes(raw)
    dialogues, rejects = read(path)
    assert texts(dialogues)[2] == ["Dear me."]
    assert rejects == []


def test_line_ends_of_windows(tmp_path: Path) -> None:
    path = archive(tmp_path)
    for name in ARCHIVE:
        raw = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(raw.replace(b"\n", b"\r\n"))
    dialogues, rejects = read(path)
    assert texts(dialogues)[1] == ["Friends, 2 < 3 and 5 > 4.", "Hear, hear!"]
    assert rejects == []


def test_a_line_that_is_not_there(tmp_path: Path) -> None:
    rows = [
        "u0 | u2 | m0 | ['L11', 'L99', 'L12']",
        "u0 | u2 | m0 | ['L98']",
        *ARCHIVE[CONVERSATIONS],
    ]
    dialogues, rejects = read(archive(tmp_path, conversations=rows))
    assert texts(dialogues)[0] == ["Whose lamp is this?", "Renée’s lamp… not mine."]
    assert [dialogue.id[-3:] for dialogue in dialogues] == ["001", "003", "004", "005"]
    assert rejects == [
        ("line 1", f"the line L99 is not in {LINES}"),
        ("line 2", f"the line L98 is not in {LINES}"),
    ]


def test_wrong_numbers_of_fields_in_any_file(tmp_path: Path) -> None:
    bad = "u0 | u2"
    path = archive(
        tmp_path,
        conversations=[bad, *ARCHIVE[CONVERSATIONS]],
        lines=["", bad, *ARCHIVE[LINES], "L40 | u0 | m0 | IRIS | One. | Two."],
        characters=[*ARCHIVE[CHARACTERS], bad],
        titles=[bad, *ARCHIVE[TITLES]],
    )
    dialogues, rejects = read(path)
    assert [len(dialogue.utterances) for dialogue in dialogues] == [3, 2, 1]
    assert sorted(rejects) == [
        ("line 1", "expected 4 fields parted by +++$+++, got 2"),
        (f"{CHARACTERS}, line 4", "expected 6 fields parted by +++$+++, got 2"),
        (f"{LINES}, line 2", "expected 5 fields parted by +++$+++, got 2"),
        (f"{LINES}, line 9", "expected 5 fields parted by +++$+++, got 6"),
        (f"{TITLES}, line 1", "expected 6 fields parted by +++$+++, got 2"),
    ]


@pytest.mark.parametrize("text", ["", " ", "<u></u>"])
def test_a_line_without_text(tmp_path: Path, text: str) -> None:
    rows = [*ARCHIVE[LINES][:-1], f"L11 | u0 | m0 | IRIS | {text}"]
    dialogues, rejects = read(archive(tmp_path, lines=rows))
    assert texts(dialogues)[0] == ["Renée’s lamp… not mine.", "Then it is your lamp now."]
    assert rejects == [(f"{LINES}, line 6", "the line of IRIS VALE has no text")]


def test_a_conversation_of_somebody_unknown(tmp_path: Path) -> None:
    rows = ["u0 | u98 | m0 | ['L11']", *ARCHIVE[CONVERSATIONS]]
    dialogues, rejects = read(archive(tmp_path, conversations=rows))
    assert len(dialogues) == 3
    assert rejects == [("line 1", "a conversation of unknown characters: u98")]


def test_a_line_of_somebody_else(tmp_path: Path) -> None:
    rows = ["u0 | u2 | m0 | ['L11', 'L21', 'L12']", *ARCHIVE[CONVERSATIONS]]
    dialogues, rejects = read(archive(tmp_path, conversations=rows))
    assert len(dialogues[0].utterances) == 2
    assert rejects == [(f"{LINES}, line 2", "u5 is not in the conversation that names L21")]


def test_conversations_are_known_by_their_name_whatever_they_hold(tmp_path: Path) -> None:
    dialogues, rejects = read(archive(tmp_path, conversations=["u0 | u2 | m0 | L11"]))
    assert dialogues == []
    assert rejects == [("line 1", "expected a list such as ['L1', 'L2'], got L11")]


@pytest.mark.parametrize("ids", ["[]", "L11", "['L11'", "['comedy']", ""])
def test_no_list_of_lines(tmp_path: Path, ids: str) -> None:
    rows = [f"u0 | u2 | m0 | {ids}", *ARCHIVE[CONVERSATIONS]]
    dialogues, rejects = read(archive(tmp_path, conversations=rows))
    assert len(dialogues) == 3
    assert rejects == [("line 1", f"expected a list such as ['L1', 'L2'], got {ids}")]


def test_two_lines_of_one_identifier(tmp_path: Path) -> None:
    rows = [*ARCHIVE[LINES], "L30 | u7 | m3 | DIARIST | Other words."]
    dialogues, rejects = read(archive(tmp_path, lines=rows))
    assert texts(dialogues)[2] == ["Dear me."]
    assert rejects == [(f"{LINES}, line 7", "a second line with the identifier L30")]


def test_one_half_without_the_other(tmp_path: Path) -> None:
    path = archive(tmp_path, without=(LINES,))
    with pytest.raises(UserError) as error:
        read(path)
    assert str(error.value) == (
        f"{path} says nothing without {LINES}, which the archive of the Cornell Movie-Dialogs "
        f"corpus holds too: put it into {tmp_path}"
    )
    alone = tmp_path / "alone" / LINES
    alone.parent.mkdir()
    alone.write_bytes(encoded(ARCHIVE[LINES]))
    with pytest.raises(UserError) as error:
        read(alone)
    assert str(error.value).startswith(f"{alone} says nothing without {CONVERSATIONS}")


def test_the_other_files_of_the_archive_are_accepted_and_hold_no_dialogue(tmp_path: Path) -> None:
    archive(tmp_path)
    (tmp_path / "README.txt").write_text('Fields are parted by " +++$+++ " in all files.\n')
    (tmp_path / "raw_script_urls.txt").write_text("m0 +++$+++ the lamp +++$+++ http://x.org\n")
    others = [path for path in sorted(tmp_path.iterdir()) if path.name != CONVERSATIONS]
    assert len(others) == 5
    for path in others:
        assert CornellReader().accepts(path, path.read_text(errors="replace"))
        assert read(path) == ([], [])


def test_conversations_are_known_by_their_list_whatever_their_name(tmp_path: Path) -> None:
    path = archive(tmp_path).rename(tmp_path / "scenes.txt")
    assert CornellReader().accepts(path, path.read_text())
    dialogues, _ = read(path)
    assert dialogues[0].id == "scenes/001"
    assert len(dialogues) == 3


@pytest.mark.parametrize(
    ("name", "head", "accepted"),
    [
        (CONVERSATIONS, "", True),
        ("a.TXT", "u0 +++$+++ u2 +++$+++ m0 +++$+++ ['L1']", True),
        ("a.txt", "ANNA: Hello.", False),
        ("a.fountain", "u0 +++$+++ u2 +++$+++ m0 +++$+++ ['L1']", False),
    ],
)
def test_accepts(name: str, head: str, accepted: bool) -> None:
    assert CornellReader().accepts(Path(name), head) is accepted


@FUZZ
@given(
    st.sampled_from([CONVERSATIONS, LINES]),
    st.fixed_dictionaries({name: broken(encoded(rows)) for name, rows in ARCHIVE.items()}),
)
def test_no_broken_archive_crashes_the_reader(name: str, files: dict[str, bytes]) -> None:
    check_survives(CornellReader(), name, files)
