"""What each arm is given, and what of it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lightning_dpg.config import Arm

Source = Literal["static", "linear", "hypernetwork"]


@dataclass(frozen=True)
class ArmSpec:
    """One way to make a model speak as a profile asks.

    Attributes:
        title: for people.
        scores_in_prompt: whether the prompt states the five scores.
        description_in_prompt: whether the prompt tells the character's description.
        shots: whether the prompt shows exchanges of training, by those whose profiles are nearest.
        source: what makes its adapters: None for a model as it is, `static` for one LoRA for
            everybody, `linear` for a linear map of the scores, `hypernetwork` for DPG.
        contrast: whether it is trained with the contrastive term.
        remote: whether another model is asked, over a network.
    """

    title: str
    scores_in_prompt: bool = False
    description_in_prompt: bool = False
    shots: bool = False
    source: Source | None = None
    contrast: bool = False
    remote: bool = False

    @property
    def hears_descriptions(self) -> bool:
        """Whether a character's description reaches it, in the prompt or by the hypernetwork."""
        return self.description_in_prompt or self.source == "hypernetwork"


ARMS: dict[Arm, ArmSpec] = {
    "unadapted": ArmSpec("unadapted model"),
    "prompted": ArmSpec("scores in the prompt", scores_in_prompt=True),
    "prompted_description": ArmSpec("description in the prompt", description_in_prompt=True),
    "prompted_both": ArmSpec(
        "scores and description in the prompt", scores_in_prompt=True, description_in_prompt=True
    ),
    "few_shot": ArmSpec("scores and examples in the prompt", scores_in_prompt=True, shots=True),
    "api": ArmSpec(
        "another model, scores and description in the prompt",
        scores_in_prompt=True,
        description_in_prompt=True,
        remote=True,
    ),
    "lora_sft": ArmSpec("LoRA-SFT, scores in the prompt", scores_in_prompt=True, source="static"),
    "lora_sft_contrast": ArmSpec(
        "LoRA-SFT with the contrast", scores_in_prompt=True, source="static", contrast=True
    ),
    "linear": ArmSpec("linear map of the scores", source="linear", contrast=True),
    "dpg": ArmSpec("DPG", source="hypernetwork", contrast=True),
}
