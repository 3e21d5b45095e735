"""Held-out characters and profiles over the whole space answer open-ended questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lightning_dpg.config import EvaluationConfig
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation.personas import Persona, drawn_personas, held_out_personas
from lightning_dpg.evaluation.questions import closing, questions_for
from lightning_dpg.evaluation.tasks.task import Item, Task


def open_questions(
    config: EvaluationConfig, corpus: Corpus, test: Sequence[Sample], seed: int
) -> Task:
    """The characters of the held-out samples, then drawn profiles.

    Args:
        config: how many profiles and questions, and in which language.
        corpus: that the held-out samples are of.
        test: the held-out samples.
        seed: of the drawn profiles.
    """
    drawn = drawn_personas(config.drawn_profiles, seed)
    personas = held_out_personas(corpus, test) + drawn
    return Task("questions", "Open-ended questions", asked(personas, config))


def asked(personas: Iterable[Persona], config: EvaluationConfig) -> tuple[Item, ...]:
    """Whoever they are, they hear the same questions, in the language of the evaluation."""
    questions = questions_for(config.replies_per_persona, closing(config.language))
    contexts = tuple((question,) for question in questions)
    return tuple(Item(replace(persona, language=config.language), contexts) for persona in personas)
