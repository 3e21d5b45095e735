"""Tables with a speech a row."""

from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from lightning_dpg.config import Columns
from lightning_dpg.corpus.readers.table import TableReader, read_dataset
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue

CSV = """\
work,scene,speaker,text,listener
The Ferry,1,Anna,"You are late, again.",Ben
The Ferry,1,Ben,I was counting
The Ferry,2,ALL,Cast off!,
The Mill,1,,Who said that?,,one too many
The Ferry,1,Anna,,Ben
The Ferry,1,Anna,Count on the water.,Ben
"""


def read(path: Path, columns: Columns | None = None) -> tuple[list[Dialogue], list[str]]:
    rejected: list[str] = []
    found = TableReader(columns).read(path, lambda at, why: rejected.append(f"{at}: {why}"))
    return list(found), rejected


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "plays.csv"
    path.write_text(CSV, encoding="utf-8-sig")
    return path


def test_rows_of_one_scene_make_a_dialogue_in_their_order(table: Path) -> None:
    dialogues, rejected = read(table)
    assert [(d.id, d.work, d.scene, d.language, d.source) for d in dialogues] == [
        ("plays/0-the-ferry/001", "The Ferry", "1", "en", "plays.csv"),
        ("plays/0-the-ferry/002", "The Ferry", "2", "en", "plays.csv"),
        ("plays/1-the-mill/003", "The Mill", "1", "en", "plays.csv"),
    ]
    first, second, last = dialogues[0].utterances
    assert (first.speaker, first.name, first.text) == ("anna", "Anna", "You are late, again.")
    assert (first.addressees, first.position) == (("ben",), "row 1")
    assert (second.text, second.addressees) == ("I was counting", ())
    assert (last.text, last.position) == ("Count on the water.", "row 6")
    assert rejected == ["row 5: no text"]


def test_groups_and_nobody_are_no_characters(table: Path) -> None:
    dialogues, _ = read(table)
    (everybody,), (nobody,) = (d.utterances for d in dialogues[1:])
    assert everybody.collective and everybody.name == "ALL"
    assert (nobody.speaker, nobody.name, nobody.collective) == ("", "", False)


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "talk.tsv"
    path.write_text("a\tb\tlang\nhello there\tAnna\tde-AT\n", encoding="utf-8")
    (dialogue,), _ = read(path, Columns(text="a", speaker="b"))
    assert (dialogue.utterances[0].text, dialogue.work, dialogue.language) == (
        "hello there",
        "talk",
        "de",
    )
    with pytest.raises(UserError, match=r"talk.tsv has no column that looks like the text of a"):
        read(path)
    with pytest.raises(UserError, match=r"has no column 'c' \(data.columns.work\); it has a, b"):
        read(path, Columns(text="a", speaker="b", work="c"))


def test_parquet_holds_what_csv_holds(table: Path, tmp_path: Path) -> None:
    columns = {
        "conversation_id": [7, 7, None],
        "speaker": ["Anna", "Ben", "Anna"],
        "utterance": ["You are late.", None, "Go home."],
        "said": [datetime.datetime(2020, 1, 1)] * 3,
    }
    path = tmp_path / "talk.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    dialogues, rejected = read(path)
    assert [(d.scene, [u.text for u in d.utterances]) for d in dialogues] == [
        ("7", ["You are late."]),
        ("", ["Go home."]),
    ]
    assert rejected == ["row 2: no text"]


def test_a_dataset_of_the_library_is_read_with_all_its_splits(table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for split in ("train", "test"):
        (folder / f"{split}.csv").write_text(f"speaker,text\nAnna,This is {split}.\n")
    dialogues = list(read_dataset(str(folder), Columns(), lambda at, why: None))
    assert [(d.id, d.utterances[0].text) for d in dialogues] == [
        ("set-train/001", "This is train."),
        ("set-test/001", "This is test."),
    ]
    with pytest.raises(UserError, match=r"The dataset .* could not be loaded: "):
        list(read_dataset(str(tmp_path / "absent"), Columns(), lambda at, why: None))


def test_what_is_no_table_is_one_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 but no more")
    with pytest.raises(UserError, match=r"broken.parquet expected a table in Parquet"):
        read(broken)
    empty = tmp_path / "empty.csv"
    empty.write_text("speaker,text\n")
    with pytest.raises(UserError, match=r"empty.csv expected a table with a speech a row"):
        read(empty)
