"""What every run is made of: model, corpus and judge; training arms; evaluating them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lightning_dpg import __version__, processes
from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.base import Assessor
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.callbacks.tracking import log_results
from lightning_dpg.config import Arm, Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.datamodule import DialogueDataModule
from lightning_dpg.data.samples import Sample
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.arms import ARMS, make_speaker, missing
from lightning_dpg.evaluation.evaluate import Evaluation, Participant
from lightning_dpg.evaluation.tasks import Task, make_tasks
from lightning_dpg.models.backbone import Backbone, load_backbone, on_gpu
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.progress import Steps
from lightning_dpg.records import Profile
from lightning_dpg.report.page import write_report
from lightning_dpg.run.assessors import (
    labelled,
    make_asker,
    make_judge,
    make_panel,
    make_quality_judge,
    purse,
)
from lightning_dpg.run.corpus import make_corpus, make_test_corpus
from lightning_dpg.run.quiet import quieten
from lightning_dpg.run.versions import commit, versions
from lightning_dpg.runs import KEPT, RESULTS, write_atomically
from lightning_dpg.training import MODEL, make_datamodule, train_arm


@dataclass(frozen=True)
class Job:
    """What a run works with.

    Attributes:
        config: settings.
        backbone: the frozen model.
        corpus: to train on.
        test_corpus: whose characters are held out instead, if another one's are.
        judge: who measures while training and calibrating.
        steps: shows progress.
    """

    config: Config
    backbone: Backbone
    corpus: Corpus
    test_corpus: Corpus | None
    judge: Assessor
    steps: Steps

    @property
    def trained_arms(self) -> list[Arm]:
        """Arms of the evaluation that have something to train."""
        return [arm for arm in self.config.evaluation.arms if ARMS[arm].source]

    @property
    def corpus_hash(self) -> str:
        """Of all that samples come from."""
        corpora = [self.corpus, *([self.test_corpus] if self.test_corpus else [])]
        return "+".join(str(corpus.card["hash"]) for corpus in corpora)

    def tasks(self) -> list[Task]:
        """What every arm is asked.

        Raises:
            UserError: nobody has anything to do.
        """
        split, names = self.data("dpg").split, self.config.evaluation.tasks
        tasks = make_tasks(self.config, self.corpus, split, names, self.test_corpus)
        if not tasks:
            raise UserError(
                f"Nobody can do any of the tasks {', '.join(names) or 'none'} (evaluation.tasks): "
                "questions with evaluation.drawn_profiles above 0 can always be done"
            )
        return tasks

    def data(self, arm: Arm) -> DialogueDataModule:
        """The data of an arm."""
        return make_datamodule(arm, self.config, self.corpus, self.backbone, self.test_corpus)


def prepare(config: Config) -> Job:
    """Load the model, build the corpus and call the judge.

    Of several processes the first goes ahead: what it asks for and labels, the others find.

    Raises:
        UserError: what loading and building raise, or processes that differ in their corpus.
    """
    quieten(None)
    processes.join(config.trainer, on_gpu(config.backbone))
    quieten(config.trainer.threads)  # not before: coming together changes the threads
    job = processes.after_first(lambda: _prepare(config))
    corpora = processes.gathered(job.corpus_hash)
    processes.from_first(lambda: _check_same(corpora))
    return job


def _check_same(corpora: Sequence[str]) -> None:
    if len(found := set(corpora)) > 1:
        raise UserError(
            f"{len(corpora)} processes read {len(found)} different corpora: let all nodes share "
            "the folder of DPG_CACHE and the sources (docs/training.md)"
        )


def _prepare(config: Config) -> Job:
    steps = Steps()
    with steps.step("backbone", f"Loading {config.backbone.name}"):
        backbone = load_backbone(config.backbone, config.seed)
    corpus = make_corpus(config, steps, backbone)
    test_corpus = make_test_corpus(config, steps, backbone, corpus)
    with steps.step("norms", "Calling the judge"):
        judge = make_judge(config, corpus, backbone, config.evaluation.language)
    return Job(config, backbone, corpus, test_corpus, judge, steps)


def train_arms(job: Job, run: Path) -> dict[Arm, PersonalityModule]:
    """The trained arms; those that lie in the run's folder are loaded."""
    trained: dict[Arm, PersonalityModule] = {}
    arms = job.trained_arms
    for i, arm in enumerate(arms):
        with job.steps.step(arm, f"Training {ARMS[arm].title} ({i + 1} of {len(arms)})"):
            trained[arm] = train_arm(
                arm, job.config, job.corpus, job.backbone, job.judge, run, job.test_corpus
            )
    return trained


def evaluate_arms(
    job: Job, trained: Mapping[Arm, PersonalityModule], run: Path, folder: Path
) -> Path:
    """Evaluate trained arms of a run; results and report go to the folder."""
    config, steps = job.config, job.steps
    data = job.data("dpg")
    tasks = job.tasks()
    skipped = _skipped(config, data, tasks)
    for arm, why in skipped.items():
        steps.console.print(f"Left out: {ARMS[arm].title}: {why}")
    with steps.step("evaluation", "Evaluating and reporting"):
        found = Evaluation(
            config=config,
            tasks=tasks,
            corpus_mean=mean_profile(data.split["train"]),
            backbone=job.backbone,
            panel=make_panel(config, job.corpus, job.backbone, job.judge),
            quality_judge=make_quality_judge(config.assessor.quality, purse(job.judge)),
            participants={
                arm: _participant(arm, job, data, trained.get(arm), run)
                for arm in config.evaluation.arms
                if arm not in skipped
            },
            kept=Artefacts(run / KEPT),
            steps=steps,
        ).run(folder)
    results = {**_about(job, data), "wall_seconds": steps.seconds, "skipped": skipped, **found}
    write_atomically(folder / RESULTS, json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    log_results(config, folder)
    return write_report(folder)


def _participant(
    arm: Arm, job: Job, data: DialogueDataModule, module: PersonalityModule | None, run: Path
) -> Participant:
    """An arm with its voice, and the hash of what it learned."""
    weights = run / arm / MODEL
    e, spec = job.config.evaluation, ARMS[arm]
    source = {
        "backbone": job.backbone.identity,
        "weights": hashlib.sha256(weights.read_bytes()).hexdigest() if module else "",
        "shots": e.shots if spec.shots else 0,
        "speaker": [e.speaker.model, e.speaker.temperature] if spec.remote else [],
    }
    speaker = make_speaker(
        arm,
        job.config,
        job.backbone,
        module,
        data.split["train"],
        make_asker=partial(make_asker, beside=purse(job.judge)),
    )
    return Participant(speaker, source)


def _skipped(config: Config, data: DialogueDataModule, tasks: Sequence[Task]) -> dict[Arm, str]:
    """Arms that cannot speak, and why."""
    languages = sorted({persona.language for task in tasks for persona in task.personas})
    found: dict[Arm, str] = {}
    for arm in config.evaluation.arms:
        if why := missing(arm, config, data.split["train"], languages):
            found[arm] = why
    return found


def mean_profile(samples: Sequence[Sample]) -> Profile:
    """The mean label of some samples."""
    return Profile.cut(np.mean([s.profile.scores for s in samples], axis=0).tolist())


def _about(job: Job, data: DialogueDataModule) -> dict[str, Any]:
    """What a reader must know to repeat the run."""
    samples = {part: len(found) for part, found in data.split.items()}
    samples |= {"learned": len(data.learned), "left_out": data.left_out}
    card = job.corpus.card
    return {
        "experiment": job.config.name,
        "seed": job.config.seed,
        "version": __version__,
        "commit": commit(),
        "backbone": job.backbone.identity,
        "labels": card["labels"],
        "judge": job.judge.identity,
        "judge_note": _judge_note(job),
        "corpus": {
            **{key: card[key] for key in ("dialogues", "utterances", "characters")},
            "hash": job.corpus_hash,
            "samples": samples,
        },
        "versions": versions(),
    }


def _judge_note(job: Job) -> str:
    """What a reader must know about who judges."""
    note, judge, corpus = "", job.judge, job.corpus
    if isinstance(judge, LocalAssessor):
        note = (
            "The judge reads the same frozen weights as the model under evaluation, without any "
            "adapter. "
        )
        if labelled(corpus, judge):
            note += "It labelled the corpus, too. "
    read = [
        name
        for name, given in (
            ("scores", job.config.hypernetwork.reads_scores),
            ("description", job.config.hypernetwork.reads_description),
        )
        if given
    ]
    return note + (
        f"DPG is given {' and '.join(read) or 'neither scores nor description'}; LoRA-SFT and the "
        "linear map are given the scores alone, prompted arms what their names say. Plain LoRA-SFT "
        "is trained on cross-entropy alone."
    )
