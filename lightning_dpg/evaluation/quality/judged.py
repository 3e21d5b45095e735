"""What a language model makes of an arm's replies, in intervals over characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from lightning_dpg.assessment.quality_judge import Exchange, Performance, QualityJudge
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.quality.answers import Answer, spread
from lightning_dpg.evaluation.statistics import Interval, mean_interval
from lightning_dpg.evaluation.tasks.task import Item
from lightning_dpg.progress import Advance


class JudgedQuality(TypedDict):
    """As it stands in `results.json`; scores from 1 to 5, each persona counts alike.

    judge: its identity.
    fluency, coherency: of replies. consistency: of what a persona says.
    unscored: questions to the judge that gave no scores. reasons: how often each of why.
    """

    judge: str
    fluency: Interval
    coherency: Interval
    consistency: Interval
    unscored: int
    reasons: dict[str, int]


def judged(
    judge: QualityJudge,
    items: Sequence[Item],
    said: Sequence[Sequence[str]],
    *,
    resamples: int,
    seed: int,
    advance: Advance | None = None,
) -> JudgedQuality:
    """Have some replies of each persona judged (`QualityJudgeSettings.replies`).

    Args:
        judge: asks the language model.
        items: personas and what they were to answer.
        said: the replies of each, one to each of its contexts.
        resamples: of the bootstrap over characters.
        seed: of the bootstrap.
        advance: told how many questions are answered, one a reply and one a persona.
    """
    picked = [own for own in spread(items, said, judge.settings.replies) if own]
    personas = [own[0].persona for own in picked]
    found = judge.judge([performance(own) for own in picked], advance)

    def interval(scores: Sequence[Sequence[float | None]]) -> Interval:
        return _interval(personas, scores, resamples, seed)

    reasons = Counter(reason for judgement in found for reason in judgement.reasons)
    return JudgedQuality(
        judge=judge.identity,
        fluency=interval([j.fluency for j in found]),
        coherency=interval([j.coherency for j in found]),
        consistency=interval([[j.consistency] for j in found]),
        unscored=reasons.total(),
        reasons=dict(reasons.most_common()),
    )


def questions(judge: QualityJudge, items: Sequence[Item]) -> int:
    """How many questions `judged` asks at most: one a reply and one a persona."""
    most = judge.settings.replies
    return sum(min(most, len(item.contexts)) + 1 for item in items)


def performance(answers: Sequence[Answer]) -> Performance:
    """Replies of one persona as the judge takes them."""
    persona = answers[0].persona
    return Performance(
        tuple(Exchange(answer.context, answer.reply) for answer in answers),
        persona.description,
        "zh" if persona.language == "zh" else "en",
        # Who is nobody in the corpus has a name for display alone, such as `Drawn 3`.
        (persona.name,) if persona.character else (),
    )


def _interval(
    personas: Sequence[Persona],
    scores: Sequence[Sequence[float | None]],
    resamples: int,
    seed: int,
) -> Interval:
    """Over the means of those who have a score."""
    known = [
        (persona.cluster, [score for score in own if score is not None])
        for persona, own in zip(personas, scores, strict=True)
    ]
    scored = [(cluster, np.mean(own)) for cluster, own in known if own]
    values = np.array([value for _, value in scored], dtype=np.float64)
    return mean_interval(values, resamples, seed, [cluster for cluster, _ in scored])
