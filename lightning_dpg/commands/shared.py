"""What several commands share: settings as arguments, and an answer to Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        help="key=value, such as trainer.max_steps=50 or backbone=tiny", show_default=False
    ),
]


@contextmanager
def resumable() -> Iterator[None]:
    """Ctrl-C in a command that goes on where it was."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):  # Lightning turns the one into the other
        typer.echo("\nInterrupted. The same command goes on where it stopped.", err=True)
        raise typer.Exit(130) from None
