"""One interface to all arms: requests in, replies out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lightning_dpg.assessment.asking.endpoint import unable
from lightning_dpg.assessment.llm import Asking
from lightning_dpg.config import ApiConfig, Arm, Config, EvaluationConfig
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation.arms.few_shot import Examples, nothing_in
from lightning_dpg.evaluation.arms.remote import RemoteSpeaker, speaking
from lightning_dpg.evaluation.arms.specs import ARMS
from lightning_dpg.evaluation.replies import Brief, Request, Voice, generate_replies
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.progress import Advance

MakeAsker = Callable[[ApiConfig], Asking]
"""Opens the way to a language model: where answers are kept is not the arms' to know."""


class Speaker(Protocol):
    """An arm that answers."""

    def speak(
        self, requests: Sequence[Request], seed: int, advance: Advance | None = None
    ) -> list[str]:
        """A reply to each request, in order.

        Args:
            requests: what to answer; personas and languages may be mixed.
            seed: of the sampling.
            advance: told how many more replies came.

        Raises:
            UserError: the arm cannot answer, and what to do.
        """
        ...


@dataclass(frozen=True)
class LocalSpeaker:
    """An arm that runs on the backbone.

    Attributes:
        backbone: frozen model, with hooks installed where the voice has adapters.
        voice: makes adapters, and says what prompts tell.
        config: decoding, and the largest batch.
        max_prompt_tokens: bound on the turns before a reply, as in training.
    """

    backbone: Backbone
    voice: Voice
    config: EvaluationConfig
    max_prompt_tokens: int

    def speak(
        self, requests: Sequence[Request], seed: int, advance: Advance | None = None
    ) -> list[str]:
        """A reply to each request; see `Speaker`."""
        return generate_replies(
            self.backbone,
            requests,
            self.config,
            voice=self.voice,
            max_prompt_tokens=self.max_prompt_tokens,
            seed=seed,
            advance=advance,
        )


def make_speaker(
    arm: Arm,
    config: Config,
    backbone: Backbone,
    module: PersonalityModule | None = None,
    examples: Sequence[Sample] = (),
    make_asker: MakeAsker | None = None,
) -> Speaker:
    """An arm, ready to answer; ask `missing` before whether it can.

    Args:
        arm: which.
        config: settings of the run.
        backbone: frozen model of the arms that run here.
        module: what was trained for it, in eval mode; None where nothing was.
        examples: samples of training, of which a few-shot prompt shows some.
        make_asker: opens the way to the model of `evaluation.speaker`, for an arm that is asked
            over a network.
    """
    spec, evaluation = ARMS[arm], config.evaluation
    assert (module is not None) == (spec.source is not None), f"{arm}: its own module, or none"
    voice = voice_of(arm, module, Examples(examples, evaluation.shots) if spec.shots else None)
    bound = config.data.max_prompt_tokens
    if spec.remote:
        assert make_asker is not None, f"{arm} is asked over a network"
        api = speaking(config)
        sampled = api.temperature > 0
        return RemoteSpeaker(make_asker(api), backbone.tokenizer, voice.brief, bound, sampled)
    if spec.shots:  # prompts that are several times as long: as much memory in all
        fewer = max(1, evaluation.batch_size // (1 + evaluation.shots))
        evaluation = replace(evaluation, batch_size=fewer)
    return LocalSpeaker(backbone, voice, evaluation, bound)


def voice_of(arm: Arm, module: PersonalityModule | None, examples: Examples | None = None) -> Voice:
    """What makes an arm's adapters, and what its prompts tell.

    Args:
        arm: which.
        module: what was trained for it, if anything was.
        examples: what a few-shot prompt shows.
    """
    spec = ARMS[arm]
    assert not spec.shots or examples is not None, f"{arm} shows examples"

    def brief(request: Request) -> Brief:
        profile = module.stated(request.profile) if module else request.profile
        return Brief(
            profile.scores if spec.scores_in_prompt else None,
            request.description if spec.description_in_prompt else "",
            examples.nearest(request.profile, request.language) if examples else (),
        )

    return Voice(module.adapters_for if module else None, brief)


def missing(
    arm: Arm,
    config: Config,
    examples: Sequence[Sample] | None = None,
    languages: Sequence[str] = (),
) -> str | None:
    """Why an arm cannot answer: a line for people, or None where it can.

    Args:
        arm: which.
        config: settings of the run.
        examples: samples of training; None where they are not known yet.
        languages: those that it is to answer in.
    """
    spec = ARMS[arm]
    if spec.shots and examples is not None:
        lacking = set(languages) - Examples(examples, 1).languages
        return nothing_in(lacking) if lacking else None
    if not spec.remote:
        return None
    reason = unable(config.evaluation.speaker)
    return f"{reason} (evaluation.speaker.model)" if reason else None
