"""Replies by blends: everybody in one batch, each through the sum of their own deltas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lightning_dpg.adapters.blend import blended
from lightning_dpg.adapters.cache import AdapterCache
from lightning_dpg.adapters.parts import SOMEONE, Blend
from lightning_dpg.assessment.rubric.wording import language_of
from lightning_dpg.config import Arm, Config
from lightning_dpg.evaluation.arms import voice_of
from lightning_dpg.evaluation.replies import Brief, Request, Voice, generate_replies
from lightning_dpg.models.lora import Adapters
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile


def speak_as(
    arm: Arm,
    config: Config,
    module: PersonalityModule,
    blends: Sequence[Blend],
    prompts: Sequence[str],
    seed: int,
    cache: AdapterCache | None = None,
) -> list[str]:
    """A reply of each blend to its prompt, in the prompt's language.

    Args:
        arm: which.
        config: settings of its run: decoding, the largest batch, the bound on prompts.
        module: what was trained for it, in eval mode.
        blends: who answers.
        prompts: what is said to each of them.
        seed: of the sampling.
        cache: of adapters; None generates them all.
    """
    # A request knows one profile and one description, and a blend may have several: each request
    # carries the number of its blend where its description would be, which also keeps blends apart
    # that agree in what a prompt tells.
    requests = [
        Request(blend.profile, str(i), ((SOMEONE, prompt),), language_of(prompt))
        for i, (blend, prompt) in enumerate(zip(blends, prompts, strict=True))
    ]

    def adapters(profiles: Sequence[Profile], numbers: Sequence[str]) -> Adapters:
        del profiles
        return blended(module, [blends[int(number)] for number in numbers], cache)

    def brief(request: Request) -> Brief:
        return brief_of(arm, module, blends[int(request.description)], request)

    return generate_replies(
        module.backbone,
        requests,
        config.evaluation,
        voice=Voice(adapters, brief),
        max_prompt_tokens=config.data.max_prompt_tokens,
        seed=seed,
    )


def brief_of(arm: Arm, module: PersonalityModule, blend: Blend, request: Request) -> Brief:
    """What an arm's prompt tells of a blend: nothing for DPG, the scores for LoRA-SFT."""
    own = replace(request, profile=blend.profile, description=blend.description)
    return voice_of(arm, module).brief(own)
