"""Reader of tables with a speech a row: CSV, TSV, Parquet, or a dataset of the library datasets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet

from lightning_dpg.config import Columns
from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.languages import by_label, by_script
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance

Row = Mapping[str, Any]

LONGEST_FIELD = 10_000_000
"""Characters of a field of CSV: the library stops at 131,072, less than a chapter."""
_USUAL: dict[str, tuple[str, ...]] = {
    "text": ("text", "utterance", "line", "content", "dialogue_text", "speech", "quote"),
    "speaker": ("speaker", "character", "speaker_name", "name", "from", "role"),
    "dialogue": ("dialogue", "dialogue_id", "conversation_id", "conversation", "scene_id", "scene"),
    "work": ("work", "title", "movie", "film", "play", "novel", "book"),
    "language": ("language", "lang"),
    "addressee": ("addressee", "listener", "to"),
}
"""Names that columns go by, the likeliest first, for those that are not given."""


class TableReader(Reader):
    """Reads tables: rows of one dialogue make a dialogue, in their order.

    Args:
        columns: which column holds what.
    """

    name = "table"
    endings: tuple[str, ...] = (".csv", ".tsv", ".parquet")
    by_name = True

    def __init__(self, columns: Columns | None = None) -> None:
        self.columns = columns or Columns()

    def accepts(self, path: Path, head: str) -> bool:
        """Whether the name of the file ends as tables do."""
        return path.suffix.lower() in self.endings

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The dialogues of a file.

        Raises:
            UserError: no table, or one without columns for text and speaker.
        """
        rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
        return read_rows(rows, self.columns, path.stem, path.name, reject)


def read_dataset(name: str, columns: Columns, reject: Reject) -> Iterator[Dialogue]:
    """The dialogues of all splits of a dataset, from the hub or a folder.

    Raises:
        UserError: a dataset that cannot be loaded, or one without columns for text and speaker.
    """
    try:
        loaded = datasets.load_dataset(name)
    except Exception as error:  # the library raises of all kinds, down to a server's own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"The dataset {name!r} could not be loaded: {reason}") from None
    for split, rows in loaded.items():
        stem = Path(name).name
        yield from read_rows(
            rows, columns, stem if len(loaded) == 1 else f"{stem}-{split}", name, reject
        )


def read_rows(
    rows: Iterable[Row], columns: Columns, stem: str, source: str, reject: Reject
) -> Iterator[Dialogue]:
    """Dialogues from rows with a speech each, in the order in which each begins.

    Args:
        rows: by column; all have the columns of the first.
        columns: which column holds what.
        stem: where identifiers of dialogues begin.
        source: name of the file.
        reject: told of rows without text.

    Raises:
        UserError: no row, or no column for text or speaker.
    """
    found: dict[tuple[str, str, str], _Scene] = {}
    where: dict[str, str] | None = None
    for number, row in enumerate(rows, start=1):
        where = where or _resolve(columns, list(row), source)
        cells = {field: _cell(row.get(column)) for field, column in where.items()}
        if not cells["text"]:
            reject(f"row {number}", "no text")
            continue
        key = (cells.get("work", ""), cells.get("dialogue", ""), cells.get("language", ""))
        scene = found.setdefault(key, _Scene(*key))
        scene.utterances.append(_utterance(cells, number))
    if where is None:
        raise UserError(f"{source} expected a table with a speech a row, got no row")
    works = {work: number for number, work in enumerate(dict.fromkeys(w for w, _, _ in found))}
    for count, scene in enumerate(found.values(), start=1):
        # Characters of one name in two works are two people.
        within = f"{stem}/{works[scene.work]}-{slug(scene.work)}" if scene.work else stem
        yield Dialogue(
            f"{within}/{count:03}",
            scene.work or stem,
            scene.name,
            by_label(scene.language) if scene.language else by_script(scene.text),
            source,
            tuple(scene.utterances),
        )


@dataclass
class _Scene:
    work: str
    name: str
    language: str
    utterances: list[Utterance] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(utterance.text for utterance in self.utterances)


def _resolve(columns: Columns, names: list[str], source: str) -> dict[str, str]:
    """From what a column holds to its name in this table, for those that there are."""
    lower = {name.casefold(): name for name in reversed(names)}
    found = {}
    for role, given in asdict(columns).items():
        if given and given not in names:
            raise UserError(
                f"{source} has no column {given!r} (data.columns.{role}); it has {', '.join(names)}"
            )
        usual = (lower[name] for name in _USUAL[role] if name in lower)
        if column := given or next(usual, ""):
            found[role] = column
    for role in ("text", "speaker"):
        if role not in found:
            raise UserError(
                f"{source} has no column that looks like the {role} of a speech: "
                f"name it (data.columns.{role}=...); it has {', '.join(names)}"
            )
    return found


def _cell(value: Any) -> str:
    """A cell as text on one line; numbers that identify something as they are written."""
    return "" if value is None else " ".join(str(value).split())


def _utterance(cells: Mapping[str, str], number: int) -> Utterance:
    name, to = cells.get("speaker", ""), slug(cells.get("addressee", ""))
    return Utterance(
        speaker=slug(name),
        name=name,
        text=cells["text"],
        position=f"row {number}",
        collective=bool(name) and is_collective(name),
        addressees=(to,) if to else (),
    )


def _csv(path: Path) -> Iterator[Row]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    usual = csv.field_size_limit(LONGEST_FIELD)  # of the whole process: put back below
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # Cells beyond the header's come under no name, missing ones are None.
            for row in csv.DictReader(file, delimiter=delimiter, restkey=""):
                yield {name: cell for name, cell in row.items() if name}
    except csv.Error as error:
        raise UserError(f"{path} expected a table in CSV: {error}") from None
    finally:
        csv.field_size_limit(usual)


def _parquet(path: Path) -> Iterator[Row]:
    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            for batch in table.iter_batches():
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path} expected a table in Parquet: {error}") from None
