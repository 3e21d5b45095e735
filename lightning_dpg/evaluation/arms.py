"""The arms of a comparison: what each is given, and what of it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lightning_dpg.config import Arm
from lightning_dpg.evaluation.replies import Voice

if TYPE_CHECKING:
    from lightning_dpg.models.module import PersonalityModule


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

    @property
    def hears_descriptions(self) -> bool:
        """Whether a character's description reaches it."""
        return self.source == "hypernetwork"


ARMS: dict[Arm, ArmSpec] = {
    "unadapted": ArmSpec(False, None, False, "unadapted model"),
    "prompted": ArmSpec(True, None, False, "scores in the prompt"),
    "lora_sft": ArmSpec(True, "static", False, "LoRA-SFT, scores in the prompt"),
    "lora_sft_contrast": ArmSpec(True, "static", True, "LoRA-SFT with the contrast"),
    "dpg": ArmSpec(False, "hypernetwork", True, "DPG"),
}


def voice_of(arm: Arm, module: PersonalityModule | None) -> Voice:
    """How an arm answers; `module` is what was trained for it, if anything was."""
    stated = module.stated if module else lambda profile: profile
    return Voice(
        module.adapters_for if module else None, stated if ARMS[arm].scores_in_prompt else None
    )
