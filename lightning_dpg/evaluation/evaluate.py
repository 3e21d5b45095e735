"""The closing evaluation: every arm speaks for the same personas, and the judge rates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lightning_dpg.assessment.base import spending
from lightning_dpg.config import Arm, Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation.arms import ARMS, voice_of
from lightning_dpg.evaluation.fluency import fluency
from lightning_dpg.evaluation.instruments import Instruments, agreement
from lightning_dpg.evaluation.personas import (
    Persona,
    described_personas,
    dose_personas,
    drawn_personas,
    held_out_personas,
)
from lightning_dpg.evaluation.questions import CLOSING, questions_for
from lightning_dpg.evaluation.replies import ask_personas, by_persona, generate_replies
from lightning_dpg.evaluation.results import summarise
from lightning_dpg.evaluation.studies import studies
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.progress import Steps
from lightning_dpg.records import Profile, Rating
from lightning_dpg.runs import REPLIES, write_atomically

SAMPLING_SEED = 7919
"""Added to the run's seed: replies of the evaluation are sampled apart from those of validation."""

Said = dict[str, list[str]]
"""What a persona, by its id, answered to its questions, in their order."""


def evaluate(
    config: Config,
    corpus: Corpus,
    split: Mapping[str, list[Sample]],
    backbone: Backbone,
    instruments: Instruments,
    trained: Mapping[Arm, PersonalityModule],
    run: Path,
    steps: Steps,
) -> dict[str, Any]:
    """Generate, rate and summarise; replies that lie in the run's folder are not generated again.

    Returns:
        Arms, trivial answers, ratios, personas and prompts (see `results.summarise`), and for DPG
        the dose-response and the effect of descriptions.
    """
    personas = held_out_personas(corpus, split["test"])
    studied = dose_personas(config.evaluation.dose_levels) + described_personas(personas)
    personas += drawn_personas(config.evaluation.drawn_profiles, config.seed)
    asked = {arm: personas + (studied if arm == "dpg" else []) for arm in config.evaluation.arms}
    replies = _read_replies(run, asked, config)
    for arm in config.evaluation.arms:
        if arm not in replies:
            replies[arm] = _speak(arm, config, asked[arm], backbone, trained.get(arm), steps)
            _write_replies(run, asked, replies, config)
    count = sum(map(len, asked.values())) * config.evaluation.replies_per_persona
    with steps.bar("Rating replies", count, spending(instruments.judge)) as advance:
        ratings = {
            arm: instruments.judge.rate([replies[arm][p.id] for p in asked[arm]], advance=advance)
            for arm in config.evaluation.arms
        }
    main: dict[str, list[Rating]] = {arm: rated[: len(personas)] for arm, rated in ratings.items()}
    summary = summarise(
        personas,
        main,
        _mean_profile(split["train"]),
        resamples=config.evaluation.bootstrap,
        seed=config.seed,
    )
    with steps.step("quality", "Fluency and second instrument"):
        for arm in config.evaluation.arms:
            said = {p.id: replies[arm][p.id] for p in personas}
            summary["arms"][arm]["fluency"] = _fluency(config, backbone, personas, said)
            summary["arms"][arm]["second"] = agreement(
                personas, list(said.values()), instruments.second
            )
    found = {"prompts": [text for _, text in CLOSING], **summary}
    if "dpg" in ratings:
        found |= studies(
            config, asked["dpg"], ratings["dpg"], replies["dpg"], backbone, instruments
        )
    return found


def _fluency(
    config: Config, backbone: Backbone, personas: list[Persona], said: Said
) -> dict[str, Any]:
    """Of some replies of each persona, over all questions in turn: enough for a mean."""
    whole, count = config.evaluation.replies_per_persona, config.evaluation.fluency_replies
    questions = questions_for(whole, CLOSING)
    turns = [[(i * count + j) % whole for j in range(count)] for i in range(len(personas))]
    requests = ask_personas(personas, [[questions[k] for k in turn] for turn in turns])
    replies = [said[p.id][k] for p, turn in zip(personas, turns, strict=True) for k in turn]
    return fluency(backbone, requests, replies, config.data.max_prompt_tokens)


def _speak(
    arm: Arm,
    config: Config,
    personas: list[Persona],
    backbone: Backbone,
    module: PersonalityModule | None,
    steps: Steps,
) -> Said:
    count = config.evaluation.replies_per_persona
    requests = ask_personas(personas, [questions_for(count, CLOSING)] * len(personas))
    with steps.bar(f"Replies: {ARMS[arm].title}", len(requests)) as advance:
        said = generate_replies(
            backbone,
            requests,
            config.evaluation,
            voice=voice_of(arm, module),
            max_prompt_tokens=config.data.max_prompt_tokens,
            seed=config.seed + SAMPLING_SEED,
            advance=advance,
        )
    return dict(zip([p.id for p in personas], by_persona(said, count), strict=True))


def _write_replies(
    run: Path,
    asked: Mapping[Arm, Sequence[Persona]],
    replies: Mapping[Arm, Said],
    config: Config,
) -> None:
    lines = []
    questions = questions_for(config.evaluation.replies_per_persona, CLOSING)
    for arm, said in replies.items():
        for persona in asked[arm]:
            for (_, prompt), reply in zip(questions, said[persona.id], strict=True):
                record = {"arm": arm, "persona": persona.id, "prompt": prompt, "reply": reply}
                lines.append(json.dumps(record, ensure_ascii=False))
    write_atomically(run / REPLIES, "\n".join(lines) + "\n")


def _read_replies(
    run: Path, asked: Mapping[Arm, Sequence[Persona]], config: Config
) -> dict[Arm, Said]:
    """Replies of an interrupted evaluation to these questions: arms are written whole."""
    path = run / REPLIES
    if not path.is_file():
        return {}
    found: dict[Arm, Said] = {}
    prompts: dict[tuple[Arm, str], list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        arm, persona = record["arm"], record["persona"]
        found.setdefault(arm, {}).setdefault(persona, []).append(record["reply"])
        prompts.setdefault((arm, persona), []).append(record["prompt"])
    questions = [text for _, text in questions_for(config.evaluation.replies_per_persona, CLOSING)]
    return {
        arm: said
        for arm, said in found.items()
        if arm in asked and all(prompts.get((arm, p.id)) == questions for p in asked[arm])
    }


def _mean_profile(samples: list[Sample]) -> Profile:
    return Profile.cut(np.mean([s.profile.scores for s in samples], axis=0).tolist())
