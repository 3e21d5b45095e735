"""The closing evaluation: every arm speaks for the same personas, and the judge rates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lightning_dpg.assessment.base import Assessor
from lightning_dpg.config import Arm, Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation.arms import ARMS
from lightning_dpg.evaluation.personas import Persona, drawn_personas, held_out_personas
from lightning_dpg.evaluation.questions import CLOSING, questions_for
from lightning_dpg.evaluation.replies import ask_personas, by_persona, generate_replies
from lightning_dpg.evaluation.results import summarise
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.progress import Steps
from lightning_dpg.records import Profile, Rating
from lightning_dpg.runs import REPLIES, write_atomically

SAMPLING_SEED = 7919
"""Added to the run's seed: replies of the evaluation are sampled apart from those of validation."""

Replies = dict[str, list[list[str]]]
"""By arm: for each persona its replies, in the order of its questions."""


def evaluate(
    config: Config,
    corpus: Corpus,
    split: Mapping[str, list[Sample]],
    backbone: Backbone,
    judge: Assessor,
    trained: Mapping[Arm, PersonalityModule],
    run: Path,
    steps: Steps,
) -> dict[str, Any]:
    """Generate, rate and summarise; replies that lie in the run's folder are not generated again.

    Returns:
        Arms, trivial answers, ratios, personas and prompts, see `results.summarise`.
    """
    personas = held_out_personas(corpus, split["test"])
    personas += drawn_personas(config.evaluation.drawn_profiles, config.seed)
    replies = _read_replies(run, personas, config)
    for arm in config.evaluation.arms:
        if arm not in replies:
            replies[arm] = _speak(arm, config, personas, backbone, trained.get(arm), steps)
            _write_replies(run, personas, replies, config)
    ratings: dict[str, list[Rating]] = {}
    with steps.bar("Rating replies", len(personas) * len(config.evaluation.arms)) as advance:
        for arm in config.evaluation.arms:
            ratings[arm] = judge.rate(["\n".join(said) for said in replies[arm]])
            advance(len(personas))
    summary = summarise(
        personas,
        ratings,
        _mean_profile(split["train"]),
        resamples=config.evaluation.bootstrap,
        seed=config.seed,
    )
    return {"prompts": [text for _, text in CLOSING], **summary}


def _speak(
    arm: Arm,
    config: Config,
    personas: list[Persona],
    backbone: Backbone,
    module: PersonalityModule | None,
    steps: Steps,
) -> list[list[str]]:
    count = config.evaluation.replies_per_persona
    requests = ask_personas(personas, count, CLOSING)
    with steps.bar(f"Replies: {ARMS[arm].title}", len(requests)) as advance:
        said = generate_replies(
            backbone,
            requests,
            config.evaluation,
            adapters=module.adapters_for if module else None,
            scores_in_prompt=ARMS[arm].scores_in_prompt,
            max_prompt_tokens=config.data.max_prompt_tokens,
            seed=config.seed + SAMPLING_SEED,
            advance=advance,
        )
    return by_persona(said, count)


def _write_replies(run: Path, personas: list[Persona], replies: Replies, config: Config) -> None:
    lines = []
    for arm, said in replies.items():
        for i, (persona, texts) in enumerate(zip(personas, said, strict=True)):
            questions = questions_for(config.evaluation.replies_per_persona, i, CLOSING)
            for (_, prompt), reply in zip(questions, texts, strict=True):
                record = {"arm": arm, "persona": persona.id, "prompt": prompt, "reply": reply}
                lines.append(json.dumps(record, ensure_ascii=False))
    write_atomically(run / REPLIES, "\n".join(lines) + "\n")


def _read_replies(run: Path, personas: list[Persona], config: Config) -> Replies:
    """Replies of an interrupted evaluation: arms are written whole."""
    path = run / REPLIES
    if not path.is_file():
        return {}
    found: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        found.setdefault(record["arm"], {}).setdefault(record["persona"], []).append(
            record["reply"]
        )
    count = config.evaluation.replies_per_persona
    return {
        arm: [said[p.id] for p in personas]
        for arm, said in found.items()
        if all(len(said.get(p.id, [])) == count for p in personas)
    }


def _mean_profile(samples: list[Sample]) -> Profile:
    return Profile.cut(np.mean([s.profile.scores for s in samples], axis=0).tolist())
