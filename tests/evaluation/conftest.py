"""An evaluation of frozen arms on the tiny backbone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.config import Arm, Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import make_samples, split_samples
from lightning_dpg.evaluation.arms import make_speaker
from lightning_dpg.evaluation.evaluate import Evaluation, Participant
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.tasks import make_tasks
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.progress import Steps
from lightning_dpg.records import Profile
from lightning_dpg.runs import KEPT, REPLIES

Evaluated = tuple[dict[str, Any], list[dict[str, str]]]


@pytest.fixture
def small(config: Config) -> Config:
    """Settings of an evaluation that takes a second."""
    e = config.evaluation
    e.arms, e.tasks = ["unadapted", "prompted"], ["questions"]
    e.drawn_profiles, e.replies_per_persona, e.newcomers = 3, 2, 4
    e.max_new_tokens, e.bootstrap, e.fluency_replies, e.dose_levels = 12, 20, 2, 3
    config.data.test_fraction = config.data.validation_fraction = 0.2
    return config


@pytest.fixture
def evaluate(
    small: Config, corpus: Corpus, backbone: Backbone, tmp_path: Path
) -> Callable[..., Evaluated]:
    """Evaluates into tmp_path; gives the results and the lines of the replies."""

    def go(judge: Any = None, second: Any = None) -> Evaluated:
        split = split_samples(make_samples(corpus, small.data), small.data, 0)
        judge = judge or ScriptedAssessor()
        instruments = Instruments(
            judge, ScriptedAssessor(), second or ScriptedAssessor(min_words=3)
        )

        def participant(arm: Arm) -> Participant:
            return Participant(make_speaker(arm, small, backbone), {"weights": ""})

        evaluation = Evaluation(
            config=small,
            tasks=make_tasks(small, corpus, split, small.evaluation.tasks),
            corpus_mean=Profile((0.5,) * 5),
            backbone=backbone,
            panel=lambda language: instruments,
            quality_judge=None,
            participants={arm: participant(arm) for arm in small.evaluation.arms},
            kept=Artefacts(tmp_path / KEPT),
            steps=Steps(),
        )
        found = evaluation.run(tmp_path)
        lines = (tmp_path / REPLIES).read_text(encoding="utf-8").splitlines()
        return found, [json.loads(line) for line in lines]

    return go
