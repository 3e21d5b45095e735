"""From texts to a labelled corpus on disk, built once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.base import count_words
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.assessment.reference import Reference
from lightning_dpg.assessment.scripted import ScriptedAssessor, digest_scores
from lightning_dpg.config import DataConfig, DialogueJudgeSettings, FilterConfig
from lightning_dpg.corpus.build import build_corpus
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.errors import UserError
from lightning_dpg.progress import Steps
from lightning_dpg.records import Dialogue, Rating
from tests.assessment.test_local import word_tokenizer

SCENES = """\
《The Ferry》

Nobody says this.

【The quay】
ANNA: You are late again and the tide waits for nobody.
BEN: I was counting the ropes.
ALL: Cast off! Cast off before the water is gone from under us!
ANNA: Then count them on the water.
?: Who was that, out there in the dark water tonight?

【The shore】
BEN: Twelve ropes and four lamps, and the list is signed.
ANNA: Go home.
"""
SIDECAR = "ANNA:\n  description: Captain of the ferry.\n"


class Counting(ScriptedAssessor):
    """Remembers what it was asked to rate."""

    def __init__(self, min_words: int = 4) -> None:
        super().__init__(min_words=min_words)
        self.asked: list[str] = []

    def rate(self, persons: Sequence[Sequence[str]], *args: Any, **kwargs: Any) -> list[Rating]:
        self.asked += ["\n".join(passages) for passages in persons]
        return super().rate(persons, *args, **kwargs)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "texts" / "ferry.txt"
    path.parent.mkdir()
    path.write_text(SCENES, encoding="utf-8")
    path.with_name("ferry.characters.yaml").write_text(SIDECAR, encoding="utf-8")
    return path


def build(path: Path, assessor: Any, **settings: Any) -> Corpus:
    config = DataConfig(**{"sources": [str(path)], **settings})
    return build_corpus(config, assessor, path.parent.parent / "cache", Steps())


def tiny_llama() -> LlamaForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=200, num_attention_heads=2, num_key_value_heads=2, pad_token_id=0, **shape
        )
    ).eval()


def scores(text: str) -> Any:
    return pytest.approx(digest_scores(text), abs=1e-5)


def test_every_speech_is_there_in_order_with_its_place(path: Path) -> None:
    rows = list(build(path, Counting()).utterances)
    assert [row["name"] for row in rows] == ["ANNA", "BEN", "ALL", "ANNA", "?", "BEN", "ANNA"]
    first = rows[0]
    assert first["text"] == "You are late again and the tide waits for nobody."
    assert (first["dialogue"], first["work"], first["scene"]) == (
        "ferry/001",
        "The Ferry",
        "The quay",
    )
    assert (first["language"], first["source"], first["position"]) == ("en", "ferry.txt", "line 6")
    assert first["character"] == "ferry/anna"
    assert rows[-1]["dialogue"] == "ferry/002"


def test_a_speech_is_rated_alone_and_together_with_its_scene(path: Path) -> None:
    rows = list(build(path, Counting()).utterances)
    late, count = (
        "You are late again and the tide waits for nobody.",
        "Then count them on the water.",
    )
    assert rows[0]["reply_scores"] == scores(late)
    assert rows[3]["reply_scores"] == scores(count)
    for row in (rows[0], rows[3]):
        assert row["dialogue_scores"] == scores(f"{late}\n{count}")
    assert rows[6]["dialogue_scores"] is None  # two words in the second scene
    assert rows[6]["reason"] == "insufficient evidence: 2 words, 4 are needed"
    assert rows[0]["reason"] == ""


def test_what_a_group_or_nobody_says_is_not_rated(path: Path) -> None:
    assessor = Counting()
    rows = list(build(path, assessor).utterances)
    for row in (rows[2], rows[4]):
        assert (row["character"], row["reply_scores"], row["dialogue_scores"]) == ("", None, None)
        assert row["reason"] == "said by a group or by nobody named"
        assert not any(row["text"] in text for text in assessor.asked)
    assert len(assessor.asked) == 5 + 4  # five speeches, two characters in each of two scenes


def test_the_card_says_what_the_corpus_is(path: Path) -> None:
    assessor = Counting()
    corpus = build(path, assessor)
    card = corpus.card
    assert card["labels"] == assessor.identity
    assert card["languages"] == ["en"]
    counts = {k: card[k] for k in ("works", "dialogues", "characters", "utterances", "unscored")}
    expected = {"works": 1, "dialogues": 2, "characters": 2, "utterances": 7, "unscored": 3}
    assert counts == expected
    assert set(card["files"]) == {"ferry.txt", "ferry.characters.yaml"}
    assert card["licences"] == {"ferry.txt": "not stated"}
    assert card["judge"] is None
    assert card["thresholds"] == {
        "least_coherence": None,
        "least_integrity": None,
        "max_distance": None,
        "least_support": 4,
    }
    assert card["rejected"] == 1
    (rejected,) = corpus.rejected
    assert (rejected["file"], rejected["position"]) == ("ferry.txt", "line 3")
    assert rejected["reason"]
    assert corpus.reference == {}
    characters = {row["id"]: row for row in corpus.characters}
    assert characters["ferry/anna"]["description"] == "Captain of the ferry."
    assert characters["ferry/ben"]["poles"] == []


def test_a_second_build_rates_nothing_again(path: Path) -> None:
    first, second = Counting(), Counting()
    corpus, again = build(path, first), build(path, second)
    assert first.asked
    assert not second.asked
    assert again.card == corpus.card
    assert list(again.utterances) == list(corpus.utterances)


def test_another_text_is_another_corpus_and_is_rated(path: Path) -> None:
    before = build(path, Counting())
    path.write_text(SCENES + "BEN: And one more thing to say tonight.\n", encoding="utf-8")
    assessor = Counting()
    after = build(path, assessor)
    assert after.card["hash"] != before.card["hash"]
    assert "And one more thing to say tonight." in assessor.asked


def test_another_description_is_another_corpus_of_the_same_ratings(path: Path) -> None:
    before = build(path, Counting())
    path.with_name("ferry.characters.yaml").write_text(SIDECAR.replace("ferry", "barge"))
    assessor = Counting()
    after = build(path, assessor)
    assert after.card["hash"] != before.card["hash"]
    assert after.characters[0]["description"] == "Captain of the barge."
    assert not assessor.asked
    assert list(after.utterances) == list(before.utterances)


def test_the_hash_is_of_what_the_corpus_holds(path: Path) -> None:
    before, after = build(path, Counting()), build(path, Counting(), languages=["en", "zh"])
    assert after.card == before.card  # nothing in it is Chinese


def test_the_version_of_the_package_does_not_change_the_hash_but_a_file_does(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build(path, Counting()).card["hash"]
    monkeypatch.setattr("lightning_dpg.corpus.build.__version__", "999")
    assert build(path, Counting()).card["hash"] == before
    path.write_text(SCENES + "\n", encoding="utf-8")  # says nothing more
    assert build(path, Counting()).card["hash"] != before


def test_another_assessor_is_another_corpus(path: Path) -> None:
    other = Counting(min_words=7)
    before, after = build(path, Counting()), build(path, other)
    assert after.card["hash"] != before.card["hash"]
    assert after.card["unscored"] == 5
    assert len(list((path.parent.parent / "cache").glob("*/card.json"))) == 2


def test_settings_of_samples_do_not_build_it_again(path: Path) -> None:
    build(path, Counting())
    assessor = Counting()
    build(path, assessor, context_turns=5, min_reply_words=1, batch_size=3)
    assert not assessor.asked


def test_a_damaged_corpus_is_put_together_again(path: Path) -> None:
    folder = path.parent.parent / "cache" / build(path, Counting()).card["hash"]
    before = contents(folder)
    (folder / "card.json").unlink()
    (folder / "rejected.jsonl").write_text("{")
    assessor = Counting()
    build(path, assessor)
    assert contents(folder) == before
    assert not assessor.asked


@pytest.mark.parametrize("stage", ["read", "judged", "rated", "centred", "dropped", "split"])
def test_every_stage_leaves_what_it_found_and_is_not_run_where_that_lies(
    path: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole() -> dict[str, bytes]:
        judge = Judging()
        corpus = build_corpus(
            DataConfig(sources=[str(path)]), Counting(), cache, Steps(), judge=judge
        )
        return contents(cache / corpus.card["hash"])

    made: list[str] = []
    get = Artefacts.get

    def watched(self: Artefacts, name: str, given: Any, make: Any, *rest: Any) -> Any:
        return get(self, name, given, lambda: made.append(name) or make(), *rest)

    monkeypatch.setattr(Artefacts, "get", watched)
    cache = path.parent.parent / "cache"
    first = whole()
    assert made == ["read", "judged", "rated", "centred", "dropped", "split"]
    (kept,) = (cache / "stages" / stage).iterdir()
    kept.unlink()
    made.clear()
    assert whole() == first
    assert made == [stage]


class Judging:
    """Finds the second scene incoherent, and remembers what it was asked about."""

    identity = "scripted judge"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def judge(self, dialogues: Sequence[Dialogue], advance: Any = None) -> list[Any]:
        self.asked += [dialogue.id for dialogue in dialogues]
        return [
            SimpleNamespace(coherence=5.0 - 3 * d.id.endswith("002"), integrity=4.0, reason="")
            for d in dialogues
        ]


def test_thresholds_neither_judge_nor_rate_again(path: Path) -> None:
    def filtered(judge: Judging, assessor: Counting, least: float, most: float | None) -> Corpus:
        config = DataConfig(sources=[str(path)], filters=FilterConfig(most, 2))
        settings = DialogueJudgeSettings(least_coherence=least)
        cache = path.parent.parent / "cache"
        return build_corpus(config, assessor, cache, Steps(), judge, settings)

    judge, assessor = Judging(), Counting()
    lenient = filtered(judge, assessor, 1.0, None)
    assert judge.asked == ["ferry/001", "ferry/002"]
    assert not any(row["dropped"] for row in lenient.utterances)
    distance = max(row["distance"] or 0.0 for row in lenient.utterances)
    assert distance > 0
    judge, assessor = Judging(), Counting()
    strict = filtered(judge, assessor, 1.0, distance / 2)
    assert (judge.asked, assessor.asked) == ([], [])
    far = [row for row in strict.utterances if row["dropped"].startswith("distance")]
    assert far and all(row["distance"] > distance / 2 and row["reply_scores"] for row in far)
    assert strict.card["dropped"]["distance"]["speeches"] == len(far)
    judged = filtered(judge, assessor, 3.0, None)
    assert judge.asked == []
    rows = [row for row in judged.utterances if row["dialogue"] == "ferry/002"]
    assert {row["dropped"] for row in rows} == {"coherence: 2, 3 is needed"}
    assert not any(row["reply_scores"] for row in rows)
    assert rows[0]["reason"] == "not rated: coherence: 2, 3 is needed"
    assert not any("Twelve ropes" in text for text in assessor.asked)
    assert judged.card["judge"] == {"identity": "scripted judge", "unjudged": {}}
    assert judged.card["thresholds"]["least_coherence"] == 3.0
    assert len({c.card["hash"] for c in (lenient, strict, judged)}) == 3


def test_nothing_to_rate_is_said(path: Path) -> None:
    with pytest.raises(UserError, match="All 2 dialogues were judged too low: lower"):
        build_corpus(
            DataConfig(sources=[str(path)]),
            Counting(),
            path.parent.parent / "cache",
            Steps(),
            Judging(),
            DialogueJudgeSettings(least_integrity=4.5),
        )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_two_builds_from_scratch_are_byte_for_byte_the_same(path: Path, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        config = DataConfig(sources=[str(path)], filters=FilterConfig(1.0, 2))
        corpus = build_corpus(config, Counting(), tmp_path / name, Steps(), Judging())
        corpus.save(tmp_path / f"{name} saved")
        found += [contents(tmp_path / name), contents(tmp_path / f"{name} saved")]
    cached = {n.partition("/")[2]: c for n, c in found[0].items() if not n.startswith("stages/")}
    assert found[0] == found[2]
    assert found[1] == found[3] == cached
    assert len(cached) == 10


def test_the_bundled_corpus_has_the_scores_that_its_assessor_gives(tmp_path: Path) -> None:
    corpus = build_corpus(DataConfig(), ScriptedAssessor(min_words=8), tmp_path, Steps())
    rows = list(corpus.utterances)
    assert len(rows) > 2000 and not any(row["dropped"] for row in rows)
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        said[row["dialogue"], row["character"]].append(row["text"])
    for row in rows:
        together = "\n".join(said[row["dialogue"], row["character"]])
        for text, column in ((row["text"], "reply_scores"), (together, "dialogue_scores")):
            if row["character"] and count_words(text) >= 8:
                assert np.array_equal(row[column], np.float32(digest_scores(text)))
            else:
                assert row[column] is None


def test_a_local_assessor_leaves_its_norms(path: Path) -> None:
    model = tiny_llama()
    assessor = LocalAssessor(model, word_tokenizer(), "tiny", min_words=4)
    corpus = build(path, assessor)
    assert list(corpus.reference) == ["en"]
    later = LocalAssessor(
        model,
        word_tokenizer(),
        "tiny",
        min_words=4,
        reference=Reference.from_dict(corpus.reference["en"]),
    )
    rows = list(corpus.utterances)
    alone, together = later.rate([[rows[0]["text"]], [rows[0]["text"], rows[3]["text"]]])
    assert rows[0]["reply_scores"] == pytest.approx(alone.scores, abs=1e-3)
    assert rows[3]["dialogue_scores"] == pytest.approx(together.scores, abs=1e-3)
    assert alone != together


CHINESE = """\
甲：你怎么现在才来？我们已经等了整整一个下午了。
乙：路上下了很大的雨，我的车坏在半路上了。
甲：那就快点坐下来喝一杯热茶吧，别着凉了。
"""


def test_each_language_has_norms_of_its_own(path: Path) -> None:
    def local() -> LocalAssessor:
        return LocalAssessor(tiny_llama(), word_tokenizer(), "tiny", min_words=4)

    alone = build(path, local())
    path.with_name("teahouse.txt").write_text(CHINESE, encoding="utf-8")
    both = build(path, local(), languages=["en", "zh"], sources=[str(path.parent)])
    assert set(both.reference) == {"en", "zh"}
    # Batches are others, and with them the last digits.
    mixing = np.array(alone.reference["en"]["mixing"])
    assert np.array(both.reference["en"]["mixing"]) == pytest.approx(mixing, abs=1e-3)
    assert both.reference["zh"]["bands"] != both.reference["en"]["bands"]
    english = [r for r in both.utterances if r["language"] == "en"]
    for row, same in zip(english, alone.utterances, strict=True):
        assert row["reply_scores"] == pytest.approx(same["reply_scores"], abs=1e-2)
    assert any(r["reply_scores"] for r in both.utterances if r["language"] == "zh")


def test_one_speech_in_a_language_has_no_norms(path: Path) -> None:
    path.with_name("teahouse.txt").write_text(CHINESE.splitlines()[0] + "\n", encoding="utf-8")
    local = LocalAssessor(tiny_llama(), word_tokenizer(), "tiny", min_words=4)
    corpus = build(path, local, languages=["en", "zh"], sources=[str(path.parent)])
    assert set(corpus.reference) == {"en"}
    (row,) = [r for r in corpus.utterances if r["language"] == "zh"]
    assert (row["reply_scores"], row["reason"]) == (None, "no norms: 1 speech in zh")


def test_a_local_assessor_reads_each_speech_once(path: Path) -> None:
    read: list[str] = []

    class Reading(LocalAssessor):
        def logprobs(self, texts: Sequence[str], advance: Any = None) -> Any:
            read.extend(texts)
            return super().logprobs(texts, advance)

    build(path, Reading(tiny_llama(), word_tokenizer(), "tiny", min_words=4))
    assert sorted(read) == sorted(set(read))
    assert len(read) == 5
