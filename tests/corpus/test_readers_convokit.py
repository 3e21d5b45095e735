"""The ConvoKit reader: whole corpora, their order, and every way in which they can be broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_dpg.corpus.readers.convokit import ConvokitReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance
from tests.corpus.fuzz import FUZZ, broken, check_survives, json_values

Rejects = list[tuple[str, str]]
Row = dict[str, Any]


def row(id: str, conversation: str, speaker: str, text: str, reply: str | None = None) -> Row:
    """An utterance as the corpora of today have it."""
    return {
        "id": id,
        "conversation_id": conversation,
        "text": text,
        "speaker": speaker,
        "meta": {"parsed": [{"rt": 0}]},
        "reply-to": reply,
        "timestamp": None,
        "vectors": [],
    }


MOVIE = [  # backwards, as the movie corpus has it
    row("L3", "L1", "u0", "Then it is your\nlamp \ud83d now.", "L2"),
    row("L2", "L1", "u2", "Not mine.", "L1"),
    row("L9", "L9", "u5", "Hear, hear!"),
    row("L1", "L1", "u0", "Whose lamp is this?"),
    row("L10", "L9", "u9", "Hear what?", "L9"),
]
SPEAKERS = {
    "u0": {"meta": {"character_name": "IRIS", "name": "no", "gender": "f"}, "vectors": []},
    "u2": {"meta": {"name": "Tom"}},
    "u5": {"character_name": "CROWD"},
}
ABOUT = {"L1": {"meta": {"movie_name": "the lamp", "title": "no"}}, "L9": {"title": "a square"}}


def corpus(tmp_path: Path, rows: list[Row], **beside: Any) -> Path:
    """The utterances in a folder `town`; `speakers={}` puts a `speakers.json` beside them."""
    folder = tmp_path / "town"
    folder.mkdir()
    for name, value in beside.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    path = folder / "utterances.jsonl"
    path.write_text("".join(json.dumps(found) + "\n" for found in rows), encoding="utf-8")
    return path


def read(path: Path) -> tuple[list[Dialogue], Rejects]:
    rejects: Rejects = []
    found = ConvokitReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def texts(dialogues: list[Dialogue]) -> list[str]:
    return [spoken.text for dialogue in dialogues for spoken in dialogue.utterances]


def test_a_whole_corpus(tmp_path: Path) -> None:
    path = corpus(tmp_path, MOVIE, speakers=SPEAKERS, conversations=ABOUT)
    dialogues, rejects = read(path)
    lamp = (
        Utterance("u0", "IRIS", "Whose lamp is this?", (), "line 4"),
        Utterance("u2", "Tom", "Not mine.", (), "line 2", False, ("u0",)),
        Utterance("u0", "IRIS", "Then it is your lamp now.", (), "line 1", False, ("u2",)),
    )
    square = (
        Utterance("u5", "CROWD", "Hear, hear!", (), "line 3", True),
        Utterance("u9", "u9", "Hear what?", (), "line 5", False, ("u5",)),
    )
    assert dialogues == [
        Dialogue("town/001", "the lamp", "", "en", "utterances.jsonl", lamp),
        Dialogue("town/002", "a square", "", "en", "utterances.jsonl", square),
    ]
    assert rejects == []


def test_the_names_of_older_corpora(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "root": 1, "user": "Ann", "text": "One.", "reply_to": None, "timestamp": 0},
        {"id": 2, "root": 1, "user": "Bo", "text": "Two.", "reply_to": 1, "timestamp": 1},
    ]
    path = corpus(tmp_path, rows, users={"Ann": {"name": "Ann Lee"}})
    path = path.rename(path.with_name("utterances.json"))
    path.write_text(json.dumps(rows, indent=2), encoding="utf-8")
    (dialogue,), rejects = read(path)
    assert dialogue.utterances == (
        Utterance("Ann", "Ann Lee", "One.", (), "line 2, record 1"),
        Utterance("Bo", "Bo", "Two.", (), "line 10, record 2", False, ("Ann",)),
    )
    assert dialogue.work == "town"
    assert rejects == []


def test_speakers_go_before_users(tmp_path: Path) -> None:
    path = corpus(tmp_path, MOVIE, speakers=SPEAKERS, users={"u9": {"name": "Someone"}})
    assert read(path)[0][1].utterances[1].name == "u9"


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([3, 1, 2], ["b", "c", "a"]),
        (["30.0", "4", 5.5], ["b", "c", "a"]),
        ([1, 1, 0], ["c", "a", "b"]),
        ([3, None, 2], ["a", "b", "c"]),
        ([3, "yesterday", 2], ["a", "b", "c"]),
        ([3, float("inf"), 2], ["a", "b", "c"]),
        ([3, 10**400, 2], ["a", "b", "c"]),
        ([3, [1], 2], ["a", "b", "c"]),
    ],
)
def test_the_order_is_that_of_time_if_all_have_one(
    tmp_path: Path, times: list[Any], expected: list[str]
) -> None:
    rows = [row(id, "a", "u1", id) | {"timestamp": t} for id, t in zip("abc", times, strict=True)]
    assert texts(read(corpus(tmp_path, rows))[0]) == expected


def test_time_goes_before_replies(tmp_path: Path) -> None:
    rows = [row("a", "a", "u1", "a", "b"), row("b", "a", "u2", "b")]
    times = [found | {"timestamp": place} for place, found in enumerate(rows)]
    assert texts(read(corpus(tmp_path, times))[0]) == ["a", "b"]


def test_answers_stay_where_they_are_once_the_question_is_before_them(tmp_path: Path) -> None:
    answered = {"a": None, "d": "c", "c": "b", "b": "a", "e": "a"}
    rows = [row(id, "a", "u1", id, reply) for id, reply in answered.items()]
    assert texts(read(corpus(tmp_path, rows))[0]) == ["a", "b", "c", "d", "e"]


def test_replies_in_a_circle_or_to_nobody_or_to_oneself(tmp_path: Path) -> None:
    rows = [
        row("a", "a", "u1", "a", "b"),
        row("b", "a", "u2", "b", "a"),
        row("c", "a", "u1", "c", "lost"),
        row("d", "a", "u1", "d", "c"),
        row("e", "a", "u1", "e", "e"),
    ]
    (dialogue,), rejects = read(corpus(tmp_path, rows))
    assert [(u.text, u.addressees) for u in dialogue.utterances] == [
        ("b", ("u1",)),
        ("a", ("u2",)),
        ("c", ()),
        ("d", ()),
        ("e", ()),
    ]
    assert rejects == []


def test_speakers_whose_names_differ_by_a_sign_stay_two(tmp_path: Path) -> None:
    rows = [row("a", "a", "ann_b", "a"), row("b", "a", "Ann-B", "b", "a")]
    (dialogue,), _ = read(corpus(tmp_path, rows))
    assert [spoken.speaker for spoken in dialogue.utterances] == ["ann_b", "Ann-B"]


def test_who_left_is_nobody_and_what_was_taken_away_no_text(tmp_path: Path) -> None:
    rows = [
        row("a", "a", "[deleted]", "Anyone?"),
        row("b", "a", "Bo", "Me.", "a"),
        row("c", "a", "Bo", "[removed]", "b"),
    ]
    (dialogue,), rejects = read(corpus(tmp_path, rows))
    assert dialogue.utterances == (
        Utterance("[deleted]", "[deleted]", "Anyone?", (), "line 1", True),
        Utterance("Bo", "Bo", "Me.", (), "line 2"),
    )
    assert rejects == [("line 3", "the utterance of Bo has no text")]


def test_broken_records_are_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = corpus(tmp_path, MOVIE)
    needed = "expected id, conversation_id and speaker, each a text"
    bad = [
        ('{"id": "x", ', "broken JSON: Expecting property name enclosed in double quotes"),
        ("[" * 9999, "broken JSON: maximum recursion depth exceeded"),
        ('"text"', "expected a JSON object, got str"),
        (json.dumps(MOVIE[0]), "a second utterance with the id L3"),
        (json.dumps(row("z", "L1", "u0", "") | {"text": 7}), "the utterance of u0 has no text"),
        *(
            (json.dumps(row("y", "L1", "u0", "A.") | {field: value}), needed)
            for field, value in [("id", None), ("conversation_id", ["L1"]), ("speaker", True)]
        ),
    ]
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(line for line, _ in bad) + "\n")
    dialogues, rejects = read(path)
    assert [len(dialogue.utterances) for dialogue in dialogues] == [3, 2]
    found = {where: why.split(" while ")[0] for where, why in rejects}
    assert found == {f"line {number}": why for number, (_, why) in enumerate(bad, start=7)}


def test_broken_files_beside_the_utterances_are_rejected(tmp_path: Path) -> None:
    path = corpus(tmp_path, MOVIE, speakers={}, conversations=["no"])
    path.with_name("speakers.json").write_text('{\n"u0": {"name": "Iris"')
    dialogues, rejects = read(path)
    assert dialogues[0].utterances[0].name == "u0"
    assert dialogues[0].work == "town"
    assert rejects == [
        ("speakers.json, line 2", "broken JSON: Expecting ',' delimiter"),
        ("conversations.json, line 1", "expected an object with an entry for each identifier"),
    ]
    path.with_name("speakers.json").write_bytes(b'{"u0": {"name": "Ir\xe9ne"}}')
    assert read(path)[1][0][0] == "speakers.json, line 1"


def test_broken_entries_are_rejected(tmp_path: Path) -> None:
    speakers = {"u0": 1, "u2": {"meta": []}, "u5": {"meta": {"name": 5}}}
    dialogues, rejects = read(corpus(tmp_path, MOVIE, speakers=speakers))
    assert {spoken.name for d in dialogues for spoken in d.utterances} == {"u0", "u2", "5", "u9"}
    assert rejects == [
        ("speakers.json", "the entry of u0 is no object"),
        ("speakers.json", "the entry of u2 is no object"),
    ]


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = corpus(tmp_path, MOVIE)
    path.write_bytes(path.read_bytes() + b'{"id": "x\xe9"}\n')
    with pytest.raises(UserError) as error:
        read(path)
    assert str(error.value) == (
        f"{path}, line 6 expected text in UTF-8, got another encoding: byte 10 of the line is "
        "0xe9. Convert it first"
    )


def test_a_byte_order_mark_and_chinese(tmp_path: Path) -> None:
    path = corpus(tmp_path, [])
    line = json.dumps(row("a", "a", "小满", "停了！里面还泡着床单。"), ensure_ascii=False)
    path.write_text(line, encoding="utf-8-sig")
    (dialogue,), rejects = read(path)
    assert (dialogue.language, dialogue.utterances[0].speaker) == ("zh", "小满")
    assert rejects == []


def test_the_other_files_are_accepted_beside_utterances_only_and_hold_nothing(
    tmp_path: Path,
) -> None:
    names = ("speakers", "users", "conversations", "corpus", "index", "info.parsed")
    path = corpus(tmp_path, MOVIE, **{name: {} for name in names})
    (path.parent / "info.parsed.json").rename(path.parent / "info.parsed.jsonl")
    others = [other for other in sorted(path.parent.iterdir()) if other != path]
    assert len(others) == 6
    for other in others:
        assert ConvokitReader().accepts(other, "{}")
        assert read(other) == ([], [])
    assert not ConvokitReader().accepts(path.with_name("chats.json"), "{}")
    path.unlink()
    assert not any(ConvokitReader().accepts(other, "{}") for other in others)


LINE = json.dumps(MOVIE[1])


@pytest.mark.parametrize(
    ("name", "head", "accepted"),
    [
        ("utterances.jsonl", "", True),
        ("a.JSONL", f"{LINE}\n{LINE[:50]}", True),
        ("a.json", f"broken\n{{}}\n{LINE}\n", True),
        ("a.jsonl", '{"id": "a", "root": "a", "user": "b", "text": "c"}', True),
        ("a.jsonl", '{"conversation_id": "a", "speaker": "b"}', False),
        ("a.jsonl", '{"conversation_id": "a", "text": "b"}', False),
        ("a.jsonl", '{"speaker": "a", "text": "b"}', False),
        ("a.jsonl", '[{"conversation_id": "a"}]', False),
        ("a.jsonl", "[" * 4096, False),
        ("a.txt", LINE, False),
    ],
)
def test_accepts(name: str, head: str, accepted: bool) -> None:
    assert ConvokitReader().accepts(Path(name), head) is accepted


def lines(rows: list[Row]) -> bytes:
    return "".join(json.dumps(found) + "\n" for found in rows).encode()


def any_rows() -> st.SearchStrategy[bytes]:
    """Utterances whose fields may be anything at all, or be valid, or be missing."""
    ids = st.sampled_from(["a", "b", "c", 1]) | json_values()
    fields = {
        "id": ids,
        "conversation_id": ids,
        "speaker": ids,
        "text": st.just("One.") | json_values(),
        "reply_to": ids,
        "timestamp": st.integers() | st.floats() | json_values(),
    }
    return st.lists(st.fixed_dictionaries({}, optional=fields), max_size=6).map(lines)


@FUZZ
@given(
    st.fixed_dictionaries(
        {
            "utterances.jsonl": broken(lines(MOVIE)) | any_rows(),
            "speakers.json": broken(json.dumps(SPEAKERS).encode()),
            "conversations.json": broken(json.dumps(ABOUT).encode()),
        }
    )
)
def test_no_broken_corpus_crashes_the_reader(files: dict[str, bytes]) -> None:
    check_survives(ConvokitReader(), "utterances.jsonl", files)
