"""Calibrating a trained arm: let it speak for profiles over the whole space, and fit its dial."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import torch

from lightning_dpg.assessment.base import Assessor
from lightning_dpg.config import Arm, Config
from lightning_dpg.evaluation.arms import make_speaker
from lightning_dpg.evaluation.personas import Persona, half_described
from lightning_dpg.evaluation.questions import deal, validation
from lightning_dpg.evaluation.replies import ask_personas, by_persona
from lightning_dpg.evaluation.results import ratings_tensor
from lightning_dpg.metrics.functional import scored
from lightning_dpg.models.dial import FEWEST
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import TRAITS, is_given
from lightning_dpg.regions import parse_regions

SEED = 1000
"""Added to the run's seed: other profiles than those of validation and the closing evaluation."""

FAINT = 0.2
"""Points measured a point asked, over the traits: with less there is nothing to turn."""


def calibrate(
    arm: Arm,
    module: PersonalityModule,
    config: Config,
    judge: Assessor,
    descriptions: Sequence[str] = (),
) -> dict[str, Any]:
    """Fit the dial of a trained arm on questions of validation.

    Each round asks as the dial stands by then and fits it to all rounds so far: what the first fit
    extrapolates, the second measures. Dials that hardly answer are asked once, and an arm of which
    too few personas are rated keeps its dial. So does one that reads no scores: it has nothing to
    turn, and is not asked at all. Profiles in `data.held_out_regions` are not asked either.

    Args:
        arm: which.
        module: its trained module.
        config: settings of the run.
        judge: who measures.
        descriptions: of characters of training; half of the profiles speak with one of them, so
            that what descriptions do to traits by themselves is measured, too.

    Returns:
        Where dials stood and what was measured, (personas, 5) each, who had a description, and the
        last fitted response: for each trait's dial what it moves, the bias, and what a description
        adds where some had one, shrunk towards 0 (`Dial.fit`). Plain data.
    """
    settings, measured = torch.empty(0, len(TRAITS)), torch.empty(0, len(TRAITS))
    described = torch.empty(0)
    found: dict[str, Any] = {}
    avoiding = parse_regions(config.data.held_out_regions)
    rounds = config.calibration.rounds if config.calibration.profiles else 0
    for turn in range(rounds if module.reads_scores else 0):
        if _faint(found):
            break
        seed = config.seed + SEED + turn
        asked = half_described(config.calibration.profiles, descriptions, seed, avoiding=avoiding)
        personas, answers = _measure(arm, module, config, judge, asked, seed)
        targets, words = [p.target for p in personas], [p.description for p in personas]
        settings = torch.cat([settings, module.dial_settings(targets, words).cpu()])
        measured = torch.cat([measured, answers])
        described = torch.cat([described, torch.tensor([float(is_given(w)) for w in words])])
        if len(measured) >= FEWEST:
            response = module.dial.fit(settings, measured, described)
            names = (*TRAITS, "bias", "description")[: len(response)]
            rows = zip(names, response.tolist(), strict=True)
            found["response"] = {name: dict(zip(TRAITS, row, strict=True)) for name, row in rows}
    return found | {
        "settings": settings.tolist(),
        "measured": measured.tolist(),
        "described": described.tolist(),
    }


def _faint(found: dict[str, Any]) -> bool:
    """Whether dials were seen to move little of what they should: another round is not worth it."""
    response = found.get("response")
    if response is None:
        return False
    slopes = [response[trait][trait] for trait in TRAITS]
    return bool(fmean(slopes) <= FAINT)


def _measure(
    arm: Arm,
    module: PersonalityModule,
    config: Config,
    judge: Assessor,
    personas: Sequence[Persona],
    seed: int,
) -> tuple[list[Persona], torch.Tensor]:
    """The personas that could be scored, and what was measured of them, (scored personas, 5).

    Scores are on the scale of the closing evaluation, which reads more replies of each persona.
    """
    count = config.calibration.replies
    language = config.evaluation.language
    dealt = deal(len(personas), count, validation(language), seed)
    requests = ask_personas(personas, dealt, language)
    replies = make_speaker(arm, config, module.backbone, module).speak(requests, seed)
    read = config.evaluation.replies_per_persona
    measured = ratings_tensor(judge.rate(by_persona(replies, count), read=read))
    kept = scored(measured)
    return [p for p, keep in zip(personas, kept, strict=True) if keep], measured[kept]
