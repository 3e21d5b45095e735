"""The reader of the Project Dialogism Novel Corpus: a small novel in its three files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given

from lightning_dpg.corpus.readers.pdnc import PdncReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance
from tests.corpus.fuzz import FUZZ, broken, check_survives

Rejects = list[tuple[str, str]]
Row = tuple[str, list[str], str, str]
"""Identifier, parts, speaker and addressees of a quotation."""

NOVEL = """\
The Ferry

CHAPTER I
THE LANDING


"You are _late_," said Mrs. Ferris, "and the tide
is not. Don t argue."

"I was counting," said the boy.

"Good morning!" cried the passengers.


CHAPTER II
THE CROSSING


"Is it deep?" asked somebody.

    *        *        *

"How calm it is," thought Anna.
"""
ROWS: list[Row] = [
    ("Q0", ["You are _late_,", "and the tide\nis not. Don t argue."], "Anna", "['The Boy', 'Ben']"),
    ("Q1", ["I was counting,"], "The Boy", "['Mrs. Ferris', 'Anna Ferris', '_group', 'Cook']"),
    ("Q2", ["Good morning!"], "_group", "['The Boy']"),
    ("Q3", ["Is it deep?"], "_unknowable", "[]"),
    ("Q4", ["How calm it is,"], "Anna Ferris", "nan"),
]
CHARACTERS = """\
Character ID,Main Name,Aliases,Gender,Category
0,Anna Ferris,"{'Anna', 'Mrs. Ferris', 'Ben'}",F,major
1,Ben,['The Boy'],M,minor
2,_group,{'_group'},X,minor
"""


def quotations(rows: Sequence[Row], novel: str) -> str:
    """The list of quotations, as its makers write it."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    columns = "quoteID quoteText subQuotationList quoteByteSpans speaker addressees quoteType"
    table.writerow(columns.split())
    for id, parts, speaker, addressees in rows:
        starts = [novel.index(part) for part in parts]
        spans = [[at, at + len(part)] for at, part in zip(starts, parts, strict=True)]
        table.writerow([id, " ".join(parts), parts, spans, speaker, addressees, "Explicit"])
    return out.getvalue()


def read(
    folder: Path, table: str, novel: str = NOVEL, characters: str = CHARACTERS
) -> tuple[list[Dialogue], Rejects]:
    folder.mkdir(exist_ok=True)
    path = folder / "quotation_info.csv"
    path.write_text(table, encoding="utf-8")
    path.with_name("novel_text.txt").write_text(novel, encoding="utf-8")
    path.with_name("character_info.csv").write_text(characters, encoding="utf-8")
    rejects: Rejects = []
    found = PdncReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def texts(dialogues: list[Dialogue]) -> list[list[str]]:
    return [[spoken.text for spoken in dialogue.utterances] for dialogue in dialogues]


def test_a_whole_novel(tmp_path: Path) -> None:
    dialogues, rejects = read(tmp_path / "TheFerry", quotations(ROWS, NOVEL))
    landing = (
        Utterance(
            "anna-ferris-0",
            "Anna Ferris",
            "You are late, and the tide is not. Don't argue.",
            position="Q0",
            addressees=("ben-1",),
        ),
        Utterance(
            "ben-1",
            "Ben",
            "I was counting,",
            position="Q1",
            addressees=("anna-ferris-0", "cook"),
        ),
        Utterance(
            "group-2",
            "_group",
            "Good morning!",
            position="Q2",
            collective=True,
            addressees=("ben-1",),
        ),
    )
    deep = (Utterance("unknowable", "_unknowable", "Is it deep?", position="Q3", collective=True),)
    calm = (Utterance("anna-ferris-0", "Anna Ferris", "How calm it is,", position="Q4"),)
    source = "TheFerry/quotation_info.csv"
    assert dialogues == [
        Dialogue("TheFerry/001", "The Ferry", "CHAPTER I", "en", source, landing),
        Dialogue("TheFerry/002", "The Ferry", "CHAPTER II", "en", source, deep),
        Dialogue("TheFerry/003", "The Ferry", "CHAPTER II", "en", source, calm),
    ]
    assert rejects == []


@pytest.mark.parametrize(("narration", "count"), [(1499, 1), (1500, 2)])
def test_a_page_of_narration_parts_dialogues(tmp_path: Path, narration: int, count: int) -> None:
    novel = "One" + "-" * narration + "Two"
    rows: list[Row] = [("Q0", ["One"], "Ben", "[]"), ("Q1", ["Two"], "Ben", "[]")]
    dialogues, _ = read(tmp_path, quotations(rows, novel), novel)
    assert len(dialogues) == count


def test_quotations_come_in_the_order_of_the_novel(tmp_path: Path) -> None:
    dialogues, _ = read(tmp_path, quotations([ROWS[2], ROWS[1]], NOVEL))
    assert texts(dialogues) == [["I was counting,", "Good morning!"]]


def test_a_quotation_goes_on_behind_one_that_interrupts_it(tmp_path: Path) -> None:
    novel = "One" + "-" * 900 + "Two" + "-" * 900 + "Three" + "-" * 900 + "Four"
    rows: list[Row] = [
        ("Q0", ["One", "Three"], "Ben", "[]"),
        ("Q1", ["Two"], "Anna", "[]"),
        ("Q2", ["Four"], "Anna", "[]"),
    ]
    dialogues, _ = read(tmp_path, quotations(rows, novel), novel)
    assert texts(dialogues) == [["One Three", "Two", "Four"]]


@pytest.mark.parametrize(
    ("line", "scene"),
    [
        ("CHAPTER IV", "CHAPTER IV"),
        ("  Chapter 4: The Weir", "Chapter 4: The Weir"),
        ("        CHAPTER\n           4", "CHAPTER 4"),
        ("PART TWO", "PART TWO"),
        ("XIV", "XIV"),
        ("[II]", "[II]"),
        ("* * *", ""),
    ],
)
def test_headings_part_dialogues(tmp_path: Path, line: str, scene: str) -> None:
    novel = f"One\n\n{line}\n\nTwo"
    rows: list[Row] = [("Q0", ["One"], "Ben", "[]"), ("Q1", ["Two"], "Ben", "[]")]
    dialogues, _ = read(tmp_path, quotations(rows, novel), novel)
    assert [dialogue.scene for dialogue in dialogues] == ["", scene]


@pytest.mark.parametrize(
    "line", ["Part of it was lost.", "I went.", "Chapter One" + " and so on" * 6, "*", "VILE"]
)
def test_other_lines_do_not(tmp_path: Path, line: str) -> None:
    novel = f"One\n\n{line}\n\nTwo"
    rows: list[Row] = [("Q0", ["One"], "Ben", "[]"), ("Q1", ["Two"], "Ben", "[]")]
    dialogues, _ = read(tmp_path, quotations(rows, novel), novel)
    assert len(dialogues) == 1


def test_two_characters_of_one_name_stay_two(tmp_path: Path) -> None:
    characters = "Character ID,Main Name,Aliases\n3,Ben,['Ben']\n4,Ben Ferris,\"{'Ben', 'B.'}\"\n"
    rows: list[Row] = [("Q1", ["I was counting,"], "Ben", "['B.']")]
    (dialogue,), _ = read(tmp_path, quotations(rows, NOVEL), characters=characters)
    (spoken,) = dialogue.utterances
    assert (spoken.speaker, spoken.addressees) == ("ben-3", ("ben-ferris-4",))


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("I don t, we ll, you ve, I m, it s, they re, she d.", None),
        ("They're _not_\n  here.", "They're not here."),
        ("It is I d'Artagnan s-sir.", "It is I d'Artagnan s-sir."),
        ("A t-shirt and a sixth sense.", "A t-shirt and a sixth sense."),
    ],
)
def test_texts_are_plain(tmp_path: Path, said: str, text: str | None) -> None:
    (dialogue,), _ = read(tmp_path, quotations([("Q0", [said], "Ben", "[]")], said), said)
    expected = text or "I don't, we'll, you've, I'm, it's, they're, she'd."
    assert dialogue.utterances[0].text == expected


def test_broken_records_are_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    table = """\
quoteID,quoteText,quoteByteSpans,speaker,addressees
Q0,_ _,"[[0, 3]]",Ben,[]
Q1,Who?,"[[4, 7]]",,[]
Q2,Here.,[],Ben,[]
Q3,There.,"[[20, 25]]",Ben,"['Anna"
Q4,There.,"[[20, 25]]",Ben,Anna
Q5,There.,"[[20, 25]]",Ben,"[1, 2]"
Q6,There.
,Gone.,"[[30, 35]]",Ben,[]
"""
    characters = "Character ID,Main Name,Aliases\n0,Anna,{'A\n1,,[]\n2,Ben,[]\n"
    dialogues, rejects = read(tmp_path, table, characters=characters)
    (spoken,) = dialogues[0].utterances
    assert (spoken.text, spoken.position, spoken.speaker) == ("Gone.", "line 9", "ben-2")
    assert rejects == [
        ("character_info.csv, line 2", "the aliases of Anna are no list of names"),
        ("character_info.csv, line 3", "a character without a name"),
        ("Q0", "a quotation without text"),
        ("Q1", "a quotation without a speaker"),
        ("Q2", "quoteByteSpans has no place in the novel: []"),
        ("Q3", "the addressees are no list of names: ['Anna"),
        ("Q4", "the addressees are no list of names: Anna"),
        ("Q5", "the addressees are no list of names: [1, 2]"),
        ("Q6", "a quotation without a speaker"),
    ]


@pytest.mark.parametrize("name", ["novel_text.txt", "character_info.csv"])
def test_a_missing_companion_is_named(tmp_path: Path, name: str) -> None:
    read(tmp_path, quotations(ROWS, NOVEL))
    (tmp_path / name).unlink()
    path = tmp_path / "quotation_info.csv"
    with pytest.raises(UserError) as error:
        list(PdncReader().read(path, lambda where, why: None))
    assert str(error.value) == f"{path} expected {name} beside it. Add that file"


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, "quoteID,quoteText,speaker\n")
    assert str(error.value) == (
        f"{tmp_path / 'quotation_info.csv'} expected the columns quoteID, quoteText, "
        "quoteByteSpans, speaker, addressees; missing: addressees, quoteByteSpans"
    )


def test_a_broken_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="after line 1: this is no table in CSV: field larger"):
        read(tmp_path, quotations(ROWS[:0], NOVEL) + "x" * 200_000)


@pytest.mark.parametrize(
    ("folder", "work"),
    [
        ("AHandfulOfDust", "A Handful Of Dust"),
        ("HardTimes", "Hard Times"),
        ("my novel", "my novel"),
    ],
)
def test_the_work_is_the_folder(tmp_path: Path, folder: str, work: str) -> None:
    (dialogue, *_), _ = read(tmp_path / folder, quotations(ROWS, NOVEL))
    assert (dialogue.id, dialogue.work) == (f"{folder}/001", work)


@pytest.mark.parametrize(
    ("name", "head", "accepted"),
    [
        ("a/quotation_info.csv", '"quoteID","quoteText"', True),
        ("a/quotation_info.csv", "name,text", False),
        ("a/character_info.csv", "quoteID,quoteText", False),
    ],
)
def test_accepts_and_companions(name: str, head: str, accepted: bool) -> None:
    assert PdncReader().accepts(Path(name), head) is accepted
    assert PdncReader().companions(Path("a/quotation_info.csv")) == (
        Path("a/character_info.csv"),
        Path("a/novel_text.txt"),
    )


@FUZZ
@given(*(broken(text.encode()) for text in (quotations(ROWS, NOVEL), NOVEL, CHARACTERS)))
def test_no_file_crashes_it(table: bytes, novel: bytes, characters: bytes) -> None:
    files = {"novel_text.txt": novel, "character_info.csv": characters}
    check_survives(PdncReader(), "quotation_info.csv", {"quotation_info.csv": table} | files)
