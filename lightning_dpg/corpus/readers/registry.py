"""The readers there are, and the one place that picks a reader for a file."""

from __future__ import annotations

from pathlib import Path

from lightning_dpg.config import Columns
from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.chat import ChatReader
from lightning_dpg.corpus.readers.convokit import ConvokitReader
from lightning_dpg.corpus.readers.cornell import CornellReader
from lightning_dpg.corpus.readers.finaldraft import FinalDraftReader
from lightning_dpg.corpus.readers.fountain import FountainReader
from lightning_dpg.corpus.readers.novel_labels import NovelLabelsReader
from lightning_dpg.corpus.readers.pdnc import PdncReader
from lightning_dpg.corpus.readers.subtitles import SubtitleReader
from lightning_dpg.corpus.readers.table import TableReader
from lightning_dpg.corpus.readers.tei import TeiReader
from lightning_dpg.corpus.readers.transcript import TranscriptReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue

HEAD = 4096
"""How many characters of a file a reader sees before it accepts the file."""


READERS: tuple[Reader, ...] = (
    FountainReader(),
    FinalDraftReader(),
    TeiReader(),
    SubtitleReader(),
    CornellReader(),
    NovelLabelsReader(),
    PdncReader(),
    ConvokitReader(),
    ChatReader(),
    TableReader(),
    TranscriptReader(),
)
"""In the order in which they are asked: those that know their files well before the others."""

FORMATS = {reader.name: reader for reader in READERS}
ENDINGS = tuple(sorted({ending for reader in READERS for ending in reader.endings}))


def reader_of(path: Path, format: str | None = None, columns: Columns | None = None) -> Reader:
    """The reader of a file.

    Args:
        path: the file.
        format: the name of a reader; None takes the first that accepts the file.
        columns: of tables.

    Raises:
        UserError: no such file, no such format, or no reader that accepts the file.
    """
    if format is not None and format not in FORMATS:
        raise UserError(f"Unknown format {format!r}. Formats: {_formats()}")
    try:
        found = _accepting(path) if format is None else FORMATS[format]
    except OSError as error:
        raise _unreadable(path, error) from None
    return TableReader(columns) if isinstance(found, TableReader) else found


def read_file(path: Path, reject: Reject, reader: Reader | None = None) -> list[Dialogue]:
    """The dialogues of a file.

    Args:
        path: the file; text in UTF-8, with or without a byte order mark, where its format does not
            say otherwise.
        reject: called with a position and a reason for every record that is left out.
        reader: of the file; None takes the first that accepts it.

    Raises:
        UserError: what `reader_of` raises, an encoding other than UTF-8, or what the reader
            refuses.
    """
    try:
        return list((reader or reader_of(path)).read(path, reject))
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} is {error.object[error.start]:#04x}"
        raise _not_utf8(path, found) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path} expected a readable file, got: {error.strerror}. Check the path")


def _accepting(path: Path) -> Reader:
    """The first reader that accepts a file, by its name and head."""
    # Some formats are in another encoding, which only their own readers know: no error yet.
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
