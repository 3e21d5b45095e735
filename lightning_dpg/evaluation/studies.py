"""What is asked of DPG alone: one dial at a time, and descriptions with all dials at 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lightning_dpg.assessment.base import Assessor
from lightning_dpg.config import Config
from lightning_dpg.evaluation.descriptions import DescriptionEffect, description_effect
from lightning_dpg.evaluation.dose import dose_response
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.questions import CLOSING, questions_for
from lightning_dpg.evaluation.statistics import Floats
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.description import DescriptionEncoder
from lightning_dpg.records import Rating


class Answer(NamedTuple):
    """One reply of a described persona."""

    persona: str
    question: str
    reply: str


def studies(
    config: Config,
    personas: Sequence[Persona],
    ratings: Sequence[Rating],
    said: Mapping[str, Sequence[str]],
    backbone: Backbone,
    instruments: Instruments,
) -> dict[str, Any]:
    """The dose-response, and the effect of descriptions.

    Args:
        config: settings of the run.
        personas: all that the arm was asked to be.
        ratings: the judge's, one for each.
        said: the replies of each, by its id.
        backbone: encodes replies.
        instruments: a reader of single replies, and a second instrument.
    """
    doses = [(p, r) for p, r in zip(personas, ratings, strict=True) if p.kind == "dose"]
    second = instruments.second.rate([said[p.id] for p, _ in doses])
    answers = described_answers(personas, said, config.evaluation.replies_per_persona)

    def effect(points: Floats, given: Sequence[Answer]) -> DescriptionEffect:
        whose, asked = [a.persona for a in given], [a.question for a in given]
        return description_effect(points, whose, asked, config.evaluation.bootstrap, config.seed)

    return {
        "dose_response": dose_response([p for p, _ in doses], [r for _, r in doses], second)
        if doses
        else {},
        "descriptions": {
            "traits": effect(*_traits(answers, instruments.reader)),
            "words": effect(_words(answers, backbone), answers),
        },
    }


def described_answers(
    personas: Sequence[Persona], said: Mapping[str, Sequence[str]], count: int
) -> list[Answer]:
    """What described personas answered to which question; empty replies are left out."""
    questions = questions_for(count, CLOSING)
    return [
        Answer(persona.id, question, reply)
        for persona in personas
        if persona.kind == "described"
        for (_, question), reply in zip(questions, said[persona.id], strict=True)
        if reply
    ]


def _traits(answers: Sequence[Answer], reader: Assessor) -> tuple[Floats, list[Answer]]:
    """What single replies show of the five traits, (scored replies, 5), and which they are."""
    rated = zip(answers, reader.rate([[answer.reply] for answer in answers]), strict=True)
    shown = [(answer, rating.scores) for answer, rating in rated if rating.complete]
    points = np.array([scores for _, scores in shown], dtype=np.float64)
    return points, [answer for answer, _ in shown]


def _words(answers: Sequence[Answer], backbone: Backbone) -> Floats:
    """Replies as the frozen model encodes them, (replies, hidden), each dimension at spread 1."""
    if not answers:
        return np.empty((0, 1))
    encoded = DescriptionEncoder(backbone)([answer.reply for answer in answers])
    words = encoded.double().cpu().numpy()
    points: Floats = words / np.maximum(words.std(0), 1e-6)
    return points
