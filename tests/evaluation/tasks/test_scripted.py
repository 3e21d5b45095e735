"""Held-out characters in their own scenes."""

from __future__ import annotations

from typing import Any

import pytest

from lightning_dpg.config import DataConfig, EvaluationConfig
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample, make_samples
from lightning_dpg.evaluation.personas import character_centers
from lightning_dpg.evaluation.tasks.scripted import scripted
from lightning_dpg.evaluation.tasks.task import Task
from lightning_dpg.records import Profile
from tests.data.test_samples import LONG, corpus_of, row


def scene(number: int, answer: str, **other: Any) -> list[dict[str, Any]]:
    """Zed asks and Ann answers."""
    return [
        row("zed", f"Question {number}?", f"play/{number:03d}", **other),
        row("ann", f"{LONG} {answer}", f"play/{number:03d}", **other),
    ]


def task_of(corpus: Corpus, most: int = 10) -> tuple[Task, list[Sample]]:
    test = [s for s in make_samples(corpus, DataConfig()) if s.character == "play/ann"]
    return scripted(EvaluationConfig(replies_per_persona=most), corpus, test), test


def test_each_context_is_followed_by_what_the_text_has_there() -> None:
    task, test = task_of(corpus_of(*scene(1, "one"), *scene(2, "two")))
    (item,) = task.items
    assert task.name == "scripted"
    assert item.contexts == ((("Zed", "Question 1?"),), (("Zed", "Question 2?"),))
    assert item.gold == (f"{LONG} one", f"{LONG} two")
    assert [(s.context, s.reply) for s in test] == list(zip(item.contexts, item.gold, strict=True))


def test_the_target_is_the_center_and_not_the_profile_of_a_line() -> None:
    scenes = [
        *scene(1, "one", reply_scores=[5.0] * 5, dialogue_scores=[1.0] * 5),
        *scene(2, "two", reply_scores=[5.0] * 5, dialogue_scores=[-4.0] * 5),
    ]
    corpus = corpus_of(*scenes)
    (persona,) = task_of(corpus)[0].personas
    assert persona.target == character_centers(corpus)["play/ann"] == Profile((-1.5,) * 5)
    assert (persona.id, persona.kind) == ("held_out/play/ann", "held_out")
    assert (persona.character, persona.description) == ("play/ann", "About play/ann.")


@pytest.mark.parametrize(
    ("most", "taken"),
    [(1, [1]), (2, [1, 9]), (3, [1, 5, 9]), (4, [1, 4, 6, 9]), (9, [*range(1, 10)])],
)
def test_of_many_scenes_some_are_taken_from_first_to_last(most: int, taken: list[int]) -> None:
    corpus = corpus_of(*(line for i in range(1, 10) for line in scene(i, str(i))))
    (item,) = task_of(corpus, most)[0].items
    assert [gold.removeprefix(f"{LONG} ") for gold in item.gold] == [str(i) for i in taken]
    assert [context[0][1] for context in item.contexts] == [f"Question {i}?" for i in taken]


def test_a_persona_speaks_the_language_of_its_samples() -> None:
    chinese = [*scene(1, "一", language="zh"), *scene(2, "二", language="zh")]
    (persona,) = task_of(corpus_of(*chinese, *scene(3, "three")))[0].personas
    assert persona.language == "zh"
    (persona,) = task_of(corpus_of(*scene(1, "one")))[0].personas
    assert persona.language == "en"


def test_who_answers_nothing_is_left_out() -> None:
    silent = row("zed", " ", "play/001"), row("ann", LONG, "play/001")
    assert task_of(corpus_of(*silent))[0].items == ()
    (item,) = task_of(corpus_of(*silent, *scene(2, "two")))[0].items
    assert item.gold == (f"{LONG} two",)
    unrated = [line | {"dialogue_scores": None} for line in scene(1, "one")]
    assert task_of(corpus_of(*unrated))[0].items == ()


def test_the_play_has_a_part_for_everyone(corpus: Corpus) -> None:
    samples = make_samples(corpus, DataConfig())
    task = scripted(EvaluationConfig(replies_per_persona=2), corpus, samples)
    assert [p.name for p in task.personas] == ["Anna", "Ben", "Carla", "Dora", "Emil"]
    assert all(1 <= len(item.contexts) == len(item.gold) <= 2 for item in task.items)
