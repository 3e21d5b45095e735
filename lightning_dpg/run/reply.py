"""From a checkpoint to replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_dpg.adapters.cache import adapter_cache
from lightning_dpg.adapters.parts import Blend
from lightning_dpg.adapters.speaking import speak_as
from lightning_dpg.run.loading import load_trained


def generate(
    checkpoint: Path,
    blends: Sequence[Blend],
    prompt: str,
    seed: int,
    evaluation: Mapping[str, Any],
) -> list[str]:
    """A reply of each blend to one prompt, in the language of what is said, in one batch.

    Args:
        checkpoint: of a trained arm.
        blends: who answers.
        prompt: what is said to them.
        seed: of the sampling.
        evaluation: settings of decoding to change, such as `temperature`.

    Raises:
        UserError: what reading the checkpoint or loading the backbone raises.
    """
    trained = load_trained(checkpoint, evaluation)
    prompts = [prompt] * len(blends)
    return speak_as(
        trained.arm, trained.config, trained.module, blends, prompts, seed, adapter_cache()
    )
