"""Studies beside the tasks: one dial at a time, descriptions alone, overfitting, controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from lightning_dpg.config import Arm, Config
from lightning_dpg.evaluation.descriptions import DescriptionEffect, description_effect
from lightning_dpg.evaluation.dose import dose_response
from lightning_dpg.evaluation.instruments import by_second, rate
from lightning_dpg.evaluation.personas import Persona, described_personas, dose_personas
from lightning_dpg.evaluation.quality.controls import controls
from lightning_dpg.evaluation.results import floats, ratings_tensor
from lightning_dpg.evaluation.speech import Said
from lightning_dpg.evaluation.statistics import Floats, mean_interval
from lightning_dpg.evaluation.statistics.comparison import difference_between
from lightning_dpg.evaluation.summary import MAIN
from lightning_dpg.evaluation.tasks import Task
from lightning_dpg.evaluation.tasks.open_questions import asked
from lightning_dpg.metrics.functional import persona_deviation, scored
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.description import DescriptionEncoder
from lightning_dpg.records import TRAITS, Rating

if TYPE_CHECKING:
    from lightning_dpg.evaluation.evaluate import Evaluation

DOSE, DESCRIBED = "dose", "described"
"""Names of the studies' tasks."""
NULL: Arm = "unadapted"
"""The arm that serves as a null adapter."""

Asked = Sequence[tuple[Task, Arm]]
All = Mapping[tuple[str, Arm], Any]
"""By task and arm."""


class Answer(NamedTuple):
    """One reply of a described persona."""

    persona: str
    question: str
    reply: str


def study_tasks(
    config: Config, tasks: Sequence[Task], arms: Sequence[Arm]
) -> list[tuple[Task, Arm]]:
    """What is asked of DPG alone, and of the frozen model as its control."""
    if MAIN not in arms:
        return []
    e = config.evaluation

    def task(name: str, title: str, personas: Sequence[Persona]) -> Task:
        return Task(name, title, asked(personas, e))

    found: list[tuple[Task, Arm]] = []
    if e.dose_levels:
        personas = dose_personas(e.dose_levels, [tuple(scores) for scores in e.dose_backgrounds])
        size = e.dose_levels * len(TRAITS)
        found.append((task(DOSE, "One dial", personas[:size]), MAIN))
        # Further backgrounds are tasks of their own, so that the first is found where it was kept.
        for k in range(1, len(personas) // size):
            name, mine = f"{DOSE}/{k}", personas[k * size : (k + 1) * size]
            found.append((task(name, f"One dial, background {k}", mine), MAIN))
        if NULL in arms:
            found.append((task(DOSE, "No dial", personas[:size]), NULL))
    held_out = [p for t in tasks if t.name == "questions" for p in t.personas]
    described = described_personas([p for p in held_out if p.kind == "held_out"])
    return (
        [*found, (task(DESCRIBED, "Descriptions alone", described), MAIN)] if described else found
    )


def studies(evaluation: Evaluation, done: Asked, said: All, ratings: All) -> dict[str, Any]:
    """The dose-response, the effect of descriptions, overfitting, and controls of the measures.

    What has no score in the first two stands with reasons under `unscored`, by study and arm.
    """
    tasks = {(task.name, arm): task for task, arm in done}
    config, language = evaluation.config, evaluation.config.evaluation.language
    found: dict[str, Any] = {"dose_response": {}, "descriptions": {}}
    silent = _silent_doses(tasks, ratings)
    rounds = [key for key in tasks if key[1] == MAIN and key[0].partition("/")[0] == DOSE]
    if rounds:
        personas = [persona for key in rounds for persona in tasks[key].personas]
        measured = [rating for key in rounds for rating in ratings[key]]
        texts = [said[key][p.id] for key in rounds for p in tasks[key].personas]
        second = rate(personas, texts, evaluation.panel, by_second, evaluation.kept)
        null = ratings.get((DOSE, NULL))
        settings = {"resamples": config.evaluation.bootstrap, "seed": config.seed}
        found["dose_response"] = dose_response(personas, measured, second, null, **settings)
    if (DESCRIBED, MAIN) in tasks:
        answers = described_answers(tasks[DESCRIBED, MAIN], said[DESCRIBED, MAIN])
        read = evaluation.panel(language).reader.rate([[answer.reply] for answer in answers])
        found["descriptions"] = _descriptions(config, answers, read, evaluation.backbone)
        count = sum(len(replies) for replies in said[DESCRIBED, MAIN].values())
        why = ["empty reply"] * (count - len(answers))
        why += [rating.reason for rating in read if not rating.complete]
        silent[DESCRIBED] = {MAIN: _unscored("reply", count, why)}
    found["unscored"] = silent
    found["overfitting"] = _overfitting(config, tasks, ratings)
    found["controls"] = _controls(evaluation, tasks, said)
    return found


def described_answers(task: Task, said: Said) -> list[Answer]:
    """What described personas answered to which question; empty replies are left out."""
    return [
        Answer(item.persona.id, context[-1][1], reply)
        for item in task.items
        for context, reply in zip(item.contexts, said[item.persona.id], strict=True)
        if reply
    ]


def _descriptions(
    config: Config, answers: Sequence[Answer], read: Sequence[Rating], backbone: Backbone
) -> dict[str, DescriptionEffect]:
    def effect(points: Floats, given: Sequence[Answer]) -> DescriptionEffect:
        whose, asked = [a.persona for a in given], [a.question for a in given]
        return description_effect(points, whose, asked, config.evaluation.bootstrap, config.seed)

    return {
        "traits": effect(*_traits(answers, read)),
        "words": effect(_words(answers, backbone), answers),
    }


def _silent_doses(tasks: Iterable[tuple[str, Arm]], ratings: All) -> dict[str, dict[str, Any]]:
    """What has no score of the dose-response, by study and arm."""
    found: dict[str, dict[str, Any]] = {}
    for name, arm in tasks:
        if name.partition("/")[0] == DOSE:
            rated = ratings[name, arm]
            why = [rating.reason for rating in rated if not rating.complete]
            found.setdefault(name, {})[arm] = _unscored("persona", len(rated), why)
    return found


def _unscored(unit: str, of: int, reasons: Iterable[str]) -> dict[str, Any]:
    """How many there were, and how many have no score for which reason."""
    return {"unit": unit, "of": of, "reasons": dict(Counter(reasons))}


def _traits(answers: Sequence[Answer], read: Sequence[Rating]) -> tuple[Floats, list[Answer]]:
    """What single replies show of the five traits, (scored replies, 5), and which they are."""
    rated = zip(answers, read, strict=True)
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


def _overfitting(
    config: Config, tasks: Mapping[tuple[str, Arm], Task], ratings: All
) -> dict[str, Any]:
    """By arm, how far characters of training deviate, and how far those that were held out."""
    found: dict[str, Any] = {}
    for name, arm in tasks:
        if name == "seen" and ("questions", arm) in tasks:
            seen = _deviations(tasks[name, arm].personas, ratings[name, arm])
            others = _deviations(
                tasks["questions", arm].personas, ratings["questions", arm], "held_out"
            )
            settings = config.evaluation.bootstrap, config.seed
            found[arm] = {
                "seen": mean_interval(seen, *settings),
                "unseen": mean_interval(others, *settings),
                **difference_between(seen, others, *settings),
            }
    return found


def _deviations(
    personas: Sequence[Persona], ratings: Sequence[Rating], kind: str | None = None
) -> Floats:
    """L2 deviations of the scored personas of a kind."""
    chosen = [(p, r) for p, r in zip(personas, ratings, strict=True) if kind in (None, p.kind)]
    measured = ratings_tensor([rating for _, rating in chosen])
    targets = torch.tensor([p.target.scores for p, _ in chosen]).reshape(-1, len(TRAITS))
    kept = scored(measured)
    return floats(persona_deviation(targets[kept], measured[kept]))


def _controls(
    evaluation: Evaluation, tasks: Mapping[tuple[str, Arm], Task], said: All
) -> dict[str, Any]:
    """Whether measures of quality catch broken replies, on those of the main arm."""
    arms = [arm for name, arm in tasks if name == "questions"]
    if not arms:
        return {}
    arm = MAIN if MAIN in arms else arms[-1]
    items, e = tasks["questions", arm].items, evaluation.config.evaluation
    return controls(
        evaluation.backbone,
        items,
        [said["questions", arm][item.persona.id] for item in items],
        evaluation.panel,
        evaluation.kept,
        replies=e.fluency_replies,
        max_prompt_tokens=evaluation.config.data.max_prompt_tokens,
        resamples=e.bootstrap,
        seed=evaluation.config.seed,
    )
