"""The reliability study: assessors on the same subjects, as plain data for tables and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from lightning_dpg.assessment.base import Assessor, count_words
from lightning_dpg.assessment.reliability import measures
from lightning_dpg.assessment.reliability.collecting import Collected, collect
from lightning_dpg.assessment.reliability.measures import Ints
from lightning_dpg.assessment.reliability.resampling import Draws
from lightning_dpg.assessment.reliability.statistics import Floats
from lightning_dpg.assessment.reliability.subjects import Subject
from lightning_dpg.errors import UserError
from lightning_dpg.progress import Steps
from lightning_dpg.records import TRAITS

RESAMPLES = 1000


def study(
    assessors: Mapping[str, Assessor],
    subjects: Sequence[Subject],
    *,
    repeats: int,
    seed: int,
    steps: Steps,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Rate all subjects by all assessors, and say how far each of them can be trusted.

    Args:
        assessors: by the name that tables show; one with another prompt is another assessor.
        subjects: whom they rate; passages are what halves are made of.
        repeats: how often an assessor that can be asked again is asked about each subject.
        seed: of the resamples.
        steps: progress.
        resamples: of every interval.

    Returns:
        Plain data that JSON can hold: `settings`; `subjects`, each with its scores by assessor;
        `assessors`, each with `identity`, counts and one entry a trait; `pairs` of assessors.

    Raises:
        UserError: no assessor, no subject, one identifier twice, or fewer than one repeat.
    """
    _check(assessors, subjects, repeats)
    draws = Draws(resamples, seed)
    people = [subject.speaker for subject in subjects]
    poles = np.array([s.poles or (0,) * len(TRAITS) for s in subjects], dtype=np.int_)
    collected = {
        name: collect(name, assessor, subjects, repeats, steps)
        for name, assessor in assessors.items()
    }
    pairs = list(combinations(assessors, 2))
    with steps.bar("Computing intervals", len(assessors) + len(pairs)) as advance:
        described = {}
        for name, found in collected.items():
            described[name] = {
                "identity": assessors[name].identity,
                **_describe(found, poles, people, draws),
            }
            advance(1)
        compared = []
        for pair in pairs:
            first, second = (collected[name].scores for name in pair)
            compared.append({"assessors": list(pair), **_compare(first, second, people, draws)})
            advance(1)
    return {
        "settings": {
            "subjects": len(subjects),
            "persons": len(set(people)),
            "repeats": repeats,
            "seed": seed,
            "resamples": resamples,
        },
        "assessors": described,
        "pairs": compared,
        "subjects": [_subject(subject, i, collected) for i, subject in enumerate(subjects)],
    }


def _check(assessors: Mapping[str, Assessor], subjects: Sequence[Subject], repeats: int) -> None:
    if not assessors:
        raise UserError("A reliability study needs an assessor at least, got none (--assessor)")
    if not subjects:
        raise UserError(
            "A reliability study needs people to rate, and nobody says enough: "
            "take a larger corpus, or fewer passages for each rating"
        )
    if repeats < 1:
        raise UserError(f"An assessor is asked once or more often, got {repeats} repeats")
    ids = [subject.id for subject in subjects]
    if len(set(ids)) < len(ids):
        twice = next(id for id in ids if ids.count(id) > 1)
        raise UserError(f"Each subject needs an identifier of its own, {twice!r} comes twice")


def _describe(found: Collected, poles: Ints, people: Sequence[str], draws: Draws) -> dict[str, Any]:
    """One assessor: counts, and what `measures` says of each trait."""
    again = people[: len(found.repeats)]
    measured = found.repeats.shape[1] > 1 and not found.deterministic
    traits = {}
    for i, trait in enumerate(TRAITS):
        scores = found.scores[:, i]
        traits[trait] = {
            "unscored": int(np.isnan(scores).sum()),
            "mean": measures.level(scores, people, draws),
            **measures.known_groups(scores, poles[:, i], people, draws),
            "split_half": measures.halves(found.halves[:, :, i], people, draws),
            "sets": measures.sets(scores, people, draws),
            "repeats": measures.repeats(found.repeats[:, :, i], again, draws) if measured else None,
        }
    return {
        "unscored": int(np.isnan(found.scores).any(axis=1).sum()),
        "unscored_halves": int(np.isnan(found.halves).any(axis=2).sum()),
        "reasons": dict(found.reasons.most_common()),
        "deterministic": found.deterministic,
        "repeatable": found.repeatable,
        "asked_again": {"subjects": len(again), "times": int(found.repeats.shape[1])},
        "traits": traits,
    }


def _compare(first: Floats, second: Floats, people: Sequence[str], draws: Draws) -> dict[str, Any]:
    traits = {
        trait: measures.agreement(first[:, i], second[:, i], people, draws)
        for i, trait in enumerate(TRAITS)
    }
    return {"traits": traits}


def _subject(subject: Subject, row: int, collected: Mapping[str, Collected]) -> dict[str, Any]:
    scores = {
        name: [None if np.isnan(score) else float(score) for score in found.scores[row]]
        for name, found in collected.items()
    }
    return {
        "id": subject.id,
        "person": subject.speaker,
        "language": subject.language,
        "passages": len(subject.passages),
        "words": sum(map(count_words, subject.passages)),
        "poles": list(subject.poles),
        "scores": scores,
    }
