"""From a checkpoint to a model that speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_dpg.config import Arm, Config, from_dict
from lightning_dpg.data.collate import Collate
from lightning_dpg.evaluation.arms import ARMS
from lightning_dpg.models.backbone import Backbone, load_backbone
from lightning_dpg.models.checkpoint import read_checkpoint
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.run.quiet import quieten
from lightning_dpg.training import MODEL, load_weights

MAX_PROMPT = 1024
"""What a person types is not cut to the length of training prompts."""


@dataclass(frozen=True)
class Trained:
    """A trained arm with the model that it was trained on.

    Attributes:
        arm: which.
        config: settings of its run, for this machine.
        backbone: the frozen model.
        module: in eval mode.
        path: of the checkpoint.
    """

    arm: Arm
    config: Config
    backbone: Backbone
    module: PersonalityModule
    path: Path


def load_trained(checkpoint: Path, evaluation: Mapping[str, Any] | None = None) -> Trained:
    """A trained arm, ready to speak on this machine.

    Args:
        checkpoint: of a run.
        evaluation: settings of `evaluation` to change, such as `temperature`.

    Raises:
        UserError: what reading the checkpoint or loading the backbone raises.
    """
    quieten(None)
    identity, _ = read_checkpoint(checkpoint)
    config = from_dict(identity.config)
    for name, value in (evaluation or {}).items():
        setattr(config.evaluation, name, value)
    config.backbone.device = "auto"  # a checkpoint is not tied to the machine that trained it
    config.data.max_prompt_tokens = MAX_PROMPT
    arm: Arm = identity.arm  # type: ignore[assignment]
    backbone = load_backbone(config.backbone, config.seed)
    collate = Collate(backbone.tokenizer, config.data, ARMS[arm].scores_in_prompt)
    module = PersonalityModule(backbone, config, ARMS[arm].source or "static", collate, 0.0)
    load_weights(module, checkpoint)
    return Trained(arm, config, backbone, module.eval(), checkpoint)


def checkpoint_of(run: Path, arms: Sequence[Arm] = ("dpg", "linear", "lora_sft")) -> Path:
    """The checkpoint of a run that speaks for it: DPG's where there is one."""
    paths = [run / arm / MODEL for arm in arms]
    return next((path for path in paths if path.is_file()), paths[0])
