"""An ablation from its file to a page: run what is not done, compare, write it down."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from lightning_dpg import files
from lightning_dpg.ablation.keys import missing_key
from lightning_dpg.ablation.plan import Plan
from lightning_dpg.ablation.results import failed, summarise
from lightning_dpg.ablation.running import Outcome, Workshop, run_trials
from lightning_dpg.config import Config
from lightning_dpg.errors import UserError
from lightning_dpg.report.ablation import write_page
from lightning_dpg.report.ablation_plots import as_png, cell_chart
from lightning_dpg.report.ablation_tables import markdown
from lightning_dpg.report.words import counted
from lightning_dpg.run.main_job import train
from lightning_dpg.runs import REPORT, RESULTS, RUNS, write_atomically

TABLE, FIGURE = "table.md", "figure.png"


@dataclass(frozen=True)
class Finished:
    """What an ablation leaves.

    Attributes:
        report: path of the page.
        table: in Markdown.
        failed: whether any cell did not come to an end.
    """

    report: Path
    table: str
    failed: bool


def train_cell(config: Config) -> Path:
    """One run as `dpg train` does it; then its model is let go.

    Lightning keeps it alive by references in circles, and the next cell loads its own.
    """
    try:
        return train(config)
    finally:
        gc.collect()


def ablate(
    plan: Plan,
    *,
    fresh: bool = False,
    trainer: Callable[[Config], Path] = train_cell,
    lacking: Callable[[Config], str] = missing_key,
) -> Finished:
    """Run the cells of an ablation that are new, failed or changed, and compare all of them.

    Table, figure, numbers and page are written after every run, so that they can be looked at on
    the way. What goes wrong in a cell is in the results.

    Args:
        plan: the runs that it takes.
        fresh: run cells that are done, too.
        trainer: does one run in `runs.RUNS`, as `dpg train` does.
        lacking: what settings need from the environment that is not there.

    Raises:
        UserError: a cell that asks for several processes.
    """
    _check_alone(plan)
    console = Console(highlight=False, soft_wrap=True)
    seeds = ", ".join(map(str, plan.seeds))
    cells = counted(len(plan.ablation.cells), "cell")
    console.print(f"{plan.ablation.name} on {plan.experiment}: {cells}, seed {seeds}")
    workshop = Workshop(
        root=RUNS,
        train=trainer,
        missing_key=lacking,
        say=lambda text: console.print(text, style="bold", markup=False),
        fresh=fresh,
    )
    results: dict[str, Any] = {}
    folder = RUNS / plan.place
    for outcomes in run_trials(plan.trials, workshop):
        results = _write(plan, outcomes)
        _draw(results, folder)
    table = (folder / TABLE).read_text(encoding="utf-8")
    return Finished(folder / REPORT, table, failed(results))


def _check_alone(plan: Plan) -> None:
    """Several processes run one command line each, and would all write the results."""
    if any(t.config.trainer.devices * t.config.trainer.nodes > 1 for t in plan.trials):
        raise UserError(
            "An ablation trains its cells in one process: leave trainer.devices and trainer.nodes "
            "at 1, or give each GPU an ablation of its own by CUDA_VISIBLE_DEVICES and seed=…"
        )


def _write(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Numbers and table, from the runs that are done."""
    results, folder = summarise(plan, outcomes), RUNS / plan.place
    write_atomically(folder / RESULTS, json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    write_atomically(folder / TABLE, markdown(results))
    return results


def _draw(results: Mapping[str, Any], folder: Path) -> None:
    """Figure and page."""
    figure = cell_chart(results)
    files.write_atomically(folder / FIGURE, as_png(figure))
    write_page(results, figure, folder / REPORT)
