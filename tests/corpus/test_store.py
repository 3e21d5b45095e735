"""A corpus on disk: whole, or not there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lightning_dpg.corpus.store import Corpus, is_corpus
from lightning_dpg.errors import UserError


def test_a_corpus_survives_the_disk(corpus: Corpus, tmp_path: Path) -> None:
    before = Corpus(corpus.utterances, corpus.characters, corpus.card, {"bands": [1.5]})
    before.save(tmp_path / "corpus")
    after = Corpus.load(tmp_path / "corpus")
    assert list(after.utterances) == list(before.utterances)
    assert list(after.characters) == list(before.characters)
    assert after.utterances.features == before.utterances.features
    assert (after.card, after.reference) == (before.card, {"bands": [1.5]})


def test_saving_leaves_nothing_else_behind(corpus: Corpus, tmp_path: Path) -> None:
    corpus.save(tmp_path / "corpora" / "one")
    corpus.save(tmp_path / "corpora" / "one")  # in the place of an older one
    assert [path.name for path in (tmp_path / "corpora").iterdir()] == ["one"]


@pytest.mark.parametrize("read", [is_corpus, Corpus.load])
def test_a_corpus_whose_replacement_was_killed_is_found(
    corpus: Corpus, tmp_path: Path, read: Callable[[Path], object]
) -> None:
    folder = tmp_path / "one"
    corpus.save(folder)
    folder.rename(tmp_path / ".one-0123456789ab-old")
    assert read(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize("missing", ["utterances", "characters", "card.json", "reference.json"])
def test_an_incomplete_corpus_is_refused(corpus: Corpus, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "corpus"
    corpus.save(folder)
    part = folder / missing
    shutil.rmtree(part) if part.is_dir() else part.unlink()
    with pytest.raises(UserError) as caught:
        Corpus.load(folder)
    assert str(caught.value).startswith(f"{folder} is no complete corpus (")
    assert str(caught.value).endswith("delete it and build it again")


def test_a_damaged_card_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    corpus.save(tmp_path / "corpus")
    (tmp_path / "corpus" / "card.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="is no complete corpus"):
        Corpus.load(tmp_path / "corpus")


def test_an_unscored_speech_is_null_and_not_zero(corpus: Corpus, tmp_path: Path) -> None:
    row = {**corpus.utterances[0], "reply_scores": None, "dialogue_scores": None}
    utterances = type(corpus.utterances).from_list([row], features=corpus.utterances.features)
    Corpus(utterances, corpus.characters, corpus.card, {}).save(tmp_path / "corpus")
    assert Corpus.load(tmp_path / "corpus").utterances[0]["reply_scores"] is None


def test_a_copy_of_a_copy_is_the_same_to_the_byte(corpus: Corpus, tmp_path: Path) -> None:
    corpus.save(tmp_path / "one")
    Corpus.load(tmp_path / "one").save(tmp_path / "two")
    for path in (tmp_path / "one").rglob("*.*"):
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert other.read_bytes() == path.read_bytes(), path.name


def test_an_older_corpus_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    old = replace(corpus, utterances=corpus.utterances.remove_columns(["dropped", "split"]))
    old.save(tmp_path / "corpus")
    with pytest.raises(UserError, match=r"older version .* had no dropped, split: build it again"):
        Corpus.load(tmp_path / "corpus")


def test_a_corpus_has_a_readable_card(corpus: Corpus, tmp_path: Path) -> None:
    corpus.save(tmp_path / "corpus")
    text = (tmp_path / "corpus" / "README.md").read_text(encoding="utf-8")
    assert corpus.card["hash"] in text and "ferry.txt" in text
