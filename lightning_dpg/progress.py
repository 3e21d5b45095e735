"""What a person sees while a command runs: named steps and bars with the time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

Advance = Callable[[int], None]
"""Told how many items are done since it was last called."""


class Steps:
    """Announces steps, draws bars and keeps how long each step took.

    Attributes:
        seconds: wall time by step.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, key: str, title: str) -> Iterator[None]:
        """A step of the run; `key` names it in the results."""
        self.console.print(f"[bold]{title}[/bold]")
        start = time.perf_counter()
        yield
        self.seconds[key] = self.seconds.get(key, 0.0) + time.perf_counter() - start

    @contextmanager
    def bar(
        self, title: str, total: int, spent: Callable[[], float | None] | None = None
    ) -> Iterator[Advance]:
        """A bar over `total` items; gives the function to advance it by some.

        Args:
            title: what is done.
            total: items.
            spent: dollars so far, for what costs some; None where prices are not known.
        """
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=10),  # all of it fits into 80 columns
            MofNCompleteColumn(),
            Rate(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[cost]}"),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(title, total=total, cost=_cost(spent))
            yield lambda done: progress.update(task, advance=done, cost=_cost(spent))


class Rate(ProgressColumn):
    """Items a second."""

    def render(self, task: Task) -> Text:
        """As `12.3/s`; nothing before the first item."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "")


def _cost(spent: Callable[[], float | None] | None) -> str:
    dollars = spent() if spent else None
    return "" if dollars is None else f"${dollars:.4f}"
