"""Whether each measure catches what it should: real replies against the same ones broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.evaluation.instruments import Panel
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.quality.answers import Answer, spread
from lightning_dpg.evaluation.quality.breaking import (
    other_questions,
    shuffled_words,
    splice,
    strangers,
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
    kept: Artefacts,
    *,
    replies: int,
    max_prompt_tokens: int,
    resamples: int,
    seed: int,
) -> dict[str, Control]:
    """Each measure on what it is made to catch; arguments as of `measure_quality`.

    Returns:
        `shuffled_words`: the words of each reply in another order, by fluency; `other_question`:
        each reply as if to another's question, by coherency; `mixed`: half of a persona's
        replies, at random places, from another one, by consistency. What cannot be broken (too few
        personas, all asked one question) is left out.
    """
    picked = spread(items, said, replies)
    answers = [answer for own in picked for answer in own if answer.reply.strip()]
    mixture = splice_halves([item.persona for item in items], said, panel, kept, seed)
    likelihoods = _Likelihoods(backbone, max_prompt_tokens, resamples, seed)
    found = {
        "shuffled_words": likelihoods.shuffled_words(answers),
        "other_question": likelihoods.other_question(answers),
        "mixed": spliced(*mixture, resamples, seed),
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


def splice_halves(
    personas: Sequence[Persona],
    said: Sequence[Sequence[str]],
    panel: Panel,
    kept: Artefacts,
    seed: int,
) -> tuple[Halves, Halves]:
    """Halves of personas, and of the same with half of their replies from somebody else.

    Left out are those who are unscored, and those for whom nobody is left (`breaking.strangers`).
    """
    whole = rate_halves(personas, said, panel, kept)
    known = _both_scored(whole)
    handed = strangers([personas[i] for i in known], [said[i] for i in known], seed)
    pairs = [(known[i], known[j]) for i, j in enumerate(handed) if j is not None]
    mixed = [splice(said[i], said[j], f"{seed}/{personas[i].id}") for i, j in pairs]
    own = whole.of([i for i, _ in pairs])
    broken = rate_halves(own.personas, mixed, panel, kept)
    still = _both_scored(broken)
    return own.of(still), broken.of(still)


def spliced(own: Halves, broken: Halves, resamples: int, seed: int) -> Control | None:
    """Consistency of personas, and of the same with half of their replies from somebody else.

    A mixture of two differs from that of two others, too, so that consistency does not fall to 0:
    of halves that correlate with r over personas, about r * c / (1 - r + r * v) is left, with
    c = (n - 2) / (2n - 2), v = n / (2n - 2) and n replies of each (means of draws without
    replacement). Intervals and p come from the bootstrap over characters: a correlation over
    personas has no value for each of them.

    Args:
        own: as they are; all of them scored.
        broken: the same personas, see `splice_halves`.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    clusters = [persona.cluster for persona in own.personas]
    weights = draws(len(clusters), clusters, resamples, seed)
    if len(clusters) < FEWEST or weights is None:
        return None
    rows = torch.from_numpy(np.vstack([np.ones(len(clusters)), weights]))

    def agreement(halves: Halves) -> tuple[float, Floats]:
        """Of these personas, and of each resample of them."""
        r = correlation(halves.first.double(), halves.second.double(), rows[..., None])
        values = spearman_brown(r).nanmean(-1).numpy()
        return float(values[0]), values[1:]

    (intact, intact_drawn), (mixed, mixed_drawn) = agreement(own), agreement(broken)
    if not np.isfinite([intact, mixed]).all():  # nobody differs from anybody
        return None
    change = mixed_drawn - intact_drawn
    return Control(
        measure="consistency",
        intact=interval(intact, intact_drawn, LEAST_DEFINED),
        broken=interval(mixed, mixed_drawn, LEAST_DEFINED),
        difference=interval(mixed - intact, change, LEAST_DEFINED),
        p=_two_sided(change),
        example=_mixture(own, broken),
    )


def _both_scored(halves: Halves) -> list[int]:
    known = scored(halves.first) & scored(halves.second)
    return [i for i, both in enumerate(known.tolist()) if both]


def _mixture(own: Halves, broken: Halves) -> Example:
    """A reply of the first persona that stayed, with one that was replaced, before and after."""
    pairs = [*zip(own.odd[0] + own.even[0], broken.odd[0] + broken.even[0], strict=True)]
    stays = next((was for was, now in pairs if was and was == now), "")
    gone, come = next(((was, now) for was, now in pairs if now and was != now), ("", ""))
    return Example(intact=f"{stays} / {gone}", broken=f"{stays} / {come}")


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
