"""A corpus for people to look into, and the commands that build and show it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from lightning_dpg.__main__ import app
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.config import DataConfig, FilterConfig
from lightning_dpg.corpus import show
from lightning_dpg.corpus.build import build_corpus
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.corpus.tables import candidates
from lightning_dpg.errors import UserError
from lightning_dpg.progress import Steps

PLAY = """\
Nobody says this.
ANNA: You are late again and the tide waits for nobody.
BEN: I was counting [all] the ropes.
ALL: Cast off before the water is gone from under us!
ANNA: Go.
"""
CHINESE = (
    "甲：你怎么现在才来？我们已经等了整整一个下午了。\n乙：路上下了很大的雨，我的车坏在半路上了。\n"
)
NOTES = "ANNA:\n  description: Captain of the ferry.\n  aliases: [THE CAPTAIN]\n"
TINY = ["--set", "backbone=tiny", "--set", "assessor=scripted"]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "ferry.txt").write_text(PLAY, encoding="utf-8")
    (folder / "ferry.characters.yaml").write_text(NOTES, encoding="utf-8")
    (folder / "teahouse.txt").write_text(CHINESE, encoding="utf-8")
    (folder / "notes.txt").write_text("Only prose stands here.\nNobody speaks.\n")
    return folder


@pytest.fixture
def corpus(texts: Path, tmp_path: Path) -> Corpus:
    config = DataConfig(sources=[str(texts)], languages=[])
    return build_corpus(config, ScriptedAssessor(min_words=4), tmp_path / "cache", Steps())


def text_of(shown: object) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(shown)
    return captured.get()


def test_the_summary_counts_by_work_and_says_what_is_missing(corpus: Corpus) -> None:
    lines = [" ".join(line.split()) for line in text_of(show.summary(corpus)).splitlines()]
    # Dialogues, characters, speeches, scored, kept, words.
    assert "ferry en 1 2 4 2 2 27" in lines
    assert any(line.startswith("teahouse zh 1 2 2 2 2 ") for line in lines)
    assert any(line.startswith("2 works en, zh 2 4 6 4 4 ") for line in lines)
    assert "Left out (rejected.jsonl): 2" in lines
    assert "Speeches without scores: 2" in lines
    assert "1 insufficient evidence: N words, N are needed" in lines
    assert "1 said by a group or by nobody named" in lines


def test_a_character_speaks_and_lies_somewhere(corpus: Corpus) -> None:
    text = text_of(show.character(corpus, "Anna"))
    assert "ANNA (ferry/anna), 2 speeches, for " in text
    assert "Captain of the ferry." in text
    assert "the tide waits for nobody" in text and "counting" not in text
    assert "on average openness " in text
    assert text == text_of(show.character(corpus, "ferry/anna"))
    with pytest.raises(UserError, match=r"got 'Carl', which is nobody: ferry/anna, ferry/ben, "):
        show.character(corpus, "Carl")


def test_a_dialogue_is_shown_whole_and_brackets_are_text(corpus: Corpus) -> None:
    text = text_of(show.dialogue(corpus, "ferry/001"))
    assert text.index("You are late") < text.index("counting [all] the ropes") < text.index("Go.")
    with pytest.raises(UserError, match=r"got 'ferry/9': ferry/001, teahouse/001"):
        show.dialogue(corpus, "ferry/9")


def test_what_was_left_out_has_its_place(corpus: Corpus) -> None:
    text = text_of(show.rejected(corpus))
    assert "ferry.txt" in text and "line 1" in text
    assert "notes.txt" in text and "No reader accepts" in text


def test_the_commands_build_and_show(texts: Path, tmp_path: Path) -> None:
    runner, out = CliRunner(), tmp_path / "mine"
    built = runner.invoke(app, ["corpus", "build", str(texts), "--out", str(out), *TINY])
    assert built.exit_code == 0, built.output
    assert "Left out (rejected.jsonl): 2" in built.output
    assert set(Corpus.load(out).card["languages"]) == {"en", "zh"}
    shown = runner.invoke(app, ["corpus", "show", str(out), "--character", "anna"])
    assert "Captain of the ferry." in shown.output
    english = ["--language", "en", "--out", str(tmp_path / "english"), *TINY]
    assert runner.invoke(app, ["corpus", "build", str(texts), *english]).exit_code == 0
    assert Corpus.load(tmp_path / "english").card["languages"] == ["en"]


def test_a_folder_with_something_else_is_not_written_over(texts: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["corpus", "build", "bundled", "--out", str(texts), *TINY])
    assert isinstance(result.exception, UserError)
    assert "expected a new folder or a corpus" in str(result.exception)
    assert (texts / "ferry.txt").is_file()


def test_a_corpus_that_was_built_is_a_source(corpus: Corpus, tmp_path: Path) -> None:
    corpus.save(tmp_path / "mine")

    class Unused(ScriptedAssessor):
        def rate(self, *args: object, **kwargs: object) -> list:  # type: ignore[type-arg, override]
            raise AssertionError("rated again")

    config = DataConfig(sources=[str(tmp_path / "mine")], languages=[])
    again = build_corpus(config, Unused(), tmp_path / "other", Steps())
    assert again.card == corpus.card and again.rejected == corpus.rejected
    english = DataConfig(sources=config.sources)
    part = build_corpus(english, Unused(), tmp_path / "other", Steps())
    assert {row["language"] for row in part.utterances} == {"en"}
    assert (part.card["utterances"], part.card["languages"]) == (4, ["en"])
    assert {row["id"] for row in part.characters} == {"ferry/anna", "ferry/ben"}
    with pytest.raises(UserError, match=r"No dialogue in ru .* languages found: en, zh"):
        build_corpus(replace(english, languages=["ru"]), Unused(), tmp_path / "other", Steps())
    both = DataConfig(sources=[str(tmp_path / "mine"), "bundled"])
    with pytest.raises(UserError, match="is a corpus that was built already, which stands alone"):
        build_corpus(both, Unused(), tmp_path / "other", Steps())


@pytest.fixture
def filtered(tmp_path: Path) -> Corpus:
    """Four scenes, in the last of which Anna is not herself."""
    texts = tmp_path / "scenes" / "ferry.txt"
    texts.parent.mkdir()
    scene = "【On deck】\nANNA: The tide waits {}.\nBEN: Count [all] the ropes {}.\n\n"
    texts.write_text("".join(scene.format(*[n] * 2) for n in "once again now".split()))
    with texts.open("a") as file:
        file.write(scene.format("no longer", "no more"))

    def rule(text: str) -> tuple[float, ...]:
        return (4.5,) * 5 if "longer" in text else (len(text) / 40,) * 5

    config = DataConfig(sources=[str(texts)], languages=[], filters=FilterConfig(5.0))
    return build_corpus(config, ScriptedAssessor(rule), tmp_path / "cache", Steps())


def test_the_summary_says_what_filters_did(filtered: Corpus) -> None:
    lines = [" ".join(line.split()) for line in text_of(show.summary(filtered)).splitlines()]
    assert "ferry en 4 2 8 8 7 38" in lines
    assert any(line.startswith("Filters: Parts of characters") for line in lines)
    assert "1 speeches by distance: 1 parts in 1 dialogues" in lines
    assert "trait within, before after between, before after" in lines
    assert any(line.startswith("Split: train 2 characters with 7 speeches") for line in lines)


def test_a_character_is_shown_part_by_part(filtered: Corpus) -> None:
    lines = [
        " ".join(line.split()) for line in text_of(show.character(filtered, "Anna")).splitlines()
    ]
    (far,) = [line for line in lines if line.startswith("ferry/004")]
    assert far.startswith("ferry/004 1 +4.5 +4.5 +4.5 +4.5 +4.5 ") and far.endswith("5 is allowed")
    (near,) = [line for line in lines if line.startswith("ferry/001")]
    assert not near.endswith("allowed") and float(near.split()[-1]) < 1
    assert "on average openness +0.5," in " ".join(lines)  # without what was dropped


def test_what_was_dropped_is_listed_beside_other_thresholds(
    filtered: Corpus, corpus: Corpus
) -> None:
    lines = [" ".join(line.split()) for line in text_of(show.dropped(filtered)).splitlines()]
    assert "Of 8 parts with a distance, these would be dropped:" in lines
    assert "5 1 (12.5%) 1" in lines
    few = text_of(candidates(list(filtered.utterances), least=5)).splitlines()
    assert "5 0 (0.0%) 0" in [" ".join(line.split()) for line in few]
    (far,) = [line for line in lines if line.startswith("ferry/004")]
    assert far.startswith("ferry/004 ferry/anna 1 +4.5")
    assert "Nothing was dropped." in text_of(show.dropped(corpus))


def test_a_built_corpus_is_filtered_by_another_distance(filtered: Corpus, tmp_path: Path) -> None:
    filtered.save(tmp_path / "mine")

    def taken(most: float | None) -> Corpus:
        config = DataConfig([str(tmp_path / "mine")], [], filters=FilterConfig(most))
        return build_corpus(config, ScriptedAssessor(), tmp_path / "other", Steps())

    assert taken(None).card == taken(5.0).card == filtered.card
    wide = taken(1000.0)
    assert not any(row["dropped"] for row in wide.utterances)
    assert (wide.card["dropped"], wide.card["kept"]) == ({}, 8)
    assert wide.card["thresholds"]["max_distance"] == 1000.0
    assert wide.card["hash"] != filtered.card["hash"]
    wide.save(tmp_path / "mine")
    assert taken(5.0).card == filtered.card


def test_a_judged_dialogue_says_so(filtered: Corpus) -> None:
    rows = [{**row, "coherence": 4.0, "integrity": 2.5} for row in filtered.utterances]
    table = type(filtered.utterances).from_list(rows, features=filtered.utterances.features)
    card = {
        **filtered.card,
        "judge": {"identity": "judge/1", "unjudged": {"refused: no": 2}},
        "thresholds": {**filtered.card["thresholds"], "least_coherence": 3, "least_integrity": 2},
    }
    judged = replace(filtered, utterances=table, card=card)
    assert "judged coherence 4, integrity 2.5" in text_of(show.dialogue(judged, "ferry/001"))
    text = text_of(show.summary(judged))
    assert "dialogues judged by judge/1" in text
    assert "Dialogues that were not judged, and kept: 2" in text
