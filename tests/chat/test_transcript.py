"""Transcripts: read again as they were, by this package's corpus reader too."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lightning_dpg.chat import transcript as module
from lightning_dpg.chat.conversation import Conversation
from lightning_dpg.chat.transcript import (
    FORMAT,
    KEY,
    Transcript,
    dump,
    new_path,
    read_transcript,
)
from lightning_dpg.corpus.readers.registry import read_file, reader_of
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile
from tests.chat.conftest import CAPTAIN, mara


@pytest.fixture
def long(conversation: Conversation) -> Conversation:
    """Two conversations, three personas, a reply that was stopped, and one that is to come."""
    talk = conversation.hear("Hello").answer('He said "hm"\\.').reset()
    talk = replace(talk, blend=mara(CAPTAIN, weight=0.5, strength=1.5), temperature=0.0)
    talk = (
        replace(talk, checkpoint="runs/é.ckpt")
        .hear("你好")
        .answer("再见 \u2028 \x1b[31m", stopped=True)
        .hear("Why?")
    )
    return talk.voiced(profile=Profile((0.1, 0.0, 0.0, 0.0, 0.0)), name="Old Mara")


def test_what_is_written_is_read(long: Conversation, tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(dump(long), encoding="utf-8")
    assert read_transcript(path) == long


def test_a_person_finds_a_turn_on_a_line(long: Conversation) -> None:
    lines = dump(long).splitlines()
    assert [line for line in lines if "你好" in line] == ['  {"role": "user", "content": "你好"},']
    said = next(json.loads(line) for line in lines if "hm" in line)
    assert (said["name"], said["seed"], said["temperature"]) == ("Mara", 3, 0.5)
    assert said["persona"] == {
        "strength": 1.0,
        "parts": [{"ocean": [4, -2, 3, 0, -4], "character": "A cook.", "weight": 1.0}],
    }


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_a_chat_becomes_corpus(long: Conversation, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"chat{ending}"
    wordy = long.voiced(description="A cook. " * 1000)  # the reader looks at a file's beginning
    path.write_text(dump(wordy), encoding="utf-8")
    rejects: list[str] = []
    assert reader_of(path).name == "chat"
    first, second = read_file(path, lambda where, why: rejects.append(why))
    assert [(u.speaker, u.text) for u in first.utterances] == [
        ("", "Hello"),
        ("mara", 'He said "hm"\\.'),
    ]
    assert [u.name for u in second.utterances] == ["user", "Mara", "user"]
    assert (first.language, second.language, rejects) == ("en", "zh", [])


def test_it_is_written_when_something_was_said(
    conversation: Conversation, transcript: Transcript
) -> None:
    transcript.write(conversation)
    assert not transcript.begun and not transcript.path.exists()
    transcript.write(conversation.hear("Hello"))
    assert transcript.begun and read_transcript(transcript.path) == conversation.hear("Hello")
    transcript.write(conversation)  # taken back
    assert read_transcript(transcript.path).turns == ()
    assert [path.name for path in transcript.path.parent.iterdir()] == ["mara.json"]


def test_copies_do_not_overwrite_what_is_not_theirs(
    conversation: Conversation, transcript: Transcript, tmp_path: Path
) -> None:
    other, copy = tmp_path / "thesis.json", tmp_path / "copy.json"
    other.write_text("years of work", encoding="utf-8")
    with pytest.raises(UserError, match="there already"):
        transcript.copy(conversation, other)
    transcript.copy(conversation, copy)
    transcript.copy(conversation.hear("Hello"), copy)
    assert other.read_text(encoding="utf-8") == "years of work"
    assert read_transcript(copy) == conversation.hear("Hello")
    with pytest.raises(UserError, match="cannot be written"):
        transcript.copy(conversation, other / "below a file")


GOOD = {"role": "user", "content": "Hello"}
NEXT = {
    "name": "Mara",
    "persona": {"strength": 1, "parts": [{"ocean": [0] * 5, "character": "", "weight": 1}]},
    "seed": 0,
    "temperature": 0.8,
    "checkpoint": "model.ckpt",
}


def content(**changes: object) -> str:
    talk = {KEY: FORMAT, "messages": [GOOD], "next": NEXT, **changes}
    return json.dumps([{key: value for key, value in talk.items() if value is not None}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no transcript"),
        ("{", "no transcript"),
        ("[]", "no transcript"),
        ("7", "no transcript"),
        ("[7]", "no transcript"),
        ("[" * 100_000, "no transcript"),
        ('[{"messages": []}]', f"lacks the entry '{KEY}'"),
        (content(next=None), "lacks the entry 'next'"),
        (content(messages=[{"role": "user"}]), "lacks the entry 'content'"),
        (content(messages=[{"role": "user", "content": 7}]), "expected text"),
        (content(messages=[GOOD | {"role": "assistant"}]), "lacks the entry 'name'"),
        (content(next=NEXT | {"seed": -1}), "A seed must be"),
        (content(next=NEXT | {"temperature": None}), "no transcript"),
        (content(**{KEY: FORMAT + 1}), "install a newer"),
        (content()[:-9], "no transcript"),
    ],
)
def test_what_is_no_transcript_is_said(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "chat.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_transcript(path)
    assert message in str(error.value)


def test_the_good_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(content(), encoding="utf-8")
    assert read_transcript(path).context == (("Someone", "Hello"),)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        read_transcript(tmp_path / "none.json")
    with pytest.raises(UserError, match="cannot be read"):
        read_transcript(tmp_path)
    (tmp_path / "odd.json").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="UTF-8"):
        read_transcript(tmp_path / "odd.json")


def test_a_new_transcript_overwrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = new_path(None)
    assert path.parent == module.CHATS and path.suffix == ".json" and not path.parent.exists()
    given = tmp_path / "far" / "chat.json"
    assert new_path(given) == given
    given.parent.mkdir()
    given.touch()
    with pytest.raises(UserError, match="--resume"):
        new_path(given)
    with pytest.raises(UserError, match="takes no files"):
        new_path(given / "below" / "a file.json")


def test_of_two_with_one_name_the_second_is_refused(long: Conversation, tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    first, second = Transcript(path), Transcript(path)
    first.write(long)
    with pytest.raises(UserError, match="there already"):
        second.write(replace(long, seed=99))
    first.write(replace(long, seed=98))
    assert read_transcript(path).seed == 98
    Transcript(path, new=False).write(replace(long, seed=97))
    assert read_transcript(path).seed == 97
