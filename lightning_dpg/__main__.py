"""The commands, thin: each reads its arguments and calls `run`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lightning_dpg import __version__
from lightning_dpg import config as settings
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile

app = typer.Typer(
    name="dpg",
    help="Dynamic Personality Generation: one frozen model that speaks as anyone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

corpus = typer.Typer(help="Build and look into corpora.", no_args_is_help=True)
app.add_typer(corpus, name="corpus")

Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        help="key=value, such as trainer.max_steps=50 or backbone=tiny", show_default=False
    ),
]


@contextmanager
def _resumable() -> Iterator[None]:
    """Ctrl-C in a command that goes on where it was."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):  # Lightning turns the one into the other
        typer.echo("\nInterrupted. The same command goes on where it stopped.", err=True)
        raise typer.Exit(130) from None


@app.command()
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

    with _resumable():
        report = run_main_job(config)
    typer.echo(f"Report: {report}")


@app.command()
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
    with _resumable():
        report = run_evaluation(folder, overrides or [], name)
    typer.echo(f"Report: {report}")


@app.command()
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

    with _resumable():
        finished = run_ablation(planned, fresh=fresh)
    typer.echo(f"\n{finished.table}\nReport: {finished.report}")
    if finished.failed:
        raise typer.Exit(1)


@app.command()
def generate(
    ocean: Annotated[
        str,
        typer.Option(
            help="openness, conscientiousness, extraversion, agreeableness, neuroticism: "
            "five scores from -5 to 5, such as 4,-2,3,0,-4"
        ),
    ],
    prompt: Annotated[str, typer.Option(help="what is said to the character")],
    character: Annotated[str, typer.Option(help="who the character is, in a sentence or two")] = "",
    experiment: Annotated[
        str, typer.Option(help="take the checkpoint of this experiment's last run")
    ] = "dpg_smollm2",
    checkpoint: Annotated[Path | None, typer.Option(help="take this checkpoint instead")] = None,
    seed: Annotated[int, typer.Option(help="of the sampling")] = 0,
    temperature: Annotated[
        float | None, typer.Option(min=0.0, help="0 takes the likeliest token")
    ] = None,
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="longest reply, in tokens")
    ] = None,
) -> None:
    """Answer in character."""
    profile = Profile.parse(ocean)
    from lightning_dpg import runs
    from lightning_dpg.run import reply
    from lightning_dpg.run.loading import checkpoint_of

    path = checkpoint or checkpoint_of(runs.latest_run(experiment))
    given = {"temperature": temperature, "max_new_tokens": max_new_tokens}
    overrides = {name: value for name, value in given.items() if value is not None}
    typer.echo(reply.generate(path, profile, character, prompt, seed, overrides))


@app.command()
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


@app.command()
def seeds(
    folders: Annotated[list[Path], typer.Argument(help="folders of finished runs, one a seed")],
) -> None:
    """Put runs of one experiment with different seeds together, in tables."""
    from lightning_dpg.report.seeds import seed_table

    typer.echo(seed_table(folders))


@corpus.command("build")
def build_corpus(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="files or folders with dialogue, `bundled`, or `datasets:NAME`; "
            "`FORMAT:PATH` names the format"
        ),
    ],
    out: Annotated[Path, typer.Option(help="where the corpus goes: a new folder")],
    language: Annotated[
        list[str] | None, typer.Option(help="keep this language alone; may be given again")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="key=value, such as data.columns.text=line or assessor=scripted"
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(min=0.0, help="dollars: asking a language model stops before they are spent"),
    ] = None,
    experiment: Annotated[
        str, typer.Option(help="take backbone and assessor from this experiment")
    ] = "dpg_smollm2",
) -> None:
    """Read dialogue in any format, label it, and write a corpus that `train` can take."""
    config = settings.load(experiment, setting or [])
    config.data.sources, config.data.languages = sources, language or []
    if budget is not None:
        config.assessor.dialogues.api.budget = config.assessor.labels.api.budget = budget
    from lightning_dpg.run.corpus import build

    build(config, out)
    typer.echo(f"Corpus: {out}. To train on it: make train ARGS='data.sources=[{out}]'")


@corpus.command("show")
def show_corpus(
    folder: Annotated[Path, typer.Argument(help="a corpus that was built")],
    character: Annotated[str, typer.Option(help="show this character")] = "",
    dialogue: Annotated[str, typer.Option(help="show this dialogue")] = "",
    rejected: Annotated[
        bool, typer.Option("--rejected", help="list what could not be read")
    ] = False,
    dropped: Annotated[
        bool, typer.Option("--dropped", help="list what filters dropped, and other thresholds")
    ] = False,
) -> None:
    """Look into a corpus."""
    from rich.console import Console

    from lightning_dpg.corpus import show
    from lightning_dpg.corpus.store import Corpus

    found = Corpus.load(folder)
    if character:
        shown = show.character(found, character)
    elif dialogue:
        shown = show.dialogue(found, dialogue)
    elif rejected or dropped:
        shown = (show.rejected if rejected else show.dropped)(found)
    else:
        shown = show.summary(found)
    Console(highlight=False).print(shown)


@app.command()
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


@app.command()
def experiments() -> None:
    """List the experiments."""
    for name in settings.experiments():
        first = settings.find_experiment(name).read_text(encoding="utf-8").splitlines()[0]
        typer.echo(f"{name:<22} {first.removeprefix('# ') if first.startswith('#') else ''}")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run a command; a mistake of the user's is one message and exit status 2, not a traceback."""
    try:
        app()
    except UserError as error:
        typer.secho(str(error), fg="red", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
