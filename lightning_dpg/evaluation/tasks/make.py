"""The tasks of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lightning_dpg.config import Config, TaskName
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation.tasks.newcomers import newcomers
from lightning_dpg.evaluation.tasks.open_questions import open_questions
from lightning_dpg.evaluation.tasks.scripted import scripted
from lightning_dpg.evaluation.tasks.seen import seen
from lightning_dpg.evaluation.tasks.task import Task


def make_tasks(
    config: Config,
    corpus: Corpus,
    split: Mapping[str, Sequence[Sample]],
    names: Sequence[TaskName],
    test_corpus: Corpus | None = None,
) -> list[Task]:
    """The named tasks in their order, each once; one in which nobody speaks is left out.

    Args:
        config: settings of the run.
        corpus: that was trained on.
        split: its samples by part.
        names: as in `evaluation.tasks`.
        test_corpus: that the held-out samples are of, where it is another.
    """
    evaluation, seed, other = config.evaluation, config.seed, test_corpus or corpus
    makers: dict[TaskName, Callable[[], Task]] = {
        "questions": lambda: open_questions(evaluation, other, split["test"], seed),
        "scripted": lambda: scripted(evaluation, other, split["test"]),
        "newcomers": lambda: newcomers(evaluation, config.data, seed),
        "seen": lambda: seen(evaluation, corpus, split, seed),
    }
    made = [makers[name]() for name in dict.fromkeys(names)]
    return [task for task in made if task.items]
