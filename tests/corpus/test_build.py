"""From texts to a labelled corpus on disk, built once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.assessment.reference import Reference
from lightning_dpg.assessment.scripted import ScriptedAssessor, digest_scores
from lightning_dpg.config import DataConfig
from lightning_dpg.corpus.build import build_corpus
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.progress import Steps
from lightning_dpg.records import Rating
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


def change_text(path: Path) -> dict[str, Any]:
    path.write_text(SCENES + "BEN: And one more thing to say tonight.\n", encoding="utf-8")
    return {}


def change_languages(path: Path) -> dict[str, Any]:
    return {"languages": ["en", "zh"]}


def change_sidecar(path: Path) -> dict[str, Any]:
    path.with_name("ferry.characters.yaml").write_text(SIDECAR.replace("ferry", "barge"))
    return {}


@pytest.mark.parametrize("change", [change_text, change_languages, change_sidecar])
def test_what_the_corpus_depends_on_changes_its_hash(path: Path, change: Any) -> None:
    before = build(path, Counting())
    settings = change(path)
    assessor = Counting()
    after = build(path, assessor, **settings)
    assert after.card["hash"] != before.card["hash"]
    assert assessor.asked


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


def test_a_half_built_corpus_is_built_again(path: Path) -> None:
    card = build(path, Counting()).card
    folder = path.parent.parent / "cache" / card["hash"]
    (folder / "card.json").unlink()
    assessor = Counting()
    assert build(path, assessor).card == card
    assert assessor.asked


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
    assert both.reference["en"]["mixing"] == alone.reference["en"]["mixing"]
    assert both.reference["zh"]["bands"] != both.reference["en"]["bands"]
    english = [r for r in both.utterances if r["language"] == "en"]
    assert [r["reply_scores"] for r in english] == [r["reply_scores"] for r in alone.utterances]
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
