"""The transcript reader: whole records, and what is no transcript."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_dpg.corpus.readers.transcript import TranscriptReader
from lightning_dpg.records import Dialogue, Utterance

Rejects = list[tuple[str, str]]

CHINESE = """\
《夜班》

没有人说的话。

【第一场　洗衣房　深夜】

（洗衣机停了：一摊水。）
小满：停了！里面
还泡着床单。
周国平（冷笑）：（蹲下）皮带（叹气）断了。他说：“换。”

林秀:
（走来）
来喝茶。
众人：好！
老贺：（点头）

【第二场　天台】
【第三场　天台】
孩子们：走！
约翰·史密斯：好，走。
"""


def read(tmp_path: Path, text: str, name: str = "play.txt") -> tuple[list[Dialogue], Rejects]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    rejects: Rejects = []
    found = TranscriptReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def test_a_whole_chinese_transcript(tmp_path: Path) -> None:
    dialogues, rejects = read(tmp_path, CHINESE)
    laundry = (
        Utterance("小满", "小满", "停了！里面还泡着床单。", (), "line 8"),
        Utterance(
            "周国平", "周国平", "皮带断了。他说：“换。”", ("冷笑", "蹲下", "叹气"), "line 10"
        ),
        Utterance("林秀", "林秀", "来喝茶。", (), "line 12"),
        Utterance("众人", "众人", "好！", (), "line 15", collective=True),
    )
    roof = (
        Utterance("孩子们", "孩子们", "走！", (), "line 20", collective=True),
        Utterance("约翰-史密斯", "约翰·史密斯", "好，走。", (), "line 21"),
    )
    scene = "第一场 洗衣房 深夜"
    assert dialogues == [
        Dialogue("play/001", "夜班", scene, "zh", "play.txt", laundry),
        Dialogue("play/002", "夜班", "第三场 天台", "zh", "play.txt", roof),
    ]
    assert rejects == [
        ("line 3", "a line without a label and no speech above it: 没有人说的话。"),
        ("line 16", "the speech of 老贺 has no text"),
    ]


def test_blank_lines_part_dialogues_where_there_are_no_headings(tmp_path: Path) -> None:
    text = (
        "Stray words.\nAnna: (laughs) Good\nmorning (waves), all.\nBEN: See https://x.org/.\n\n\n"
    )
    text += "MRS. HALL: It is 12:30 now.\nHe said: go.\n?: Who?\n"
    dialogues, rejects = read(tmp_path, text)
    first = (
        Utterance("anna", "Anna", "Good morning, all.", ("laughs", "waves"), "line 2"),
        Utterance("ben", "BEN", "See https://x.org/.", (), "line 4"),
    )
    second = (
        Utterance("mrs-hall", "MRS. HALL", "It is 12:30 now. He said: go.", (), "line 7"),
        Utterance("", "?", "Who?", (), "line 9", collective=True),
    )
    assert dialogues == [
        Dialogue("play/001", "play", "", "en", "play.txt", first),
        Dialogue("play/002", "play", "", "en", "play.txt", second),
    ]
    assert rejects == [("line 1", "a line without a label and no speech above it: Stray words.")]


def test_blank_lines_between_all_speeches_part_nothing(tmp_path: Path) -> None:
    (dialogue,), _ = read(tmp_path, "A: One.\n\nB: Two.\n\nA: Three.\n")
    assert [(spoken.name, spoken.text) for spoken in dialogue.utterances] == [
        ("A", "One."),
        ("B", "Two."),
        ("A", "Three."),
    ]
    assert not any(spoken.collective for spoken in dialogue.utterances)


NOVEL = """\
　　贾母道：“这话说得很是，你们都来瞧瞧。”众人都笑了。

　　宝玉笑道：“好祖宗，我去去就来。”说着出去了．

　　黛玉听了，冷笑一声，也不言语，半晌方说了一句：“我知道了。”
"""
PROSE = """\
It was late, and the lamp was out. There was one thing left to do: nothing.
She said: "Go home." He went, and he took the cat with him.
Nobody wrote: they were all too tired for it.
"""


@pytest.mark.parametrize(
    ("name", "head", "accepted"),
    [
        ("a.txt", CHINESE, True),
        ("a.txt", "Anna: hello\nBEN: hello\nand more", True),
        ("a.txt", "【第一场】\n小满：走", True),
        ("a.txt", "Anna: hello\nand more\nand more", False),
        ("a.txt", NOVEL, False),
        ("a.txt", PROSE, False),
        ("a.txt", "{'uid': 0, 'context': 'text'}\n{'uid': 1, 'context': 'text'}", False),
        ("a.txt", "12:30\n14:15\nhttps://x.org", False),
        ("a.txt", "", False),
        ("a.fountain", "Anna: hello", False),
    ],
)
def test_accepts(name: str, head: str, accepted: bool) -> None:
    assert TranscriptReader().accepts(Path(name), head) is accepted


def test_a_line_end_of_another_system_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "play.txt"
    path.write_bytes(b"Anna: hello\r\nBen: hello\r\n")
    (dialogue,) = TranscriptReader().read(path, lambda where, why: None)
    assert [spoken.text for spoken in dialogue.utterances] == ["hello", "hello"]
