"""Whether each measure catches what it should: real replies against the same ones broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from lightning_dpg.evaluation.instruments import Panel
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.quality.answers import Answer, spread
from lightning_dpg.evaluation.quality.breaking import (
    most_different,
    other_questions,
    shuffled_words,
)
from lightning_dpg.evaluation.quality.halves import Halves, rate_halves
from lightning_dpg.evaluation.quality.likelihoods import reply_nats, without_context
from lightning_dpg.evaluation.quality.measure import by_persona
from lightning_dpg.evaluation.statistics import Floats, Interval, mean_interval
from lightning_dpg.evaluation.statistics.comparison import comparison
from lightning_dpg.evaluation.statistics.intervals import interval
from lightning_dpg.evaluation.statistics.resampling import draws
from lightning_dpg.evaluation.tasks.task import Item
from lightning_dpg.metrics.functional import correlation, scored
from lightning_dpg.metrics.likelihood import context_gain, token_nll
from lightning_dpg.metrics.split_half import spearman_brown
from lightning_dpg.models.backbone import Backbone

ByPersona = tuple[list[Persona], Floats]
FEWEST = 3
"""Personas of which there is a correlation."""
LEAST_DEFINED = 0.9
"""Share of resamples of few personas that must have a correlation, for an interval."""


class Example(TypedDict):
    """One of what was compared, in words."""

    intact: str
    broken: str


class Control(TypedDict):
    """A measure of replies as they are, and of the same replies broken.

    measure: its key in `Quality`.
    difference: broken minus intact: above 0 for `nll`, below for the others, if it works.
    p: two-sided; None where it cannot be computed.
    """

    measure: str
    intact: Interval
    broken: Interval
    difference: Interval
    p: float | None
    example: Example


def controls(
    backbone: Backbone,
    items: Sequence[Item],
    said: Sequence[Sequence[str]],
    panel: Panel,
    *,
    replies: int,
    max_prompt_tokens: int,
    resamples: int,
    seed: int,
) -> dict[str, Control]:
    """Each measure on what it is made to catch; arguments as of `measure_quality`.

    Returns:
        `shuffled_words`: the words of each reply in another order, by fluency; `other_question`:
        each reply as if to another's question, by coherency; `spliced`: every second reply of a
        persona put in from the most different one, by consistency. What cannot be broken (too few
        personas, all asked one question) is left out.
    """
    picked = spread(items, said, replies)
    answers = [answer for own in picked for answer in own if answer.reply.strip()]
    halves = rate_halves([item.persona for item in items], said, panel)
    likelihoods = _Likelihoods(backbone, max_prompt_tokens, resamples, seed)
    found = {
        "shuffled_words": likelihoods.shuffled_words(answers),
        "other_question": likelihoods.other_question(answers),
        "spliced": spliced(halves, resamples, seed),
    }
    return {name: control for name, control in found.items() if control}


@dataclass(frozen=True)
class _Likelihoods:
    """The controls that the frozen model reads."""

    backbone: Backbone
    max_prompt_tokens: int
    resamples: int
    seed: int

    def shuffled_words(self, answers: Sequence[Answer]) -> Control | None:
        orders = [shuffled_words(a.reply, f"{self.seed}/{i}") for i, a in enumerate(answers)]
        pairs = [(a, a.saying(text)) for a, text in zip(answers, orders, strict=True) if text]

        def values(chosen: Sequence[Answer]) -> ByPersona:
            return by_persona(chosen, token_nll, *self._nats(chosen))

        return self._control("nll", pairs, values, lambda answer: answer.reply)

    def other_question(self, answers: Sequence[Answer]) -> Control | None:
        handed = other_questions(answers, self.seed)
        pairs = [
            (answer, answer.to(answers[j].context))
            for answer, j in zip(answers, handed, strict=True)
            if j is not None
        ]
        alone, tokens = self._nats([without_context(answer) for answer, _ in pairs])

        def values(chosen: Sequence[Answer]) -> ByPersona:
            return by_persona(chosen, context_gain, alone, self._nats(chosen)[0], tokens)

        return self._control("coherency", pairs, values, _exchange)

    def _nats(self, answers: Sequence[Answer]) -> tuple[Floats, Floats]:
        return reply_nats(self.backbone, answers, self.max_prompt_tokens)

    def _control(
        self,
        measure: str,
        pairs: Sequence[tuple[Answer, Answer]],
        values: Callable[[Sequence[Answer]], ByPersona],
        shown: Callable[[Answer], str],
    ) -> Control | None:
        """Replies and the same ones broken, compared persona by persona."""
        if not pairs:
            return None
        personas, intact = values([whole for whole, _ in pairs])
        _, broken = values([changed for _, changed in pairs])
        clusters = [persona.cluster for persona in personas]
        compared = comparison(broken, intact, clusters, self.resamples, self.seed)
        return Control(
            measure=measure,
            intact=mean_interval(intact, self.resamples, self.seed, clusters),
            broken=mean_interval(broken, self.resamples, self.seed, clusters),
            difference=compared["difference"],
            p=compared["p"],
            example=Example(intact=shown(pairs[0][0]), broken=shown(pairs[0][1])),
        )


def spliced(halves: Halves, resamples: int, seed: int) -> Control | None:
    """Consistency of personas, and of the same with every second reply from somebody else.

    The other's even replies are rated already, so nothing is rated again. Intervals and p come from
    the bootstrap over characters: a correlation over personas has no value for each of them.

    Args:
        halves: of all personas; those who are unscored in one of them are left out.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    both = scored(halves.first) & scored(halves.second)
    halves = halves.of(both.nonzero().flatten().tolist())
    kept = [(i, j) for i, j in enumerate(most_different(halves)) if j is not None]
    own, other = halves.of([i for i, _ in kept]), halves.of([j for _, j in kept])
    clusters = [persona.cluster for persona in own.personas]
    weights = draws(len(kept), clusters, resamples, seed)
    if len(kept) < FEWEST or weights is None:
        return None

    def agreement(second: Tensor) -> tuple[float, Floats]:
        """Of these personas, and of each resample of them."""
        rows = torch.from_numpy(np.vstack([np.ones(len(kept)), weights]))
        r = correlation(own.first.double(), second.double(), rows[..., None])
        values = spearman_brown(r).nanmean(-1).numpy()
        return float(values[0]), values[1:]

    (intact, intact_drawn), (broken, broken_drawn) = agreement(own.second), agreement(other.second)
    if not np.isfinite([intact, broken]).all():  # nobody differs from anybody
        return None
    change = broken_drawn - intact_drawn
    return Control(
        measure="consistency",
        intact=interval(intact, intact_drawn, LEAST_DEFINED),
        broken=interval(broken, broken_drawn, LEAST_DEFINED),
        difference=interval(broken - intact, change, LEAST_DEFINED),
        p=_two_sided(change),
        example=Example(
            intact=f"{_first(own.odd[0])} / {_first(own.even[0])}",
            broken=f"{_first(own.odd[0])} / {_first(other.even[0])}",
        ),
    )


def _two_sided(change: Floats) -> float | None:
    """How often resamples fall on the other side of 0, twice; None where none has a value."""
    known = change[np.isfinite(change)]
    if not len(known):
        return None
    beyond = min((known >= 0).sum(), (known <= 0).sum())
    return float(min(1.0, 2 * (1 + beyond) / (1 + len(known))))


def _exchange(answer: Answer) -> str:
    name, text = answer.context[-1]
    return f"{name}: {text} → {answer.reply}"


def _first(replies: Sequence[str]) -> str:
    return next(filter(None, replies), "")
