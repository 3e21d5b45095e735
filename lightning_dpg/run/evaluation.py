"""The evaluation of a run that is there: other tasks, arms and judges than it was trained with."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from lightning_dpg import processes
from lightning_dpg.config import Arm, Config, EvaluationConfig, TaskName, load, to_yaml
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.arms import ARMS
from lightning_dpg.run.assessors import make_judge
from lightning_dpg.run.job import Job, evaluate_arms, prepare, train_arms
from lightning_dpg.runs import EVALUATIONS, REPORT, SETTINGS, write_atomically
from lightning_dpg.training import MODEL

BACKGROUNDS = "[[2,-2,2,-2,2],[-2,2,-2,2,-2]]"
"""Where the other dials stand in further rounds of the dose-response of a full evaluation."""

BEYOND_TRAINING = ("evaluation", "assessor", "logging")
"""Settings that a finished run can be evaluated again under: nothing of its training."""


def evaluate(run: Path, overrides: Sequence[str] = (), name: str = "full") -> Path:
    """Evaluate a run that is there by every task and arm, or as the overrides say.

    What was generated or rated before is taken over where nothing changed that it depends on; arms
    that the run has not trained are trained first, as its own settings say.

    Args:
        run: its folder.
        overrides: `key=value`, of the evaluation, the judges and the logs.
        name: of the folder that results and report go to, within the run's `evaluations`.

    Returns:
        The path of the report.

    Raises:
        UserError: a folder that is no run, or settings that a finished run cannot change.
    """
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UserError(
            f"The name of an evaluation is letters, digits, - and _, got {name!r} (--name)"
        )
    own, config = _settings(run, overrides)
    if not _to_train(run, config):  # as many devices as trained it would find nothing to do
        own = replace(own, trainer=replace(own.trainer, devices=1, nodes=1))
    job = prepare(own)
    full = replace(job, config=config)
    processes.from_first(lambda: _check(run, full))  # before anything is trained
    trained = train_arms(replace(job, config=replace(own, evaluation=_arms_of(own, config))), run)
    processes.part()
    folder = run / EVALUATIONS / name
    if not processes.is_first():
        return folder / REPORT
    language = config.evaluation.language
    if (config.assessor.judge, language) != (own.assessor.judge, own.evaluation.language):
        full = replace(full, judge=make_judge(config, job.corpus, job.backbone, language))
    write_atomically(folder / SETTINGS, to_yaml(config))
    return evaluate_arms(full, trained, run, folder)


def _settings(run: Path, overrides: Sequence[str]) -> tuple[Config, Config]:
    """Settings of a run, and those to evaluate it under."""
    file = run / SETTINGS
    if not file.is_file():
        raise UserError(f"{run} is no run: it holds no {SETTINGS}. `dpg train` makes one")
    if ", corpus " not in _header(run):
        raise UserError(
            f"{run} is no run but an evaluation of one: give the run's folder, two levels up"
        )
    everything = [
        f"evaluation.arms=[{','.join(ARMS)}]",
        f"evaluation.tasks=[{','.join(get_args(TaskName))}]",
        f"evaluation.dose_backgrounds={BACKGROUNDS}",
    ]
    own, config = load(str(file)), load(str(file), [*everything, *overrides])
    changed = [
        part.name
        for part in dataclasses.fields(Config)
        if part.name not in BEYOND_TRAINING
        and getattr(own, part.name) != getattr(config, part.name)
    ]
    if own.assessor.labels != config.assessor.labels:
        changed.append("assessor.labels")
    if changed:
        raise UserError(
            f"{', '.join(changed)} cannot change after training: `dpg train` makes a run with "
            "other settings. An evaluation may change evaluation.…, assessor.judge… and "
            "assessor.quality…"
        )
    return own, config


def _arms_of(own: Config, config: Config) -> EvaluationConfig:
    """The run's own evaluation with other arms: what trains the arms that it lacks."""
    return replace(own.evaluation, arms=config.evaluation.arms)


def _to_train(run: Path, config: Config) -> list[Arm]:
    """Arms that the evaluation needs and the run has not trained."""
    needed = [arm for arm in config.evaluation.arms if ARMS[arm].source]
    return [arm for arm in needed if not (run / arm / MODEL).is_file()]


def _check(run: Path, job: Job) -> None:
    _check_corpus(run, job.corpus_hash)
    job.tasks()


def _check_corpus(run: Path, corpus: str) -> None:
    trained_on = _header(run).partition(", corpus ")[2]
    if trained_on != corpus:
        raise UserError(
            f"{run} was trained on another corpus ({trained_on[:12]}…) than its sources give now "
            f"({corpus[:12]}…): train again, or bring its files back"
        )


def _header(run: Path) -> str:
    """The first line of a run's settings: the version and the corpus that it was made with."""
    return (run / SETTINGS).read_text(encoding="utf-8").partition("\n")[0]
