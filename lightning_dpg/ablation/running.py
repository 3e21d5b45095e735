"""Running the cells of an ablation one after the other: a failure stops its cell and no other."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lightning_dpg.ablation.plan import Trial
from lightning_dpg.ablation.state import Done, digest, find_done, mark_done
from lightning_dpg.config import Config
from lightning_dpg.errors import UserError
from lightning_dpg.runs import write_atomically

Status = Literal["waiting", "done", "failed", "skipped"]
ERROR = "error.txt"
"""Beside the runs of a cell: where in the code the last one failed."""


BEFORE = "done before"


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        status: `skipped`: it needs a key that is not there.
        reason: why it failed or was skipped; `BEFORE` of a run that is taken over.
        done: the run that is done.
    """

    status: Status = "waiting"
    reason: str = ""
    done: Done | None = None


@dataclass(frozen=True)
class Workshop:
    """What running cells takes.

    Attributes:
        root: folder of all runs.
        train: does the run that settings describe, in `root`, and gives the path of its report; a
            run that was interrupted goes on where it was.
        missing_key: what settings need from the environment that is not there; empty for nothing.
        say: tells the person at the terminal.
        fresh: runs that are done count for nothing.
    """

    root: Path
    train: Callable[[Config], Path]
    missing_key: Callable[[Config], str]
    say: Callable[[str], None]
    fresh: bool = False


def run_trials(trials: Sequence[Trial], workshop: Workshop) -> Iterator[list[Outcome]]:
    """Do what is not done yet, in order.

    Only an interruption ends it: `KeyboardInterrupt`, or `SystemExit`, which Lightning makes of it.

    Yields:
        The outcomes of all, in the order of the trials: after each that was not done before, and at
        the end.
    """
    outcomes = [Outcome() for _ in trials]
    for place, trial in enumerate(trials):
        workshop.say(f"\n[{place + 1}/{len(trials)}] Cell {trial.cell.name}, seed {trial.seed}")
        outcomes[place] = _run(trial, workshop)
        workshop.say(_said(outcomes[place]))
        if outcomes[place].reason != BEFORE or place == len(trials) - 1:
            yield list(outcomes)


def _run(trial: Trial, workshop: Workshop) -> Outcome:
    base = workshop.root / trial.config.name
    try:
        given = digest(trial.config)
        before = None if workshop.fresh else find_done(base, given)
        if before:
            return Outcome("done", BEFORE, before)
        if key := workshop.missing_key(trial.config):
            return Outcome("skipped", key)
        start = time.perf_counter()
        run = workshop.train(trial.config).parent
        return Outcome("done", "", mark_done(run, given, time.perf_counter() - start))
    except UserError as error:
        return Outcome("failed", str(error))
    except Exception as error:  # whatever it is, the other cells go on
        write_atomically(base / ERROR, traceback.format_exc())
        words = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome("failed", f"{words} (see {base / ERROR})")


def _said(outcome: Outcome) -> str:
    if outcome.done is None:
        return f"{outcome.status.capitalize()}: {outcome.reason}"
    if outcome.reason:
        return f"Done before: {outcome.done.folder}"
    return f"Done in {outcome.done.seconds:.0f} s: {outcome.done.folder}"
