"""From targets and ratings to the numbers of `results.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.statistics import Floats, mean_interval, ratio_interval
from lightning_dpg.metrics.functional import (
    NORMS,
    Norm,
    persona_deviation,
    scored,
    shuffled,
    trait_correlation,
)
from lightning_dpg.records import TRAITS, Profile, Rating


def summarise(
    personas: Sequence[Persona],
    ratings: Mapping[str, Sequence[Rating]],
    corpus_mean: Profile,
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Arms, trivial answers and ratios, as they stand in `results.json`.

    Args:
        personas: who was asked to speak.
        ratings: by arm, one rating for each persona.
        corpus_mean: mean label of the training samples, the best constant answer.
        resamples: bootstrap resamples over personas.
        seed: of the bootstrap.
    """
    targets = torch.tensor([p.target.scores for p in personas])
    measured = {arm: ratings_tensor(rated) for arm, rated in ratings.items()}

    def deviations(
        answers: Tensor, asked: Tensor = targets, norms: Sequence[Norm] = NORMS
    ) -> dict[str, Any]:
        return {
            norm: mean_interval(_numpy(persona_deviation(asked, answers, norm)), resamples, seed)
            for norm in norms
        }

    trivial = {
        "constant_zero": torch.zeros_like(targets),
        "corpus_mean": torch.tensor(corpus_mean.scores).expand_as(targets),
        "shuffled": shuffled(targets),
    }
    arms = {}
    for arm, values in measured.items():
        arms[arm] = {
            "psdc": deviations(values),
            "psdc_shuffled": deviations(values, shuffled(targets), ("l2",)),
            "trait_r": trait_r(targets, values),
            "unscored": int((~scored(values)).sum()),
            "scored": int(scored(values).sum()),
            "measured": _by_persona(personas, values),
            "reasons": {
                p.id: r.reason for p, r in zip(personas, ratings[arm], strict=True) if r.reason
            },
        }
    return {
        "personas": [_plain(persona) for persona in personas],
        "arms": arms,
        "trivial": {name: {"psdc": deviations(answers)} for name, answers in trivial.items()},
        "ratios": _ratios(targets, measured, trivial, arms, resamples, seed),
    }


def trait_r(targets: Tensor, measured: Tensor) -> dict[str, float | None]:
    """Correlation of asked and measured per trait; None where there is none to compute."""
    return dict(zip(TRAITS, _nullable(trait_correlation(targets, measured)), strict=True))


def _ratios(
    targets: Tensor,
    measured: Mapping[str, Tensor],
    trivial: Mapping[str, Tensor],
    arms: Mapping[str, Any],
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """DPG over the others and over trivial answers, on the personas that both have a score for."""
    if "dpg" not in measured:
        return {}
    prompted = [arm for arm in ("unadapted", "prompted") if arm in arms and arms[arm]["scored"]]
    best = min(prompted, key=lambda arm: arms[arm]["psdc"]["l2"]["mean"], default=None)
    others = {
        "dpg_over_lora_sft": "lora_sft",
        "dpg_over_lora_sft_contrast": "lora_sft_contrast",
        "dpg_over_best_prompt": best,
        "dpg_over_constant_zero": "constant_zero",
        "dpg_over_corpus_mean": "corpus_mean",
    }
    measured = {**measured, **trivial}
    ratios: dict[str, Any] = {}
    for name, other in others.items():
        if other is not None and other in measured:
            both = scored(measured["dpg"]) & scored(measured[other])
            above, below = (
                _numpy(persona_deviation(targets[both], measured[arm][both]))
                for arm in ("dpg", other)
            )
            ratios[name] = dict(ratio_interval(above, below, resamples, seed))
            if name == "dpg_over_best_prompt":
                ratios[name]["arm"] = other
    return ratios


def ratings_tensor(ratings: Sequence[Rating]) -> Tensor:
    """Ratings as (personas, 5), NaN where there is no score."""
    rows = [[np.nan if s is None else s for s in rating.scores] for rating in ratings]
    return torch.tensor(rows, dtype=torch.float32).reshape(len(rows), len(TRAITS))


def _numpy(values: Tensor) -> Floats:
    return values.double().numpy()


def _nullable(values: Tensor) -> list[float | None]:
    """JSON knows no NaN."""
    return [None if value != value else float(value) for value in values.tolist()]


def _by_persona(personas: Sequence[Persona], values: Tensor) -> dict[str, list[float] | None]:
    known = scored(values).tolist()
    return {
        persona.id: [round(float(v), 4) for v in row] if ok else None
        for persona, row, ok in zip(personas, values.tolist(), known, strict=True)
    }


def _plain(persona: Persona) -> dict[str, Any]:
    return {
        "id": persona.id,
        "kind": persona.kind,
        "name": persona.name,
        "description": persona.description,
        "target": list(persona.target.scores),
    }
