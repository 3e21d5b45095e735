"""Who answers open-ended questions, and which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lightning_dpg.config import DataConfig, EvaluationConfig
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample, make_samples
from lightning_dpg.evaluation.personas import drawn_personas, held_out_personas
from lightning_dpg.evaluation.questions import CLOSING, closing
from lightning_dpg.evaluation.tasks.open_questions import open_questions


@pytest.fixture
def test_part(corpus: Corpus) -> list[Sample]:
    samples = make_samples(corpus, DataConfig())
    return [s for s in samples if s.character in ("ferry/anna", "ferry/emil")]


def test_held_out_characters_and_drawn_profiles_hear_the_first_questions(
    corpus: Corpus, test_part: list[Sample]
) -> None:
    settings = EvaluationConfig(drawn_profiles=3, replies_per_persona=4)
    task = open_questions(settings, corpus, test_part, 5)
    assert task.name == "questions"
    assert [p.id for p in task.personas] == [
        "held_out/ferry/anna",
        "held_out/ferry/emil",
        "drawn/00",
        "drawn/01",
        "drawn/02",
    ]
    assert task.personas == held_out_personas(corpus, test_part) + drawn_personas(3, 5)
    for item in task.items:
        assert item.contexts == tuple((question,) for question in CLOSING[:4])
        assert item.gold == ()


def test_questions_and_personas_have_the_language_of_the_evaluation(
    corpus: Corpus, test_part: list[Sample]
) -> None:
    settings = EvaluationConfig(drawn_profiles=2, replies_per_persona=3, language="zh")
    task = open_questions(settings, corpus, test_part, 0)
    assert {p.language for p in task.personas} == {"zh"}
    assert task.items[0].contexts == tuple((question,) for question in closing("zh")[:3])
    english = open_questions(replace(settings, language="en"), corpus, test_part, 0)
    assert [p.target for p in task.personas] == [p.target for p in english.personas]
