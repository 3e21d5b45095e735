"""From files and folders to dialogues, characters and what was left out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lightning_dpg.corpus.sources import Rejected, character_id, read_sources, source_files
from lightning_dpg.errors import UserError

PLAY = """\
BO: Good morning, is anybody awake in there?
ANN: Nobody at all, go away.
ALL: Go away!
"""
CHINESE = "《茶馆》\n\n【清晨】\n甲：你来了？\n乙：我来了，外面下雨。\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "play.txt").write_text(PLAY, encoding="utf-8")
    return tmp_path / "house"


def refusal(*sources: Path | str, languages: tuple[str, ...] = ("en",)) -> str:
    with pytest.raises(UserError) as caught:
        read_sources([str(source) for source in sources], languages)
    return str(caught.value)


def note(folder: Path, text: str) -> None:
    (folder / "play.characters.yaml").write_text(text, encoding="utf-8")


def test_a_file_gives_dialogues_and_those_who_speak(folder: Path) -> None:
    sources = read_sources([str(folder / "play.txt")], ["en"])
    (dialogue,) = sources.dialogues
    assert [u.text for u in dialogue.utterances][1:] == ["Nobody at all, go away.", "Go away!"]
    assert set(sources.characters) == {"play/bo", "play/ann"}  # a chorus is no character
    assert sources.characters["play/bo"].name == "BO"
    assert sources.characters["play/bo"].description == ""
    assert sources.characters["play/bo"].poles == ()
    assert character_id(dialogue, "bo") == "play/bo"


def test_a_sidecar_describes_characters_whatever_the_case(folder: Path) -> None:
    poles = (
        "{neuroticism: 1, openness: -1, agreeableness: 0, extraversion: 0, conscientiousness: 1}"
    )
    note(
        folder, f"Bo:\n  description: A postman.\n  poles: {poles}\nZED:\n  description: Absent.\n"
    )
    characters = read_sources([str(folder)], ["en"]).characters
    assert characters["play/bo"].description == "A postman."
    assert characters["play/bo"].poles == (-1, 1, 0, 0, 1)  # in the order of the traits
    assert characters["play/ann"].description == ""
    assert set(characters) == {"play/bo", "play/ann"}


def test_a_sidecar_belongs_to_its_own_file(folder: Path) -> None:
    (folder / "other.txt").write_text(PLAY, encoding="utf-8")
    note(folder, "BO:\n  description: A postman.\n")
    characters = read_sources([str(folder)], ["en"]).characters
    assert characters["play/bo"].description == "A postman."
    assert characters["other/bo"].description == ""


@pytest.mark.parametrize(
    "text",
    [
        "- BO\n- ANN\n",
        "BO: a postman\n",
        "BO: [1, 2]\n",
        "BO: {",
        "BO:\n  poles: {openness: 1}\n",
        "BO:\n  poles: [1, 0, 0, 0, 0]\n",
        "BO:\n  poles: {openness: high, conscientiousness: 0, extraversion: 0,"
        " agreeableness: 0, neuroticism: 0}\n",
    ],
)
def test_a_bad_sidecar_is_named(folder: Path, text: str) -> None:
    note(folder, text)
    message = refusal(folder)
    assert message.startswith(f"{folder / 'play.characters.yaml'} must hold `NAME:` with")


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "BO:\n", "BO:\n  description:\n", "BO:\n  poles:\n"]
)
def test_an_empty_note_is_no_note(folder: Path, text: str) -> None:
    note(folder, text)
    assert read_sources([str(folder)], ["en"]).characters["play/bo"].description == ""


def test_files_come_in_order_and_notes_are_no_sources(folder: Path) -> None:
    (folder / "below").mkdir()
    for name in ("zoo.txt", "a.txt", "below/deep.txt", "README.md", "__init__.py"):
        (folder / name).write_text(PLAY, encoding="utf-8")
    note(folder, "BO:\n  description: A postman.\n")
    names = [str(path.relative_to(folder)) for path in source_files([str(folder)])]
    assert names == ["a.txt", "below/deep.txt", "play.txt", "zoo.txt"]
    assert source_files(["bundled"]) == sorted(source_files(["bundled"]))


def test_every_file_is_hashed(folder: Path) -> None:
    digest = hashlib.sha256(PLAY.encode()).hexdigest()
    assert read_sources([str(folder)], ["en"]).hashes == {"play.txt": digest}


def test_a_sidecar_is_hashed_with_its_file(folder: Path) -> None:
    note(folder, "BO:\n  description: A postman.\n")
    hashes = read_sources([str(folder)], ["en"]).hashes
    assert set(hashes) == {"play.txt", "play.characters.yaml"}


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    other = folder / "below" / "play.txt"
    other.parent.mkdir()
    other.write_text(PLAY, encoding="utf-8")
    message = refusal(folder)
    assert message.startswith(f"{other} and {folder / 'play.txt'} have the same name")


def test_only_the_languages_that_were_asked_for_are_kept(folder: Path) -> None:
    (folder / "teahouse.txt").write_text(CHINESE, encoding="utf-8")
    english, chinese = (read_sources([str(folder)], [code]) for code in ("en", "zh"))
    assert {d.language for d in english.dialogues} == {"en"}
    assert {d.language for d in chinese.dialogues} == {"zh"}
    assert set(chinese.characters) == {"teahouse/甲", "teahouse/乙"}
    assert len(read_sources([str(folder)], ["en", "zh"]).dialogues) == 2


def test_what_is_left_out_is_kept_with_its_reason(folder: Path) -> None:
    path = folder / "play.txt"
    path.write_text("A line that nobody says.\n" + PLAY + "BO:\n", encoding="utf-8")
    rejected = read_sources([str(folder)], ["en"]).rejected
    assert rejected
    assert all(isinstance(r, Rejected) and r.file == "play.txt" and r.reason for r in rejected)
    assert rejected[0].position == "line 1"


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nowhere")
    assert f"The source '{tmp_path / 'nowhere'}' is neither a file nor a folder" in message
    assert "data.sources" in message


def test_an_empty_folder_is_named(folder: Path) -> None:
    empty = folder / "empty"
    empty.mkdir()
    note(empty, "BO:\n  description: A postman.\n")
    assert refusal(empty) == (
        f"The folder '{empty}' holds no file to read (data.sources): "
        "names end in .fountain, .spmd, .tei, .txt, .xml"
    )


def test_no_dialogue_in_the_language_lists_those_found(folder: Path) -> None:
    (folder / "teahouse.txt").write_text(CHINESE, encoding="utf-8")
    message = refusal(folder, languages=("de", "fr"))
    assert "No dialogue in de, fr (data.languages)" in message
    assert message.endswith("languages found: en, zh")
