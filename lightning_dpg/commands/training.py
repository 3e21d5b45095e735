"""Commands that train and measure: `train`, `evaluate`, `ablate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightning_dpg import config as settings
from lightning_dpg.commands.shared import Overrides, resumable


def train(
    experiment: Annotated[
        str, typer.Argument(help="a name under experiments/, or a YAML file")
    ] = "dpg_smollm2",
    overrides: Overrides = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="show the resolved settings and stop")
    ] = False,
) -> None:
    """Build the corpus, train, evaluate and report; an interrupted run is taken up again."""
    config = settings.load(experiment, overrides or [])
    if print_config:
        typer.echo(settings.to_yaml(config), nl=False)
        return
    from lightning_dpg.run.main_job import train as run_main_job

    with resumable():
        report = run_main_job(config)
    typer.echo(f"Report: {report}")


def evaluate(
    experiment: Annotated[
        str, typer.Argument(help="a name, for its last run, or the folder of a run")
    ] = "dpg_smollm2",
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="key=value of evaluation, assessor.judge, assessor.quality or logging, such as "
            "evaluation.tasks=[scripted]",
            show_default=False,
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="of the folder within the run's evaluations")] = "full",
) -> None:
    """Evaluate a run by every task and arm; what is generated and rated already is taken over."""
    from lightning_dpg import runs
    from lightning_dpg.run.evaluation import evaluate as run_evaluation

    folder = Path(experiment)
    if not (folder / runs.SETTINGS).is_file():
        folder = runs.latest_run(experiment)
    with resumable():
        report = run_evaluation(folder, overrides or [], name)
    typer.echo(f"Report: {report}")


def ablate(
    ablation: Annotated[
        str, typer.Argument(help="a name under experiments/ablations/, or a YAML file")
    ] = "character_vs_score",
    overrides: Overrides = None,
    experiment: Annotated[
        str, typer.Option(help="vary this experiment", show_default="the ablation's own")
    ] = "",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="run cells again that are done, too")
    ] = False,
    listing: Annotated[bool, typer.Option("--list", help="list the ablations and stop")] = False,
) -> None:
    """Run an experiment with some settings varied, cell by cell, and compare the cells.

    Cells that are done are taken over; one that fails does not stop the others.
    """
    from lightning_dpg.ablation.grid import listed, read_ablation
    from lightning_dpg.ablation.plan import plan

    if listing:
        for name, about in listed():
            typer.echo(f"{name:<22} {about}")
        return
    planned = plan(read_ablation(ablation), experiment, overrides or [])
    from lightning_dpg.run.ablation import ablate as run_ablation

    with resumable():
        finished = run_ablation(planned, fresh=fresh)
    typer.echo(f"\n{finished.table}\nReport: {finished.report}")
    if finished.failed:
        raise typer.Exit(1)
