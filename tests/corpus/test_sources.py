"""From files and folders to dialogues, characters and what was left out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lightning_dpg.config import Columns
from lightning_dpg.corpus.readers.registry import ENDINGS
from lightning_dpg.corpus.sources import (
    Rejected,
    character_id,
    is_bundled,
    read_sources,
    source_files,
)
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
    names = [source.name for source in source_files([str(folder)])]
    assert names == ["a.txt", "below/deep.txt", "play.txt", "zoo.txt"]
    bundled = [source.path for source in source_files(["bundled"])]
    assert len(bundled) > 3 and bundled == sorted(bundled)


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


def test_a_work_of_the_bundled_corpus_is_a_source_of_its_own() -> None:
    whole = [source.path for source in source_files(["bundled"])]
    (one,) = source_files(["bundled/saltmarsh"])
    assert one.path in whole and one.name == "saltmarsh.fountain"
    two = source_files(["bundled/night_shift", "bundled/saltmarsh"])
    assert [source.name for source in two] == ["night_shift.txt", "saltmarsh.fountain"]
    twice = [source.path for source in source_files(["bundled", "bundled/saltmarsh"])]
    assert sorted(twice) == whole
    assert [source.path for source in source_files(["bundled/"])] == whole
    assert {f"bundled/{path.stem}" for path in whole} == {
        given for path in whole if is_bundled(given := f"bundled/{path.stem}")
    }
    found = read_sources(["fountain:bundled/saltmarsh"], ["en"])
    assert "saltmarsh/mara" in found.characters
    assert found.characters["saltmarsh/mara"].description


@pytest.mark.parametrize("name", ["saltmarch", "saltmarsh.fountain", "saltmarsh.characters", "."])
def test_a_work_that_the_bundled_corpus_has_not_is_named(name: str) -> None:
    message = refusal(f"bundled/{name}")
    assert message.startswith(f"The bundled corpus holds no '{name}' (data.sources): its works are")
    assert "bundled/after_hours, bundled/high_station," in message
    assert "characters" not in message.partition("works are")[2]


@pytest.mark.parametrize(
    ("given", "bundled"),
    [
        ("bundled", True),
        ("bundled/saltmarsh", True),
        ("fountain:bundled", True),
        ("transcript:bundled/night_shift", True),
        ("bundled.txt", False),
        ("my/bundled", False),
        ("datasets:bundled", False),
    ],
)
def test_what_is_bundled_is_told_by_its_name(given: str, bundled: bool) -> None:
    assert is_bundled(given) is bundled


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
        f"names end in {', '.join(ENDINGS)}"
    )


def test_no_dialogue_in_the_language_lists_those_found(folder: Path) -> None:
    (folder / "teahouse.txt").write_text(CHINESE, encoding="utf-8")
    message = refusal(folder, languages=("de", "fr"))
    assert "No dialogue in de, fr (data.languages)" in message
    assert message.endswith("languages found: en, zh")


CORNELL = {
    "movie_conversations.txt": "u0 +++$+++ u1 +++$+++ m0 +++$+++ ['L1', 'L2']\n",
    "movie_lines.txt": (
        "L2 +++$+++ u1 +++$+++ m0 +++$+++ BO +++$+++ Then let it wait.\n"
        "L1 +++$+++ u0 +++$+++ m0 +++$+++ ANN +++$+++ The post is late.\n"
    ),
}
CONVOKIT = {
    "utterances.jsonl": '{"id": "1", "conversation_id": "1", "speaker": "ann", "text": "Late."}\n',
    "speakers.json": "{}",
}
CHAT = {"chat.jsonl": '{"messages": [{"role": "user", "name": "Ann", "content": "Late again."}]}\n'}


@pytest.mark.parametrize("files", [CORNELL, CONVOKIT, CHAT], ids=["cornell", "convokit", "chat"])
def test_corpora_of_several_files_are_read_from_their_folder(
    tmp_path: Path, files: dict[str, str]
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    found = read_sources([str(folder)], [])
    alone = read_sources([str(folder / next(iter(files)))], [])
    assert found.dialogues == alone.dialogues and found.dialogues
    assert set(found.hashes) == set(alone.hashes) == set(files)
    assert not found.rejected


def test_a_table_beside_others_is_read_by_its_columns(folder: Path) -> None:
    (folder / "talk.csv").write_text("line,who\nLate again.,Ann\n", encoding="utf-8")
    columns = Columns(text="line", speaker="who")
    assert "talk/ann" in read_sources([str(folder)], [], columns).characters
    without = read_sources([str(folder)], [])  # found in a folder, it is left out and listed
    assert [r.file for r in without.rejected] == ["talk.csv"]
    with pytest.raises(UserError, match="no column that looks like the speaker"):
        read_sources([str(folder / "talk.csv")], [])


def test_a_named_format_reads_what_it_is_given(folder: Path) -> None:
    script = folder / "script.txt"
    script.write_text("INT. ROOM\n\nANN\nThe post is late.\n", encoding="utf-8")
    (dialogue,) = read_sources([f"fountain:{script}"], []).dialogues
    assert dialogue.scene == "INT. ROOM"
    assert [s.name for s in source_files([f"transcript:{folder}"])] == ["play.txt", "script.txt"]


def test_one_file_given_twice_is_read_once(folder: Path) -> None:
    twice = read_sources([str(folder), str(folder / "play.txt")], [])
    assert twice.dialogues == read_sources([str(folder)], []).dialogues


def test_a_dataset_is_a_source(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "train.csv").write_text("speaker,text\nAnn,The post is late.\n", encoding="utf-8")
    found = read_sources([f"datasets:{folder}"], [])
    assert set(found.characters) == {"set/ann"} and list(found.hashes) == [str(folder)]


def test_what_was_read_has_a_hash_of_its_own(folder: Path) -> None:
    before = read_sources([str(folder)], []).content
    assert read_sources([str(folder)], []).content == before
    note(folder, "BO:\n  description: A postman.\n")
    assert read_sources([str(folder)], []).content != before


def test_other_names_and_notes_about_nobody(folder: Path) -> None:
    note(folder, "The Postman:\n  description: Late.\n  aliases: [BO]\nCARL:\n  description: x\n")
    found = read_sources([str(folder)], [])
    assert found.characters["play/the-postman"].name == "The Postman"
    assert found.characters["play/the-postman"].description == "Late."
    (rejected,) = found.rejected
    assert (rejected.file, rejected.position) == ("play.characters.yaml", "CARL")


def test_a_note_under_a_first_name_goes_to_the_full_name(folder: Path) -> None:
    (folder / "play.txt").write_text("BO: Late.\nBo Carter: Late again.\n", encoding="utf-8")
    note(folder, "BO:\n  description: A postman.\n")
    found = read_sources([str(folder)], [])
    assert {c.name: c.description for c in found.characters.values()} == {"Bo Carter": "A postman."}
    assert not found.rejected


def test_where_nobody_is_named_nobody_can_be_learned(folder: Path) -> None:
    (folder / "film.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nLate again.\n")
    with pytest.raises(UserError, match=r"Nobody who speaks in .* is named"):
        read_sources([str(folder / "film.srt")], [])
