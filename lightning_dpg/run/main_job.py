"""The main job: from settings to a report."""

from __future__ import annotations

from pathlib import Path

from lightning_dpg import processes
from lightning_dpg.config import Config
from lightning_dpg.run.job import evaluate_arms, prepare, train_arms
from lightning_dpg.runs import REPORT, link_latest, open_run


def train(config: Config) -> Path:
    """The main job: corpus, training, evaluation, report; an interrupted run is taken up again.

    Several processes train together; the first evaluates and reports, and the others are done.

    Returns:
        The path of the report.
    """
    job = prepare(config)
    processes.from_first(lambda: len(job.tasks()))  # before anything is trained
    # Not before: a model that is missing must not leave an empty run behind.
    run = processes.from_first(lambda: open_run(config, job.corpus_hash))
    trained = train_arms(job, run)
    processes.part()
    if processes.is_first():
        evaluate_arms(job, trained, run, run)
        link_latest(run)
    return run / REPORT
