"""The main job: from settings to a report."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

from lightning_dpg import __version__
from lightning_dpg.assessment.base import Assessor
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.callbacks.tracking import log_results
from lightning_dpg.config import Arm, Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.evaluation.arms import ARMS
from lightning_dpg.evaluation.evaluate import evaluate
from lightning_dpg.models.backbone import Backbone, load_backbone
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.progress import Steps
from lightning_dpg.report.page import write_report
from lightning_dpg.run.assessors import labelled, make_assessor, make_instruments, spoken
from lightning_dpg.run.corpus import make_corpus
from lightning_dpg.run.quiet import quieten
from lightning_dpg.runs import RESULTS, link_latest, open_run, write_atomically
from lightning_dpg.training import make_datamodule, train_arm

PACKAGES = ("torch", "transformers", "bitsandbytes", "lightning", "datasets")


def train(config: Config) -> Path:
    """The main job: corpus, training, evaluation, report; an interrupted run is taken up again.

    Returns:
        The path of the report.
    """
    steps = Steps()
    quieten(config.trainer.threads)
    trained_arms = [arm for arm in config.evaluation.arms if ARMS[arm].source]
    count = 3 + len(trained_arms)
    with steps.step("backbone", f"[1/{count}] Loading {config.backbone.name}"):
        backbone = load_backbone(config.backbone, config.seed)
    corpus = make_corpus(config, steps, backbone, f"[2/{count}] ")
    judge = make_assessor(config.assessor.judge, backbone, corpus)
    if isinstance(judge, LocalAssessor) and judge.reference is None:
        with steps.step("norms", "Taking the judge's norms from the corpus"):
            judge.fit(spoken(corpus))
    # Not before: a model that is missing must not leave an empty run behind.
    run = open_run(config, corpus.card["hash"])
    trained: dict[Arm, PersonalityModule] = {}
    for i, arm in enumerate(trained_arms):
        with steps.step(arm, f"[{3 + i}/{count}] Training {ARMS[arm].title}"):
            trained[arm] = train_arm(arm, config, corpus, backbone, judge, run)
    data = make_datamodule("dpg", config, corpus, backbone)
    with steps.step("evaluation", f"[{count}/{count}] Evaluating and reporting"):
        instruments = make_instruments(config, corpus, backbone, judge)
        summary = evaluate(config, corpus, data.split, backbone, instruments, trained, run, steps)
        samples = {part: len(found) for part, found in data.split.items()}
        samples["learned"] = len(data.learned)
        about = _about(config, backbone, corpus, samples, judge)
    results = {**about, "wall_seconds": steps.seconds, **summary}
    write_atomically(run / RESULTS, json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    log_results(config, run)
    report = write_report(run)
    link_latest(run)
    return report


def _about(
    config: Config, backbone: Backbone, corpus: Corpus, samples: dict[str, int], judge: Assessor
) -> dict[str, Any]:
    """What a reader must know to repeat the run."""
    return {
        "experiment": config.name,
        "seed": config.seed,
        "version": __version__,
        "backbone": backbone.identity,
        "labels": corpus.card["labels"],
        "judge": judge.identity,
        "judge_note": _judge_note(judge, corpus),
        "corpus": {
            **{key: corpus.card[key] for key in ("hash", "dialogues", "utterances", "characters")},
            "samples": samples,
        },
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }


def _judge_note(judge: Assessor, corpus: Corpus) -> str:
    """What a reader must know about who judges."""
    note = ""
    if isinstance(judge, LocalAssessor):
        note = (
            "The judge reads the same frozen weights as the model under evaluation, without any "
            "adapter. "
        )
        if labelled(corpus, judge):
            note += "It labelled the corpus, too. "
    return note + (
        "DPG is given a character's description; the prompted model and both LoRA-SFT arms are "
        "given the scores alone, and plain LoRA-SFT is trained on cross-entropy alone."
    )
