"""What arms say on tasks, generated once and kept in the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.base import spending
from lightning_dpg.config import Config
from lightning_dpg.data.prompts import VERSION as PROMPT_VERSION
from lightning_dpg.evaluation.arms import Speaker
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.evaluation.tasks.task import Task
from lightning_dpg.progress import Steps

SAMPLING_SEED = 7919
"""Added to the run's seed: replies of the evaluation are sampled apart from those of validation."""
DECODING = (
    "max_new_tokens",
    "temperature",
    "top_k",
    "top_p",
    "repetition_penalty",
    "no_repeat_ngram",
    "batch_size",
)
"""Settings of the evaluation that the replies of all arms depend on."""

Said = dict[str, list[str]]
"""What a persona, by its id, answered to its contexts, in their order."""


def say(
    task: Task,
    speaker: Speaker,
    title: str,
    source: Mapping[str, Any],
    config: Config,
    kept: Artefacts,
    steps: Steps,
) -> Said:
    """What an arm says on a task; generated unless the run keeps the very same.

    Args:
        task: who is to answer what.
        speaker: the arm.
        title: of the bar.
        source: plain values that tell this speaker from others: arm, weights, frozen model.
        config: decoding and seed.
        kept: finished work of the run.
        steps: shows progress.
    """
    requests = [
        Request(i.persona.target, i.persona.description, context, i.persona.language)
        for i in task.items
        for context in i.contexts
    ]

    def generate() -> list[str]:
        with steps.bar(title, len(requests), spending(speaker)) as advance:
            return speaker.speak(requests, config.seed + SAMPLING_SEED, advance)

    decoding = {name: getattr(config.evaluation, name) for name in DECODING}
    given = {
        **source,
        "decoding": decoding,
        "max_prompt_tokens": config.data.max_prompt_tokens,
        "prompt": PROMPT_VERSION,
        "seed": config.seed,
        "requests": [dataclasses.asdict(request) for request in requests],
    }
    replies = iter(kept.get("replies", given, generate))
    return {i.persona.id: [next(replies) for _ in i.contexts] for i in task.items}


def records(task: Task, arm: str, said: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Lines of `replies.jsonl`: every reply with the last turn that it answers.

    In a scene of a text also all turns that were heard, and what the character says there.
    """
    for item in task.items:
        answers = said[item.persona.id]
        for i, (context, reply) in enumerate(zip(item.contexts, answers, strict=True)):
            heard = [list(turn) for turn in context]
            scene = {"heard": heard, "gold": item.gold[i]} if item.gold else {}
            yield {
                "task": task.name,
                "arm": arm,
                "persona": item.persona.id,
                "prompt": context[-1][1],
                **scene,
                "reply": reply,
            }
