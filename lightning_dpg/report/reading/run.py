"""The folder of a run, or of an evaluation inside one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_dpg.errors import UserError
from lightning_dpg.report.fields import Fields, broken
from lightning_dpg.report.reading.arm import Arm
from lightning_dpg.report.reading.files import Curve, Reply, read_curves, read_replies
from lightning_dpg.report.reading.studies import (
    Control,
    Dose,
    Overfitting,
    Unscored,
    control_of,
    dose_of,
    overfitting_of,
    unscored_of,
)
from lightning_dpg.report.reading.task import Task, task_of
from lightning_dpg.report.reading.values import numbers, texts
from lightning_dpg.runs import EVALUATIONS, REPLIES, RESULTS, SETTINGS


@dataclass(frozen=True)
class RunFolder:
    """Everything that the report shows, in the order of the files.

    Attributes:
        facts: the plain facts of the run (experiment, seed, labels, judge, ...), as written.
        headline: the task of the headline table, one of `tasks`.
        skipped: why an arm could not speak, by its name.
        doses: the dose-response of DPG, a trait each; empty where none was made.
        descriptions: what descriptions explain by themselves (explained, expected, p, replies), of
            the traits that replies show and of their words.
        unscored: what was not measured in the studies; empty in earlier results.
        curves: by folder of the trained arm, then by logged column.
    """

    path: Path
    facts: Mapping[str, Any]
    headline: Task
    tasks: tuple[Task, ...]
    skipped: Mapping[str, str]
    doses: tuple[Dose, ...]
    descriptions: Mapping[str, Mapping[str, float | None]]
    overfitting: tuple[Overfitting, ...]
    controls: tuple[Control, ...]
    unscored: tuple[Unscored, ...]
    replies: tuple[Reply, ...]
    curves: Mapping[str, Mapping[str, Curve]]
    config: str

    @property
    def main(self) -> Arm:
        """The arm that the report is about, in the headline task."""
        return self.headline.main

    @property
    def arm_names(self) -> tuple[str, ...]:
        """All arms of all tasks, those of the headline first."""
        tasks = (self.headline, *self.tasks)
        return tuple(dict.fromkeys(arm.name for task in tasks for arm in task.arms))

    @property
    def is_evaluation(self) -> bool:
        """Whether this is an evaluation inside a run, with arms and tasks of its own."""
        return run_of(self.path) != self.path

    @property
    def said(self) -> tuple[Reply, ...]:
        """The replies of the headline task."""
        return tuple(reply for reply in self.replies if reply.task == self.headline.name)


def read_run(folder: Path) -> RunFolder:
    """Read the folder of a run, or of an evaluation inside it.

    Raises:
        UserError: `results.json` is missing, is of an earlier version, or is not what an evaluation
            writes, or a line of `replies.jsonl` is broken. Absent replies, metrics and
            configuration are no error.
    """
    results = _results(folder / RESULTS)
    tasks = [task_of(*item) for item in results.children("tasks").items()]
    tasks = [task for task in tasks if task.personas and task.arms]
    name = results.text("headline")
    headline = next((task for task in tasks if task.name == name), None)
    if headline is None:
        raise broken(
            results.path, f"`tasks.{name}` expected `arms` and `personas` with an entry each"
        )
    config, run = folder / SETTINGS, run_of(folder)
    return RunFolder(
        path=folder,
        facts=results.values,
        headline=headline,
        tasks=tuple(tasks),
        skipped=texts(results.child("skipped")),
        doses=tuple(dose_of(*item) for item in results.children("dose_response").items()),
        descriptions={
            shown: numbers(effect) for shown, effect in results.children("descriptions").items()
        },
        overfitting=tuple(
            overfitting_of(*item) for item in results.children("overfitting").items()
        ),
        controls=tuple(control_of(*item) for item in results.children("controls").items()),
        unscored=tuple(
            one for item in results.children("unscored").items() for one in unscored_of(*item)
        ),
        replies=read_replies(folder / REPLIES),
        curves={file.parent.name: read_curves(file) for file in sorted(run.glob("*/metrics.csv"))},
        config=config.read_text(encoding="utf-8") if config.is_file() else "",
    )


def run_of(folder: Path) -> Path:
    """The run that a folder with results belongs to: two above an evaluation, else itself."""
    parent = folder.absolute().parent
    return parent.parent if parent.name == EVALUATIONS else folder


def _results(file: Path) -> Fields:
    if not file.is_file():
        raise UserError(
            f"{file} is missing: the report is drawn from the results of an evaluation. "
            "Evaluate the run first, or give the folder that holds its results.json"
        )
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as problem:  # bad JSON or bad UTF-8
        raise broken(file, f"not valid JSON ({problem})") from None
    results = Fields.of(file, "", values)
    if "tasks" not in results.values and "arms" in results.values:
        raise UserError(
            f"{file} was made by an earlier version of lightning_dpg"
            f" ({results.values.get('version', 'unknown')}), whose results have another shape: "
            f"evaluate again with `dpg evaluate {results.values.get('experiment', 'EXP')}`"
        )
    return results
