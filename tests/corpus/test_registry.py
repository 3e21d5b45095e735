"""Which reader a file gets, the errors on the way, and the names of speakers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_dpg.corpus.readers.registry import READERS, read_file, reader_of
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.errors import UserError

FORMATS = (
    "fountain (.fountain, .spmd), finaldraft (.fdx), tei (.xml, .tei), subtitles (.srt, .vtt), "
    "cornell (.txt), novel-labels (_speaker_labels.txt), pdnc (quotation_info.csv), "
    "convokit (.jsonl, .json), chat (.jsonl, .json), table (.csv, .tsv, .parquet), "
    "transcript (.txt)"
)
TEI = (
    '<?xml version="1.0" encoding="{}"?>'
    '<TEI><text><body><sp who="#é"><p>Oui</p></sp></body></text></TEI>'
)


def ignore(position: str, reason: str) -> None:
    """Take a rejection that the test says nothing about."""


def failure(path: Path, format: str | None = None) -> str:
    with pytest.raises(UserError) as error:
        read_file(path, ignore, reader_of(path, format))
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.fountain", "INT. ROOM\n\nANNA\nHello.\n"),
        ("a.txt", "ANNA: Hello.\n"),
        ("a.xml", '<TEI><text><body><sp who="#anna"><p>Hello.</p></sp></body></text></TEI>'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_format_is_found(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    (dialogue,) = read_file(path, ignore)
    (spoken,) = dialogue.utterances
    assert (dialogue.id, dialogue.source, spoken.speaker, spoken.text) == (
        "a/001",
        name,
        "anna",
        "Hello.",
    )


def test_a_named_format_goes_before_the_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("INT. ROOM\n\nANNA\nHello.\n")
    (dialogue,) = read_file(path, ignore, reader_of(path, "fountain"))
    assert dialogue.scene == "INT. ROOM"


def test_xml_may_declare_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(TEI.format("ISO-8859-1"), encoding="latin-1")
    assert read_file(path, ignore)[0].utterances[0].speaker == "é"


def test_an_unknown_format(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("ANNA: Hello.\n")
    assert failure(path, "docx") == f"Unknown format 'docx'. Formats: {FORMATS}"


def test_a_file_that_no_reader_accepts(tmp_path: Path) -> None:
    path = tmp_path / "novel.txt"
    path.write_text("It was late.\nThe lamp was out.\n")
    assert failure(path) == (
        f"No reader accepts {path} by its name and its first lines. Convert it to one of: {FORMATS}"
    )


def test_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    expected = f"{path} expected a readable file, got: No such file or directory. Check the path"
    assert failure(path) == expected
    assert failure(path, "transcript") == expected
    assert failure(tmp_path) == (
        f"{tmp_path} expected a readable file, got: Is a directory. Check the path"
    )


def test_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("小满：停了！\n", encoding="gb18030")
    start = f"{path} expected text in UTF-8, got another encoding: "
    assert failure(path) == start + "it does not decode. Convert it first"
    assert failure(path, "transcript") == start + "byte 3 is 0xc2. Convert it first"


def test_another_encoding_beyond_the_head(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"ANNA: Hello.\n" * 1000 + b"\xff")
    assert failure(path) == (
        f"{path} expected text in UTF-8, got another encoding: byte 13001 is 0xff. Convert it first"
    )


def test_names_of_readers_are_unique() -> None:
    assert len({reader.name for reader in READERS}) == len(READERS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DELPHINE", "delphine"),
        ("MRS. O'HARA", "mrs-o-hara"),
        ("  Ben_2 ", "ben-2"),
        ("René", "rené"),
        ("Анна Петровна", "анна-петровна"),
        ("约翰·史密斯", "约翰-史密斯"),
        ("ＡＮＮＡ", "anna"),
        ("हिन्दी", "हिन्दी"),
        ("???", ""),
    ],
)
def test_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


@pytest.mark.parametrize(
    "name",
    (
        "ALL, BOTH, Both Girls, EVERYONE, CROWD, The Crowd, VOICES, VOICES OFF, A VOICE, OTHERS, "
        "ANNA & BEN, Anna and Ben, ANNA/BEN, ???, ?, …, NARRATOR, UNKNOWN MAN, OMNES, Alle, "
        "TODOS, Все, Голоса в зале, 众人, 众丫鬟, 旁白, 大家, 全体村民, 孩子们, 甲、乙"
    ).split(", "),
)
def test_collective(name: str) -> None:
    assert is_collective(name)


@pytest.mark.parametrize(
    "name",
    (
        "ANNA, A, B, THE, Second, MRS. HALL, Voice of Peter, ALLAN, Andy, SANDRA, FIRST LORD, "
        "王众, 小满, 齐明, 许默, Всеволод"
    ).split(", "),
)
def test_a_character(name: str) -> None:
    assert not is_collective(name)
