"""The arms of a comparison: what each is given, and what of it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lightning_dpg.config import Arm


@dataclass(frozen=True)
class ArmSpec:
    """One way to make a model speak as a profile asks.

    Attributes:
        scores_in_prompt: whether the prompt states the five scores.
        source: what makes its adapters: None for the frozen model alone, `static` for one LoRA for
            everybody, `hypernetwork` for DPG.
        contrast: whether it is trained with the contrastive term.
        title: for people.
    """

    scores_in_prompt: bool
    source: Literal["static", "hypernetwork"] | None
    contrast: bool
    title: str


ARMS: dict[Arm, ArmSpec] = {
    "unadapted": ArmSpec(False, None, False, "unadapted model"),
    "prompted": ArmSpec(True, None, False, "scores in the prompt"),
    "lora_sft": ArmSpec(True, "static", False, "LoRA-SFT, scores in the prompt"),
    "dpg": ArmSpec(False, "hypernetwork", True, "DPG"),
}
