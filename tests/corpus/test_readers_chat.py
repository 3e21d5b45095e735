"""The chat reader: both formats, one object a line or an array, and all that is no speech."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_dpg.corpus.readers.chat import ChatReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance
from tests.corpus.fuzz import FUZZ, broken, check_survives, json_values

Rejects = list[tuple[str, str]]

SHARE_GPT = {
    "id": "x",
    "conversations": [
        {"from": "system", "value": "A kitchen,\nat night."},
        {"from": "human", "value": "Is the  kettle\non?"},
        {"from": "gpt", "value": "It is on."},
        {"from": "Anna Lee", "value": "It is not \ud83d on."},
    ],
}
CHAT_ML = {
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "name": "Ben_2", "content": "Who is there?"},
        {
            "role": "assistant",
            "name": "The Crowd",
            "content": [
                {"type": "text", "text": "All"},
                {"type": "image_url", "image_url": {"url": "http://x.org"}, "text": "no"},
                {"type": "output_text", "text": "of"},
                "us.",
            ],
        },
    ]
}
SHORT = {"messages": [{"role": "user", "content": "Hello."}]}


def write(tmp_path: Path, *lines: Any, name: str = "chats.jsonl") -> Path:
    """A file with these lines; what is no text becomes JSON."""
    path = tmp_path / name
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> tuple[list[Dialogue], Rejects]:
    rejects: Rejects = []
    found = ChatReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def turns(*found: Any) -> dict[str, Any]:
    return {"messages": list(found)}


def test_a_whole_file(tmp_path: Path) -> None:
    dialogues, rejects = read(write(tmp_path, SHARE_GPT, "", CHAT_ML))
    kitchen = (
        Utterance("", "human", "Is the kettle on?", ("A kitchen, at night.",), "line 1, turn 2"),
        Utterance("", "gpt", "It is on.", (), "line 1, turn 3"),
        Utterance("anna-lee", "Anna Lee", "It is not on.", (), "line 1, turn 4"),
    )
    door = (
        Utterance("ben-2", "Ben_2", "Who is there?", ("Be brief.", "Be kind."), "line 3, turn 3"),
        Utterance("the-crowd", "The Crowd", "All of us.", (), "line 3, turn 4", True),
    )
    assert dialogues == [
        Dialogue("chats/001", "chats", "", "en", "chats.jsonl", kitchen),
        Dialogue("chats/002", "chats", "", "en", "chats.jsonl", door),
    ]
    assert rejects == []


@pytest.mark.parametrize(
    "turn",
    [
        *({"role": role, "content": "Hello."} for role in "user Human MODEL bot chatgpt".split()),
        {"role": "Anna", "name": "assistant", "content": "Hello."},
        {"role": "user", "name": 5, "content": "Hello."},
        {"role": "user", "name": " ", "content": "Hello."},
    ],
)
def test_a_role_is_no_character(tmp_path: Path, turn: dict[str, Any]) -> None:
    (dialogue,), rejects = read(write(tmp_path, turns(turn)))
    (spoken,) = dialogue.utterances
    assert (spoken.speaker, spoken.collective, rejects) == ("", False, [])
    assert spoken.name


@pytest.mark.parametrize(("indent", "odd"), [(None, ""), (0, "5,"), (2, "  5,")])
@pytest.mark.parametrize("name", ["chats.json", "chats.jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_an_array_of_chats(
    tmp_path: Path, indent: int | None, odd: str, name: str, encoding: str
) -> None:
    text = json.dumps([SHARE_GPT, 5, CHAT_ML], indent=indent)
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    dialogues, rejects = read(path)
    assert [len(dialogue.utterances) for dialogue in dialogues] == [3, 2]
    line, next_line = (text.split("\n").index(odd) + 1, 1) if odd else (1, 0)
    assert rejects == [(f"line {line}, record 2", "expected a JSON object, got int")]
    where = dialogues[1].utterances[0].position
    assert where == f"line {line + next_line}, record 3, turn 3"


def test_a_json_may_hold_one_chat_or_one_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, json.dumps(SHARE_GPT, indent=2), name="one.json")
    (dialogue,), rejects = read(path)
    assert (dialogue.utterances[0].position, rejects) == ("line 1, record 1, turn 2", [])
    dialogues, rejects = read(write(tmp_path, SHARE_GPT, "{", CHAT_ML, name="lines.json"))
    assert len(dialogues) == 2
    assert [where for where, _ in rejects] == ["line 2"]


@pytest.mark.parametrize("opening", ["[\n", "["])
@pytest.mark.parametrize("margin", ["", "  "])
def test_an_array_goes_on_after_a_broken_chat(tmp_path: Path, opening: str, margin: str) -> None:
    broken_chat = '{"messages": [\n      {"role": "user", "content": }\n    ]\n  }'
    chats = [json.dumps(SHORT), broken_chat, json.dumps(SHORT)]
    indent = margin if opening == "[\n" else ""
    text = opening + ",\n".join(indent + chat for chat in chats) + "\n]\n"
    dialogues, rejects = read(write(tmp_path, text, name="chats.json"))
    line = 1 + len(opening)
    assert rejects == [(f"line {line}, record 2", "broken JSON: Expecting value")]
    assert [d.utterances[0].position for d in dialogues] == [
        f"line {line - 1}, record 1, turn 1",
        f"line {line + 4}, record 3, turn 1",
    ]


def test_an_array_that_is_cut_off(tmp_path: Path) -> None:
    text = json.dumps([SHORT, SHORT, SHORT])[:-20]
    dialogues, rejects = read(write(tmp_path, text))
    assert len(dialogues) == 2
    assert [where for where, _ in rejects] == ["line 1, record 3"]


def test_broken_records_are_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad = [
        ('{"messages": [', "broken JSON: Expecting value"),
        ('{"messages": ' + "9" * 5000 + "}", "broken JSON: Exceeds the limit"),
        ("null", "expected a JSON object, got NoneType"),
        ({"text": "Hello."}, "expected a list `conversations` or `messages`, got neither"),
        ({"messages": {}}, "expected a list `conversations` or `messages`, got neither"),
        (SHORT, ""),
    ]
    dialogues, rejects = read(write(tmp_path, SHORT, *(line for line, _ in bad)))
    assert [d.utterances[0].position for d in dialogues] == ["line 1, turn 1", "line 7, turn 1"]
    assert [where for where, _ in rejects] == [f"line {number}" for number in range(2, 7)]
    for (_, why), (_, expected) in zip(rejects, bad, strict=False):
        assert why.startswith(expected)


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ("Hello.", "expected a turn with `from` and `value` or `role` and `content`"),
        ({"content": "Hello."}, "a turn without `from` or `role`"),
        ({"role": 5, "content": "Hello."}, "a turn without `from` or `role`"),
        ({"role": "user"}, "the turn of user has no text"),
        ({"role": "user", "content": " \n"}, "the turn of user has no text"),
        ({"role": "user", "content": 5}, "the turn of user has no text"),
        ({"role": "user", "content": None}, "the turn of user has no text"),
        ({"role": "user", "content": [{"type": "image_url"}]}, "the turn of user has no text"),
        ({"from": "gpt", "value": [{"type": "text"}]}, "the turn of gpt has no text"),
        *(
            ({"role": role, "content": "4"}, f"a turn of a tool ({role}), which nobody speaks")
            for role in ("tool", "Function", "function_call", "observation", "tool-response")
        ),
    ],
)
def test_turns_that_nobody_speaks(tmp_path: Path, turn: Any, reason: str) -> None:
    before, after = SHORT["messages"][0], {"role": "gpt", "content": "Bye."}
    (dialogue,), rejects = read(write(tmp_path, turns(before, turn, after)))
    assert [spoken.text for spoken in dialogue.utterances] == ["Hello.", "Bye."]
    assert rejects == [("line 1, turn 2", reason)]


def test_a_direction_needs_a_speech(tmp_path: Path) -> None:
    direction = {"role": "system", "content": "Be kind."}
    dialogues, rejects = read(
        write(tmp_path, turns(direction), turns(*SHORT["messages"], direction))
    )
    assert [dialogue.id for dialogue in dialogues] == ["chats/002"]
    assert dialogues[0].utterances[0].directions == ()
    reason = "a direction with no speech after it"
    assert rejects == [("line 1, turn 1", reason), ("line 2, turn 2", reason)]


@pytest.mark.parametrize(
    ("fields", "language"),
    [
        ({}, "en"),
        ({"language": "fr"}, "fr"),
        ({"lang": "en-GB"}, "en"),
        ({"language": "ZH_cn"}, "zh"),
        ({"language": "Portuguese"}, "pt"),
        ({"language": "Klingon"}, "und"),
        ({"language": None, "lang": "de"}, "de"),
        ({"language": ["fr"]}, "en"),
    ],
)
def test_the_language_is_what_the_record_says(
    tmp_path: Path, fields: dict[str, Any], language: str
) -> None:
    assert read(write(tmp_path, SHORT | fields))[0][0].language == language


def test_else_the_language_is_that_of_the_script(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "停了！"}, {"role": "gpt", "content": "里面还泡着床单。OK"}]
    assert read(write(tmp_path, turns(*said)))[0][0].language == "zh"


def test_lines_are_read_one_by_one(tmp_path: Path) -> None:
    path = write(tmp_path, *[SHORT] * 100)
    path.write_bytes(path.read_bytes() + b"\xff\n")
    rejects: Rejects = []
    found = ChatReader().read(path, lambda where, why: rejects.append((where, why)))
    assert next(found).id == "chats/001"  # the last line would be an error
    with pytest.raises(UserError) as error:
        list(found)
    assert str(error.value).startswith(f"{path}, line 101 expected text in UTF-8")


def test_another_encoding_of_an_array(tmp_path: Path) -> None:
    path = tmp_path / "chats.json"
    path.write_bytes(b'[\n{"messages": [{"role": "user", "content": "\xe9"}]}\n]')
    with pytest.raises(UnicodeDecodeError):
        read(path)


@pytest.mark.parametrize("text", ["", "\n", "[]", "[\n]", "{}x", "{", "5"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_nothing_to_read(tmp_path: Path, text: str, name: str) -> None:
    dialogues, rejects = read(write(tmp_path, text, name=name))
    assert dialogues == []
    assert bool(rejects) is bool(text.strip("[\n]"))


@pytest.mark.parametrize(
    ("name", "head", "accepted"),
    [
        ("a.jsonl", json.dumps(SHARE_GPT), True),
        ("a.JSON", json.dumps([CHAT_ML], indent=2), True),
        ("a.jsonl", "broken\n" + json.dumps(SHORT), True),
        ("a.jsonl", '{"messages": 5}', False),
        ("a.jsonl", '{"text": "messages"}', False),
        ("a.txt", json.dumps(SHORT), False),
    ],
)
def test_accepts(name: str, head: str, accepted: bool) -> None:
    assert ChatReader().accepts(Path(name), head) is accepted


def any_chats() -> st.SearchStrategy[bytes]:
    """Chats whose turns may be anything at all, or be valid, or lack fields; lines or an array."""
    texts = st.sampled_from(["Hello.", "你好。", "\ud83d"]) | json_values()
    roles = st.sampled_from(["user", "gpt", "system", "tool", "Anna"]) | json_values()
    parts = st.lists(st.fixed_dictionaries({"type": st.just("text") | texts, "text": texts}))
    fields = {"role": roles, "from": roles, "content": parts | texts, "value": texts, "name": texts}
    found = st.lists(st.fixed_dictionaries({}, optional=fields) | json_values(), max_size=5)
    optional = {"messages": found, "conversations": found | json_values(), "language": texts}
    chats = st.lists(st.fixed_dictionaries({}, optional=optional) | json_values(), max_size=4)
    lines = chats.map(lambda rows: "\n".join(map(json.dumps, rows)))
    return (lines | chats.map(json.dumps) | chats.map(lambda c: json.dumps(c, indent=2))).map(
        str.encode
    )


@FUZZ
@given(
    st.sampled_from(["chats.json", "chats.jsonl"]),
    broken(f"{json.dumps(SHARE_GPT)}\n{json.dumps(CHAT_ML)}\n".encode())
    | broken(json.dumps([SHARE_GPT, CHAT_ML], indent=2).encode())
    | any_chats(),
)
def test_no_broken_chat_crashes_the_reader(name: str, raw: bytes) -> None:
    check_survives(ChatReader(), name, {name: raw})
