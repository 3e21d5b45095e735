"""Readers: one small file per format, one interface, chosen by name and content of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from lightning_dpg.records import Dialogue

Reject = Callable[[str, str], None]
"""Called with a position and a reason for every record left out: nothing is lost silently."""


class Reader(Protocol):
    """Reads one format. Those whose sources are single files inherit it."""

    name: str
    """What a person calls the format."""
    endings: tuple[str, ...]
    """How its files' names end, in lower case, dot included."""
    by_name: bool = False
    """Whether speakers are known by their names alone, and not by identifiers of the source."""

    def accepts(self, path: Path, head: str) -> bool:
        """Whether a file is in this format, by its name and its first 4,096 characters."""
        ...

    def companions(self, path: Path) -> tuple[Path, ...]:
        """Files beside a source, existing or not, that are read with it: no sources of their own.

        `path` is of this format.
        """
        del path
        return ()

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The dialogues of a file, in order.

        A broken record is rejected with its position and the rest goes on.

        Raises:
            UserError: the file cannot be read at all.
        """
        ...
