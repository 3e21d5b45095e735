"""The reader of labelled Chinese novels: a small novel with its labels, and the real one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from lightning_dpg.corpus.readers.novel_labels import NovelLabelsReader
from lightning_dpg.corpus.readers.transcript import TranscriptReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance
from tests.corpus.fuzz import FUZZ, broken, check_survives

Rejects = list[tuple[str, str]]

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "corpora" / "other"

NOVEL = """\
《渡口》无名氏

第一回  老艄公夜半闻声　小客人天明过渡

    老艄公道：“谁在那边？"那客人笑道：“是我．人称`快腿-的便是。”老艄公道：“上船。”
说着，指"平安"二字．众人都道：“好！”

    因又问：“船上写的什么？”只见船头写道：“一帆风顺"．

第二回 河心风起

    老艄公道：“坐稳了。”
"""
LABELS = """\
{'uid': 0, 'context': '老艄公道：', 'speaker': '老艄公', 'istart': 0, 'iend': 3}
{'uid': 1, 'context': '那客人笑道：', 'speaker': '客人', 'istart': 1, 'iend': 3}

{'uid': 2, 'context': '老艄公道：', 'speaker': '老 艄公', 'istart': 0, 'iend': 3}
{'uid': 3, 'context': '说着，指"平安"二字．众人都道：', 'speaker': '众人', 'istart': 10, 'iend': 12}
{'uid': 4, 'context': '因又问：', 'speaker': None, 'istart': -1, 'iend': 0}
{'uid': 5, 'context': '只见船头写道：', 'speaker': None, 'istart': -1, 'iend': 0}
{'uid': 6, 'context': '老艄公道：', 'speaker': '老艄公', 'istart': 0, 'iend': 3}
"""


def read(folder: Path, labels: str, novel: str = NOVEL) -> tuple[list[Dialogue], Rejects]:
    path = folder / "dukou_speaker_labels.txt"
    path.write_text(labels, encoding="utf-8")
    (folder / "dukou.txt").write_text(novel, encoding="utf-8")
    rejects: Rejects = []
    found = NovelLabelsReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def label(context: str, speaker: str = "甲", uid: int | None = None) -> str:
    id = "" if uid is None else f"'uid': {uid}, "
    return f"{{{id}'context': {context!r}, 'speaker': {speaker!r}}}\n"


def texts(dialogues: list[Dialogue]) -> list[str]:
    return [spoken.text for dialogue in dialogues for spoken in dialogue.utterances]


def test_a_whole_novel(tmp_path: Path) -> None:
    dialogues, rejects = read(tmp_path, LABELS)
    night = (
        Utterance("老艄公", "老艄公", "谁在那边？", position="line 1"),
        Utterance("客人", "客人", "是我。人称‘快腿’的便是。", position="line 2"),
        Utterance("老艄公", "老艄公", "上船。", position="line 4"),
        Utterance("众人", "众人", "好！", position="line 5", collective=True),
        Utterance("", "?", "船上写的什么？", position="line 6", collective=True),
    )
    river = (Utterance("老艄公", "老艄公", "坐稳了。", position="line 8"),)
    first, second = "第一回 老艄公夜半闻声 小客人天明过渡", "第二回 河心风起"
    source = "dukou_speaker_labels.txt"
    assert dialogues == [
        Dialogue("dukou/001", "渡口", first, "zh", source, night),
        Dialogue("dukou/002", "渡口", second, "zh", source, river),
    ]
    assert rejects == [
        ("line 7", "no name and no mark at its end, so not speech but writing: 一帆风顺")
    ]


def test_a_novel_without_a_title_is_called_by_its_file(tmp_path: Path) -> None:
    (dialogue,), _ = read(tmp_path, label("甲道："), "甲道：“好。”")
    assert (dialogue.work, dialogue.scene) == ("dukou", "")


def test_a_context_counts_only_before_a_quotation_and_behind_another(tmp_path: Path) -> None:
    novel = "小甲道：“错。”甲道：没有引号．甲道：“也错。”\n甲道：“对。”"
    dialogues, _ = read(tmp_path, label("甲道："), novel)
    assert texts(dialogues) == ["对。"]


def test_labels_that_find_nothing_are_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = [
        label("丙道："),
        label(""),
        "{'context': 1, 'speaker': '甲'}\n",
        "['甲道：', '甲']\n",
        "{'context': '甲道：'\n",
        "[" * 1000 + "\n",
        "{'context': '甲道：', 'speaker': '\\ud83d'}\n",
        label("甲道："),
        label("甲道："),
    ]
    dialogues, rejects = read(tmp_path, "".join(lines), "甲道：“好。”")
    assert texts(dialogues) == ["好。"]
    broken = "expected a dict with context and speaker: "
    missing = "no quotation follows this in what is left of the novel: "
    assert rejects == [
        ("line 3", broken + "{'context': 1, 'speaker': '甲'}"),
        ("line 4", broken + "['甲道：', '甲']"),
        ("line 5", broken + "{'context': '甲道：'"),
        ("line 6", broken + "[" * 40),
        ("line 7", broken + "{'context': '甲道：', 'speaker': '\\ud83d'}"),
        ("line 1", missing + "丙道："),
        ("line 2", "a label without a context, by which it would be found"),
        ("line 9", missing + "甲道："),
    ]


def test_of_several_labels_for_one_quotation_the_last_counts(tmp_path: Path) -> None:
    labels = label("甲道：", "乙", uid=7) + label("丙道：", "丙", uid=8) + label("甲道：", uid=7)
    dialogues, rejects = read(tmp_path, labels, "甲道：“一。”丙道：“二。”")
    assert [spoken.name for spoken in dialogues[0].utterances] == ["甲", "丙"]
    assert rejects == [("line 1", "labelled again on line 3")]


@pytest.mark.parametrize(
    ("quotation", "text"),
    [
        ("“好。”", "好。"),
        ('“好？"', "好？"),
        ('"好。"', "好。"),
        ("“他说：“走。”我不走。”", "他说：“走。”我不走。"),
        ("“　好， 走。”", "好， 走。"),
        ("“他说：“走。”", None),
        ("“好。\n\n”", None),
        ("“好。", None),
        ("“ ”", None),
        ('“好。”只写着"平安"．', "好。"),
    ],
)
def test_where_a_quotation_ends(tmp_path: Path, quotation: str, text: str | None) -> None:
    dialogues, rejects = read(tmp_path, label("甲道："), f"甲道：{quotation}说着，去了．")
    if text:
        assert (texts(dialogues), rejects) == ([text], [])
    else:
        assert dialogues == [] and [where for where, _ in rejects] == ["line 1"]


def test_a_quotation_without_its_end_takes_nothing_from_the_next(tmp_path: Path) -> None:
    labels = label("甲道：") + label("乙道：", "乙") + label("丙道：", "丙")
    novel = "甲道：“一．”乙道：“二．“三．”丙道：“四．””"
    dialogues, rejects = read(tmp_path, labels, novel)
    assert texts(dialogues) == ["一。", "四。"]
    assert rejects == [("line 2", "its quotation does not end, or another opens inside it")]


@pytest.mark.parametrize(("narration", "count"), [(199, 1), (200, 2)])
def test_narration_parts_dialogues(tmp_path: Path, narration: int, count: int) -> None:
    context = "甲" * (narration - 2) + "道："
    novel = f"甲道：“一。”{context}“二。”"
    dialogues, _ = read(tmp_path, label("甲道：") + label(context), novel)
    assert len(dialogues) == count


@pytest.mark.parametrize(
    ("line", "count"),
    [("第二章", 2), ("　第12回 风", 2), ("第二回中说", 1), ("且看第二回 风", 1)],
)
def test_chapters_part_dialogues(tmp_path: Path, line: str, count: int) -> None:
    dialogues, _ = read(tmp_path, label("甲道：") * 2, f"甲道：“一。”\n{line}\n甲道：“二。”")
    assert len(dialogues) == count


@pytest.mark.parametrize(
    ("name", "collective"),
    [
        ("贾珍等", True),
        ("尤氏，凤姐", True),
        ("贾政与众人", True),
        ("一个婆子", True),
        ("有一人", True),
        ("几个小厮", True),
        ("人", True),
        ("那僧", False),
        ("一丈青", False),
        ("三姐", False),
        ("诸葛亮", False),
    ],
)
def test_passers_by_are_no_characters(tmp_path: Path, name: str, collective: bool) -> None:
    (dialogue,), _ = read(tmp_path, label("甲道：", name), "甲道：“好。”")
    assert dialogue.utterances[0].collective is collective


def test_a_missing_novel_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dukou_speaker_labels.txt"
    path.write_text(LABELS, encoding="utf-8")
    with pytest.raises(UserError) as error:
        list(NovelLabelsReader().read(path, lambda where, why: None))
    assert str(error.value) == f"{path} expected its novel beside it, as dukou.txt. Add that file"


@pytest.mark.parametrize(
    ("name", "head", "accepted"),
    [
        ("a_speaker_labels.txt", LABELS, True),
        ("A_Speaker_Labels.TXT", LABELS, True),
        ("a_speaker_labels.txt", NOVEL, False),
        ("a.txt", LABELS, False),
    ],
)
def test_accepts(name: str, head: str, accepted: bool) -> None:
    assert NovelLabelsReader().accepts(Path(name), head) is accepted
    assert not TranscriptReader().accepts(Path("a.txt"), head)


@pytest.mark.parametrize(
    ("name", "novel"),
    [("x/a_speaker_labels.txt", "x/a.txt"), ("B_Speaker_Labels.TXT", "B.TXT"), ("c", "c")],
)
def test_companions(name: str, novel: str) -> None:
    assert NovelLabelsReader().companions(Path(name)) == (Path(novel),)


@FUZZ
@given(broken(LABELS.encode()), broken(NOVEL.encode()))
def test_no_file_crashes_it(labels: bytes, novel: bytes) -> None:
    files = {"a_speaker_labels.txt": labels, "a.txt": novel}
    check_survives(NovelLabelsReader(), "a_speaker_labels.txt", files)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is absent")
def test_the_real_novel() -> None:
    rejects: Rejects = []
    path = SHARED / "zh_hongloumeng_speaker_labels.txt"
    dialogues = list(NovelLabelsReader().read(path, lambda at, why: rejects.append((at, why))))
    spoken = {u.position: u for dialogue in dialogues for u in dialogue.utterances}
    # Five lines label a quotation a second time, and seven have no context.
    assert len(spoken) + len(rejects) == 1562
    assert len(spoken) == 1540
    assert len({dialogue.scene for dialogue in dialogues}) == 22
    assert {dialogue.work for dialogue in dialogues} == {"红楼梦"}
    unclosed = [where for where, why in rejects if why.startswith("its quotation does not end")]
    assert unclosed == ["line 46", "line 76", "line 84", "line 1298", "line 1316"]
    written = [where for where, why in rejects if "not speech" in why]
    assert written == ["line 127", "line 128", "line 221", "line 793", "line 862"]
    assert sum(not utterance.speaker for utterance in spoken.values()) == 95
    assert spoken["line 1262"].text == "这有什么伤心的，你果然留我，我自然不出去了。"
    assert spoken["line 1078"].text == "不然就用‘秦人旧舍’四字也罢了。"
    assert spoken["line 69"].text.endswith("如何就萧疏了？")
    assert max(len(utterance.text) for utterance in spoken.values()) < 700
    assert not any(mark in u.text for u in spoken.values() for mark in '“”"．\n')
