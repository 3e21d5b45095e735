"""From a checkpoint to a reply."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning_dpg.assessment.rubric.wording import language_of
from lightning_dpg.evaluation.arms import make_speaker
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.records import Profile
from lightning_dpg.run.loading import load_trained


def generate(
    checkpoint: Path,
    profile: Profile,
    description: str,
    prompt: str,
    seed: int,
    overrides: dict[str, Any],
) -> str:
    """One reply in character from a checkpoint, in the language of what is said.

    Raises:
        UserError: what reading the checkpoint or loading the backbone raises.
    """
    trained = load_trained(checkpoint, overrides)
    request = Request(profile, description, (("Someone", prompt),), language_of(prompt))
    speaker = make_speaker(trained.arm, trained.config, trained.backbone, trained.module)
    return speaker.speak([request], seed)[0]
