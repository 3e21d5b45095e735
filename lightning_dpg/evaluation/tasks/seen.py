"""Characters of training answer what held-out ones are asked: the overfitting view."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from lightning_dpg.config import EvaluationConfig
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation.personas import Persona, character_personas
from lightning_dpg.evaluation.tasks.open_questions import asked
from lightning_dpg.evaluation.tasks.task import Task


def seen(
    config: EvaluationConfig, corpus: Corpus, split: Mapping[str, Sequence[Sample]], seed: int
) -> Task:
    """As many characters of training as are held out, each with its own centre as target.

    They are drawn, as those who are held out are. Those with most lines would be no match for them:
    a centre that is a mean over more scenes lies nearer to the middle, where any reply is close.

    Args:
        config: how many questions, and in which language.
        corpus: that the samples of training are of.
        split: samples of training and test.
        seed: of the draw.
    """
    personas = character_personas(corpus, split["train"], "seen")
    count = min(len(personas), len({sample.character for sample in split["test"]}))
    drawn = random.Random(f"{seed}/seen").sample(personas, count)
    return Task("seen", "Characters of training", asked(sorted(drawn, key=_id), config))


def _id(persona: Persona) -> str:
    return persona.id
