"""From settings to tasks."""

from __future__ import annotations

from typing import get_args

import pytest

from lightning_dpg.config import Config, TaskName
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample, make_samples, split_samples
from lightning_dpg.evaluation.personas import character_centers
from lightning_dpg.evaluation.tasks.make import make_tasks
from tests.data.test_samples import LONG, corpus_of, row


@pytest.fixture
def split(config: Config, corpus: Corpus) -> dict[str, list[Sample]]:
    config.evaluation.replies_per_persona, config.evaluation.drawn_profiles = 2, 2
    config.evaluation.newcomers, config.seed = 4, 3
    config.data.test_fraction = config.data.validation_fraction = 0.2
    return split_samples(make_samples(corpus, config.data), config.data, config.seed)


def test_every_task_has_a_maker_and_they_come_in_order(
    config: Config, corpus: Corpus, split: dict[str, list[Sample]]
) -> None:
    names: list[TaskName] = [*get_args(TaskName)][::-1]
    tasks = make_tasks(config, corpus, split, [*names, names[0]])
    assert [task.name for task in tasks] == names
    assert len({task.title for task in tasks}) == len(names)
    for task in tasks:
        ids = [persona.id for persona in task.personas]
        assert ids and len(ids) == len(set(ids))
        assert all(item.contexts for item in task.items)


def test_parts_keep_to_their_tasks(
    config: Config, corpus: Corpus, split: dict[str, list[Sample]]
) -> None:
    names: list[TaskName] = ["scripted", "seen"]
    scripted, seen = make_tasks(config, corpus, split, names)
    assert {p.character for p in scripted.personas} == {s.character for s in split["test"]}
    assert {p.character for p in seen.personas} < {s.character for s in split["train"]}


def test_a_task_in_which_nobody_speaks_is_left_out(
    config: Config, corpus: Corpus, split: dict[str, list[Sample]]
) -> None:
    config.evaluation.newcomers = 0
    tasks = make_tasks(config, corpus, split, ["newcomers", "questions"])
    assert [task.name for task in tasks] == ["questions"]
    assert make_tasks(config, corpus, split, []) == []


def test_held_out_characters_may_be_of_another_corpus(
    config: Config, corpus: Corpus, split: dict[str, list[Sample]]
) -> None:
    other = corpus_of(row("zed", "Who is there?"), row("ann", LONG, dialogue_scores=[2.5] * 5))
    split = split | {"test": make_samples(other, config.data)}
    names: list[TaskName] = ["questions", "scripted", "seen"]
    questions, scripted, seen = make_tasks(config, corpus, split, names, other)
    assert [p.id for p in questions.personas] == ["held_out/play/ann", "drawn/00", "drawn/01"]
    assert questions.personas[0].target == character_centers(other)["play/ann"]
    assert scripted.items[0].gold == (LONG,)
    assert [p.character.split("/")[0] for p in seen.personas] == ["ferry"]
