"""Commands that show and examine: `report`, `seeds`, `reliability`, `experiments`, `version`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightning_dpg import __version__
from lightning_dpg import config as settings


def report(
    experiment: Annotated[
        str, typer.Argument(help="a name, or the folder of a run")
    ] = "dpg_smollm2",
) -> None:
    """Draw the report of a finished run again."""
    from lightning_dpg import runs
    from lightning_dpg.report.page import write_report

    folder = Path(experiment)
    if not (folder / runs.RESULTS).is_file():
        folder = runs.latest_run(experiment)
    typer.echo(f"Report: {write_report(folder)}")


def seeds(
    folders: Annotated[list[Path], typer.Argument(help="folders of finished runs, one a seed")],
) -> None:
    """Put runs of one experiment with different seeds together, in tables."""
    from lightning_dpg.report.seeds import seed_table

    typer.echo(seed_table(folders))


def reliability(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="a corpus that was built, files or folders with dialogue, or `bundled`"
        ),
    ] = None,
    assessor: Annotated[
        list[str] | None,
        typer.Option(
            help="local, lexicon, knowledge, vanilla (a language model, assessor.judge.api), "
            "scripted; may be given again",
            show_default="local and lexicon",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="folder of the page and the numbers")] = Path(
        "runs/reliability"
    ),
    language: Annotated[str, typer.Option(help="of the speeches")] = "en",
    passages: Annotated[int, typer.Option(help="speeches that are rated together")] = 8,
    repeats: Annotated[
        int, typer.Option(help="how often a language model is asked about the same speeches")
    ] = 3,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value, such as assessor.judge.api.model=openai/gpt-4o"),
    ] = None,
    experiment: Annotated[
        str, typer.Option(help="take backbone and assessor from this experiment")
    ] = "dpg_smollm2",
) -> None:
    """Say how far assessors can be trusted: repeats, halves, agreement, known groups."""
    config = settings.load(experiment, setting or [])
    config.data.sources, config.data.languages = sources or ["bundled"], [language]
    from lightning_dpg.run.reliability import reliability as study

    names = assessor or ["local", "lexicon"]
    typer.echo(f"Report: {study(config, names, language, passages, repeats, out)}")


def experiments() -> None:
    """List the experiments."""
    for name in settings.experiments():
        first = settings.find_experiment(name).read_text(encoding="utf-8").splitlines()[0]
        typer.echo(f"{name:<22} {first.removeprefix('# ') if first.startswith('#') else ''}")


def version() -> None:
    """Print the version."""
    typer.echo(__version__)
