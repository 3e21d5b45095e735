"""Commands of `dpg corpus`: build one, and look into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightning_dpg import config as settings

corpus = typer.Typer(help="Build and look into corpora.", no_args_is_help=True)


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
