"""Calibrating a trained arm: let it speak for profiles over the whole space, and fit its dial."""

from __future__ import annotations

from typing import Any

import torch

from lightning_dpg.assessment.base import Assessor
from lightning_dpg.config import Arm, Config
from lightning_dpg.evaluation.arms import voice_of
from lightning_dpg.evaluation.personas import drawn_personas
from lightning_dpg.evaluation.questions import VALIDATION
from lightning_dpg.evaluation.replies import ask_personas, by_persona, generate_replies
from lightning_dpg.evaluation.results import ratings_tensor
from lightning_dpg.metrics.functional import scored
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import TRAITS

SEED = 1000
"""Added to the run's seed: other profiles than those of validation and the closing evaluation."""

FAINT = 0.2
"""Points measured a point asked, over the traits: with less there is nothing to turn."""


def calibrate(
    arm: Arm, module: PersonalityModule, config: Config, judge: Assessor
) -> dict[str, Any]:
    """Fit the dial of a trained arm on questions of validation.

    Each round asks as the dial stands by then and fits it to all rounds so far: what the first fit
    extrapolates, the second measures. Dials that hardly answer are asked once, and an arm of which
    too few personas are rated keeps its dial.

    Returns:
        Where dials stood and what was measured, (personas, 5) each, and the last fitted response:
        for each trait's dial what it moves, and the bias. Plain data.
    """
    settings, measured = torch.empty(0, len(TRAITS)), torch.empty(0, len(TRAITS))
    found: dict[str, Any] = {}
    for turn in range(config.calibration.rounds if config.calibration.profiles else 0):
        if turn and not _answers(found):
            break
        asked, answers = _measure(arm, module, config, judge, config.seed + SEED + turn)
        settings = torch.cat([settings, module.dial(asked)])
        measured = torch.cat([measured, answers])
        if len(measured) > len(TRAITS) + 1:
            response = module.dial.fit(settings, measured)
            rows = zip((*TRAITS, "bias"), response.tolist(), strict=True)
            found["response"] = {name: dict(zip(TRAITS, row, strict=True)) for name, row in rows}
    return found | {"settings": settings.tolist(), "measured": measured.tolist()}


def _answers(found: dict[str, Any]) -> bool:
    """Whether dials move what they should, so that turning them again is worth a round."""
    response = found.get("response", {})
    slopes = [response[trait][trait] for trait in TRAITS if response]
    return bool(slopes) and sum(slopes) / len(slopes) > FAINT


def _measure(
    arm: Arm, module: PersonalityModule, config: Config, judge: Assessor, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Profiles that were asked for and what was measured, (scored personas, 5) each.

    Scores are on the scale of the closing evaluation, which reads more replies of each persona.
    """
    count = config.calibration.replies
    personas = drawn_personas(config.calibration.profiles, seed)
    replies = generate_replies(
        module.backbone,
        ask_personas(personas, count, VALIDATION),
        config.evaluation,
        voice=voice_of(arm, module),
        max_prompt_tokens=config.data.max_prompt_tokens,
        seed=seed,
    )
    read = config.evaluation.replies_per_persona
    measured = ratings_tensor(judge.rate(by_persona(replies, count), read=read))
    kept = scored(measured)
    return torch.tensor([p.target.scores for p in personas])[kept], measured[kept]
