"""`dpg` and `python -m lightning_dpg`: all commands in one place."""

from __future__ import annotations

import sys

import typer

from lightning_dpg.commands import benchmark, reports, speaking, training
from lightning_dpg.commands.corpora import corpus
from lightning_dpg.errors import UserError

app = typer.Typer(
    name="dpg",
    help="Dynamic Personality Generation: one frozen model that speaks as anyone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    training.train,
    training.evaluate,
    training.ablate,
    speaking.generate,
    speaking.chat,
    speaking.export,
    benchmark.bench,
    reports.report,
    reports.seeds,
    reports.reliability,
    reports.experiments,
    reports.version,
):
    app.command()(command)
app.add_typer(corpus, name="corpus")


def main() -> None:
    """Run a command; a mistake of the user's is one message and exit status 2, not a traceback."""
    try:
        app()
    except UserError as error:
        typer.secho(str(error), fg="red", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
