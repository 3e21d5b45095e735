"""The readers there are, and the one place that picks a reader for a file."""

from __future__ import annotations

from pathlib import Path

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.fountain import FountainReader
from lightning_dpg.corpus.readers.tei import TeiReader
from lightning_dpg.corpus.readers.transcript import TranscriptReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue

HEAD = 4096
"""How many characters of a file a reader sees before it accepts the file."""


READERS: tuple[Reader, ...] = (FountainReader(), TeiReader(), TranscriptReader())


def read_file(path: Path, reject: Reject, format: str | None = None) -> list[Dialogue]:
    """The dialogues of a file.

    Args:
        path: the file; text in UTF-8, with or without a byte order mark (TEI may declare another
            encoding).
        reject: called with a position and a reason for every record that is left out.
        format: the name of a reader; None takes the first that accepts the file.

    Raises:
        UserError: no such file, no such format, no reader that accepts the file, an encoding other
            than UTF-8, or what the reader refuses.
    """
    named = None if format is None else _named(format)
    try:
        reader = named or _accepting(path)
        return list(reader.read(path, reject))
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} is {error.object[error.start]:#04x}"
        raise _not_utf8(path, found) from None
    except OSError as error:
        raise UserError(
            f"{path} expected a readable file, got: {error.strerror}. Check the path"
        ) from None


def _named(format: str) -> Reader:
    for reader in READERS:
        if reader.name == format:
            return reader
    raise UserError(f"Unknown format {format!r}. Formats: {_formats()}")


def _accepting(path: Path) -> Reader:
    """The first reader that accepts a file, by its name and head."""
    # A TEI file may be in another encoding, which only its own reader knows: no error yet.
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        head = file.read(HEAD)
    for reader in READERS:
        if reader.accepts(path, head):
            return reader
    if "\ufffd" in head:
        raise _not_utf8(path, "it does not decode")
    raise UserError(
        f"No reader accepts {path} by its name and its first lines. "
        f"Convert it to one of: {_formats()}"
    )


def _not_utf8(path: Path, found: str) -> UserError:
    return UserError(
        f"{path} expected text in UTF-8, got another encoding: {found}. Convert it first"
    )


def _formats() -> str:
    """`fountain (.fountain, .spmd), …`."""
    return ", ".join(f"{reader.name} ({', '.join(reader.endings)})" for reader in READERS)
