"""All that an ablation found, as plain values: what `results.json` holds and its page shows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_dpg import __version__
from lightning_dpg.ablation.cells import Cell
from lightning_dpg.ablation.comparing import Bootstrap, cell_numbers
from lightning_dpg.ablation.examples import examples
from lightning_dpg.ablation.measured import Measured, read_measured
from lightning_dpg.ablation.plan import Plan, differing
from lightning_dpg.ablation.running import Outcome, Status
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.statistics.comparison import holm
from lightning_dpg.runs import REPORT, RUNS

Trials = Sequence[tuple[int, Outcome]]
"""The runs of a cell: seed and what became of it."""


def summarise(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Cells with their settings, numbers and intervals; what is not done says why.

    Args:
        plan: what there was to run.
        outcomes: one for each trial of the plan.
    """
    by_cell: dict[str, list[tuple[int, Outcome]]] = {c.name: [] for c in plan.ablation.cells}
    for trial, outcome in zip(plan.trials, outcomes, strict=True):
        by_cell[trial.cell.name].append((trial.seed, outcome))
    runs: dict[str, dict[int, Measured]] = {}
    cells: dict[str, dict[str, Any]] = {}
    for cell in plan.ablation.cells:
        entry = cells[cell.name] = _entry(cell, by_cell[cell.name], RUNS / plan.place)
        if entry["status"] == "done":
            try:
                runs[cell.name] = _read(by_cell[cell.name])
            except UserError as error:
                entry |= {"status": "failed", "reason": str(error)}
    references = {cell.name: plan.ablation.reference_of(cell.name) for cell in plan.ablation.cells}
    for name, measured in runs.items():
        reference = runs.get(references[name], {})
        cells[name] |= _about(measured) | {
            "numbers": cell_numbers(measured, reference, _bootstrap(plan))
        }
    _correct({name: cells[name]["numbers"] for name in runs if references[name] != name})
    configs = {trial.cell.name: trial.config for trial in plan.trials}
    return {
        "ablation": plan.ablation.name,
        "about": plan.ablation.about,
        "experiment": plan.experiment,
        "version": __version__,
        "reference": plan.ablation.reference,
        "references": references,
        "seeds": list(plan.seeds),
        "shared": {**plan.ablation.settings, "command line": list(plan.overrides)},
        "varied": differing(configs),
        "cells": cells,
        "examples": examples(_first_runs(by_cell, runs)),
    }


def failed(results: Mapping[str, Any]) -> bool:
    """Whether any cell did not come to an end; those that lack a key were left out."""
    return any(cell["status"] == "failed" for cell in results["cells"].values())


def _entry(cell: Cell, trials: Trials, place: Path) -> dict[str, Any]:
    """What is known of a cell without its numbers; reports are told as seen from the place."""
    done = [(seed, outcome.done) for seed, outcome in trials if outcome.done]
    status = _status([outcome.status for _, outcome in trials])
    troubles: dict[str, list[str]] = {}
    for seed, outcome in trials:
        if outcome.status == status and status != "done":
            troubles.setdefault(outcome.reason, []).append(str(seed))
    several = len(troubles) > 1
    reasons = [f"seed {', '.join(s)}: {r}" if several else r for r, s in troubles.items()]
    return {
        "status": status,
        "reason": "; ".join(reasons),
        "settings": dict(cell.settings),
        "runs": [
            {
                "seed": seed,
                "folder": str(run.folder),
                "report": Path(os.path.relpath(run.folder / REPORT, place)).as_posix(),
                "seconds": run.seconds,
            }
            for seed, run in done
        ],
        "seconds": sum(d.seconds for _, d in done) if done else None,
    }


def _correct(compared: Mapping[str, dict[str, Any]]) -> None:
    """Puts p after Holm's correction beside that of each cell: all that are compared are a family.

    Args:
        compared: by name of a cell that has a reference, its numbers.
    """
    corrected = holm({name: numbers["compared"]["p"] for name, numbers in compared.items()})
    for name, numbers in compared.items():
        numbers["compared"] |= {"p_holm": corrected[name]}


def _status(found: Sequence[Status]) -> Status:
    """Of a cell: it has numbers when all its seeds have."""
    order: tuple[Status, ...] = ("failed", "skipped", "waiting", "done")
    return next(status for status in order if status in found)


def _read(trials: Trials) -> dict[int, Measured]:
    return {seed: read_measured(o.done.folder) for seed, o in trials if o.done}


def _about(runs: Mapping[int, Measured]) -> dict[str, Any]:
    """Who labelled and judged which texts."""
    first = next(iter(runs.values()))
    return {
        "facts": dict(first.facts),
        "corpora": list(dict.fromkeys(run.corpus for run in runs.values())),
        "versions": dict(first.versions),
    }


def _bootstrap(plan: Plan) -> Bootstrap:
    """As in a run's own evaluation, so that a cell of one seed has the intervals of its report."""
    first = plan.trials[0].config
    return Bootstrap(first.evaluation.bootstrap, first.seed)


def _first_runs(
    by_cell: Mapping[str, Trials], runs: Mapping[str, Mapping[int, Measured]]
) -> dict[str, Any]:
    """Of each cell that has numbers the run with the first seed."""
    found = {}
    for name, measured in runs.items():
        seed = next(iter(measured))
        outcome = dict(by_cell[name])[seed]
        assert outcome.done is not None
        found[name] = (outcome.done.folder, measured[seed])
    return found
