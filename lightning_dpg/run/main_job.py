"""The main job: from settings to a report."""

from __future__ import annotations

from pathlib import Path

from lightning_dpg.config import Config
from lightning_dpg.run.job import evaluate_arms, prepare, train_arms
from lightning_dpg.runs import link_latest, open_run


def train(config: Config) -> Path:
    """The main job: corpus, training, evaluation, report; an interrupted run is taken up again.

    Returns:
        The path of the report.
    """
    job = prepare(config)
    job.tasks()  # before anything is trained
    # Not before: a model that is missing must not leave an empty run behind.
    run = open_run(config, job.corpus_hash)
    report = evaluate_arms(job, train_arms(job, run), run, run)
    link_latest(run)
    return report
