"""What is wrong with settings beyond their types."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from lightning_dpg.config.schema import ApiConfig, Config
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile
from lightning_dpg.regions import Region


def check(config: Config) -> list[str]:
    """A line for each problem that types cannot tell."""
    positive = {
        "data.batch_size": config.data.batch_size,
        "data.context_turns": config.data.context_turns,
        "data.max_prompt_tokens": config.data.max_prompt_tokens,
        "data.max_reply_tokens": config.data.max_reply_tokens,
        "lora.rank": config.lora.rank,
        "hypernetwork.width": config.hypernetwork.width,
        "hypernetwork.depth": config.hypernetwork.depth,
        "hypernetwork.heads": config.hypernetwork.heads,
        "hypernetwork.basis": config.hypernetwork.basis,
        "assessor.labels.batch_size": config.assessor.labels.batch_size,
        "assessor.judge.batch_size": config.assessor.judge.batch_size,
        "trainer.max_steps": config.trainer.max_steps,
        "trainer.accumulate": config.trainer.accumulate,
        "trainer.validate_every": config.trainer.validate_every,
        "trainer.checkpoint_every": config.trainer.checkpoint_every,
        "trainer.log_every": config.trainer.log_every,
        "trainer.devices": config.trainer.devices,
        "trainer.nodes": config.trainer.nodes,
        "evaluation.replies_per_persona": config.evaluation.replies_per_persona,
        "evaluation.fluency_replies": config.evaluation.fluency_replies,
        "evaluation.shots": config.evaluation.shots,
        "assessor.quality.replies": config.assessor.quality.replies,
        "calibration.replies": config.calibration.replies,
        "evaluation.max_new_tokens": config.evaluation.max_new_tokens,
        "evaluation.batch_size": config.evaluation.batch_size,
        "evaluation.bootstrap": config.evaluation.bootstrap,
    }
    problems = [
        f"Argument {key!r} expected a positive integer, got {value}"
        for key, value in positive.items()
        if value <= 0
    ]
    counts = {
        "evaluation.drawn_profiles": config.evaluation.drawn_profiles,
        "evaluation.newcomers": config.evaluation.newcomers,
        "evaluation.dose_levels": config.evaluation.dose_levels,
    }
    problems += [
        f"Argument {key!r} expected 0 or more, got {value}"
        for key, value in counts.items()
        if value < 0
    ]
    if config.hypernetwork.width % max(1, config.hypernetwork.heads):
        problems.append(
            "Argument 'hypernetwork.width' expected a multiple of hypernetwork.heads "
            f"({config.hypernetwork.heads}), got {config.hypernetwork.width}"
        )
    if config.calibration.profiles < 8 and config.calibration.profiles != 0:  # dial.FEWEST
        problems.append(
            "Argument 'calibration.profiles' expected 8 or more, or 0 for none, "
            f"got {config.calibration.profiles}"
        )
    if not 0 < config.data.pronounced <= 1:
        problems.append(
            "Argument 'data.pronounced' expected a share above 0 and up to 1, "
            f"got {config.data.pronounced:g}"
        )
    held_out = config.data.validation_fraction + config.data.test_fraction
    if not 0 < held_out < 1:
        problems.append(
            "data.validation_fraction and data.test_fraction together expected more than 0 and "
            f"less than 1, got {held_out:g}"
        )
    if not config.lora.projections:
        problems.append("Argument 'lora.projections' expected at least one of q, k, v, o, got none")
    if config.hypernetwork.imprint and config.lora.rank == 1:
        problems.append(
            "Argument 'lora.rank' expected 2 or more beside hypernetwork.imprint, which takes one "
            f"of the ranks, got {config.lora.rank}"
        )
    if config.lora.first_layer < 0:
        problems.append(
            f"Argument 'lora.first_layer' expected 0 or more, got {config.lora.first_layer}"
        )
    for name, assessor in (("labels", config.assessor.labels), ("judge", config.assessor.judge)):
        problems += _check_api(f"assessor.{name}.api", assessor.api, assessor.kind == "litellm")
        if assessor.repeats < 1:
            problems.append(
                f"Argument 'assessor.{name}.repeats' expected a positive integer, "
                f"got {assessor.repeats}"
            )
    dialogues = config.assessor.dialogues
    problems += _check_api("assessor.dialogues.api", dialogues.api, dialogues.kind == "litellm")
    quality = config.assessor.quality
    problems += _check_api("assessor.quality.api", quality.api, quality.kind == "litellm")
    problems += _check_api("evaluation.speaker", config.evaluation.speaker, used=False)
    problems += _check_profiles(config)
    distance = config.data.filters.max_distance
    if distance is not None and not distance > 0:
        problems.append(
            "Argument 'data.filters.max_distance' expected a positive number or null, "
            f"got {distance:g}"
        )
    if config.data.filters.least_support < 2:
        problems.append(
            "Argument 'data.filters.least_support' expected 2 or more, "
            f"got {config.data.filters.least_support}"
        )
    if not config.trainer.learning_rate > 0:
        problems.append(
            "Argument 'trainer.learning_rate' expected a positive number, "
            f"got {config.trainer.learning_rate:g}"
        )
    return problems


def _check_profiles(config: Config) -> list[str]:
    """Settings that hold regions or profiles."""
    problems = []

    def read(key: str, make: Callable[[], object]) -> None:
        try:
            make()
        except UserError as error:
            problems.append(f"Argument {key!r}: {error}")

    for region in config.data.held_out_regions:
        read("data.held_out_regions", partial(Region.parse, region))
    for region in config.evaluation.contradictory:
        read("evaluation.contradictory", partial(Region.parse, region))
    for scores in config.evaluation.dose_backgrounds:
        read("evaluation.dose_backgrounds", partial(Profile, tuple(scores)))
    return problems


def _check_api(key: str, api: ApiConfig, used: bool) -> list[str]:
    problems = []
    if used and not api.model:
        problems.append(
            f"Argument '{key}.model' expected a model as litellm names it, such as "
            "openai/gpt-4o or ollama/qwen2.5, got none"
        )
    for name in ("max_tokens", "concurrency", "timeout", "attempts"):
        value = getattr(api, name)
        if not value > 0:
            problems.append(f"Argument '{key}.{name}' expected a positive number, got {value:g}")
    if api.temperature < 0:
        problems.append(f"Argument '{key}.temperature' expected 0 or more, got {api.temperature:g}")
    if api.budget is not None and not 0 <= api.budget < math.inf:
        problems.append(f"Argument '{key}.budget' expected dollars or null, got {api.budget:g}")
    if api.prices and (len(api.prices) != 2 or min(api.prices) < 0):
        problems.append(
            f"Argument '{key}.prices' expected two prices, for a million tokens of prompt and of "
            f"answer, got {api.prices}"
        )
    return problems
