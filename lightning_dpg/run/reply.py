"""From a checkpoint to a reply."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning_dpg.assessment.rubric.wording import language_of
from lightning_dpg.config import Arm, from_dict
from lightning_dpg.data.collate import Collate
from lightning_dpg.evaluation.arms import ARMS, make_speaker
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.models.backbone import load_backbone
from lightning_dpg.models.checkpoint import read_checkpoint
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile
from lightning_dpg.run.quiet import quieten
from lightning_dpg.training import MODEL, load_weights

MAX_PROMPT = 1024
"""What a person types is not cut to the length of training prompts."""


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
    quieten(None)
    identity, _ = read_checkpoint(checkpoint)
    config = from_dict(identity.config)
    for name, value in overrides.items():
        setattr(config.evaluation, name, value)
    config.backbone.device = "auto"  # a checkpoint is not tied to the machine that trained it
    config.data.max_prompt_tokens = MAX_PROMPT
    arm: Arm = identity.arm  # type: ignore[assignment]
    backbone = load_backbone(config.backbone, config.seed)
    collate = Collate(backbone.tokenizer, config.data, ARMS[arm].scores_in_prompt)
    module = PersonalityModule(backbone, config, ARMS[arm].source or "static", collate, 0.0)
    load_weights(module, checkpoint)
    request = Request(profile, description, (("Someone", prompt),), language_of(prompt))
    return make_speaker(arm, config, backbone, module.eval()).speak([request], seed)[0]


def checkpoint_of(run: Path, arms: Sequence[Arm] = ("dpg", "linear", "lora_sft")) -> Path:
    """The checkpoint of a run that `dpg generate` speaks with: DPG's where there is one."""
    paths = [run / arm / MODEL for arm in arms]
    return next((path for path in paths if path.is_file()), paths[0])
