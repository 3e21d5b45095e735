"""Quality of what one arm said: by likelihood, by counting, by halves, and by a judge if any."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NotRequired, TypedDict

import numpy as np
import torch
from torch import Tensor

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.quality_judge import QualityJudge
from lightning_dpg.evaluation.instruments import Panel
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.quality.answers import Answer, spread
from lightning_dpg.evaluation.quality.halves import rate_halves
from lightning_dpg.evaluation.quality.judged import JudgedQuality, judged
from lightning_dpg.evaluation.quality.likelihoods import reply_nats, without_context
from lightning_dpg.evaluation.statistics import Floats, Interval, mean_interval
from lightning_dpg.evaluation.tasks.task import Item
from lightning_dpg.metrics.likelihood import context_gain, token_nll
from lightning_dpg.metrics.quality import distinct, length, loops
from lightning_dpg.metrics.refusals import refuses
from lightning_dpg.metrics.split_half import consistency, split_half
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.progress import Advance
from lightning_dpg.records import TRAITS


class Quality(TypedDict):
    """As it stands in `results.json`; None where there is nothing to compute.

    nll: fluency, `metrics.likelihood.token_nll` of a persona's replies; mean over personas.
    coherency: `metrics.likelihood.context_gain`, likewise.
    consistency: `metrics.split_half.consistency`, in [-1, 1].
    consistency_by_trait: `metrics.split_half.split_half`.
    distinct_1, distinct_2, distinct_3: different n-grams over all, in as many replies for each arm.
    loops, refusals: share of all replies that go round, and in which an assistant speaks.
    words: mean length of a reply.
    judged: what a language model makes of it, where one was asked.
    """

    nll: Interval
    coherency: Interval
    consistency: float | None
    consistency_by_trait: dict[str, float | None]
    distinct_1: float | None
    distinct_2: float | None
    distinct_3: float | None
    loops: float | None
    refusals: float | None
    words: float | None
    judged: NotRequired[JudgedQuality]


def measure_quality(
    backbone: Backbone,
    items: Sequence[Item],
    said: Sequence[Sequence[str]],
    panel: Panel,
    kept: Artefacts,
    *,
    replies: int,
    max_prompt_tokens: int,
    resamples: int,
    seed: int,
    judge: QualityJudge | None = None,
    advance: Advance | None = None,
) -> Quality:
    """How good an arm's replies are as replies, whatever they show of a personality.

    Args:
        backbone: the frozen model, without a scope of adapters; it measures likelihoods.
        items: personas and what they were to answer.
        said: the replies of each, one to each of its contexts.
        panel: instruments by language; their judges rate the halves of each persona's replies.
        kept: finished work of the run: halves are not rated twice.
        replies: of each persona, how many are measured by likelihood and variety.
        max_prompt_tokens: bound on the turns before a reply, as in training.
        resamples: of the bootstrap over characters.
        seed: of the bootstrap.
        judge: a language model that judges as well.
        advance: told how many of `judged.questions` the judge has answered.
    """
    picked = spread(items, said, replies)
    answers = [answer for own in picked for answer in own]
    given, tokens = reply_nats(backbone, answers, max_prompt_tokens)
    alone, _ = reply_nats(backbone, [without_context(a) for a in answers], max_prompt_tokens)

    def interval(measure: Callable[..., Tensor], *nats: Floats) -> Interval:
        personas, values = by_persona(answers, measure, *nats, tokens)
        return mean_interval(values, resamples, seed, [p.cluster for p in personas])

    chosen = [answer.reply for answer in answers]
    everything = [reply for own in said for reply in own]
    halves = rate_halves([item.persona for item in items], said, panel, kept)
    agreement = split_half(halves.first, halves.second).tolist()
    found = Quality(
        nll=interval(token_nll, given),
        coherency=interval(context_gain, alone, given),
        consistency=_known(float(consistency(halves.first, halves.second))),
        consistency_by_trait=dict(zip(TRAITS, map(_known, agreement), strict=True)),
        distinct_1=_known(distinct(chosen, 1)),
        distinct_2=_known(distinct(chosen, 2)),
        distinct_3=_known(distinct(chosen, 3)),
        loops=_mean([loops(reply) for reply in everything]),
        refusals=_mean([refuses(reply) for reply in everything]),
        words=_mean([length(reply) for reply in everything]),
    )
    if judge is not None:
        found["judged"] = judged(
            judge, items, said, resamples=resamples, seed=seed, advance=advance
        )
    return found


def by_persona(
    answers: Sequence[Answer], measure: Callable[..., Tensor], *columns: Floats
) -> tuple[list[Persona], Floats]:
    """A measure of each persona's replies, (personas,), and who they are; who is silent has none.

    Args:
        answers: whose replies.
        measure: of `metrics.likelihood`.
        columns: what it takes, one value a reply, (answers,) each.
    """
    rows: dict[Persona, list[int]] = {}
    for i, answer in enumerate(answers):
        rows.setdefault(answer.persona, []).append(i)
    values = {
        persona: float(measure(*(torch.from_numpy(column[own]) for column in columns)))
        for persona, own in rows.items()
    }
    spoken = [persona for persona, value in values.items() if not math.isnan(value)]
    return spoken, np.array([values[persona] for persona in spoken], dtype=np.float64)


def _known(value: float) -> float | None:
    """JSON knows no NaN."""
    return None if math.isnan(value) else value


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
