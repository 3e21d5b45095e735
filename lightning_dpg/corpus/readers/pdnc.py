"""Reader of novels annotated for the Project Dialogism Novel Corpus."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.novels import Heading, Quotation, gather, literal
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance

_QUOTATIONS = "quotation_info.csv"
_CHARACTERS = "character_info.csv"
_NOVEL = "novel_text.txt"

_NARRATION = 1500
"""Narration that parts dialogues: a page of print, which a description within a scene seldom fills.
"""

_HEADING = re.compile(
    r"(?:\A|(?<=\n\n))[ \t]*"
    r"((?i:chapter|part|book|volume)\s{1,80}[A-Z\d][^\n]{0,50}|\[?[IVXLC]+[.\]]?"
    r"|\*(?:[ \t]*\*){2,})[ \t]*$",
    re.MULTILINE,
)
"""A chapter's heading, a bare Roman number, or a row of stars, which parts scenes."""

_LOST_APOSTROPHE = re.compile(r"(?<=[A-Za-z]) (?=(?:s|t|d|m|ll|re|ve)(?![\w'’-]))")
"""Where some of the novels have a space for a curly apostrophe: `I don t`."""


class PdncReader(Reader):
    """Reads a folder of the corpus by its list of quotations; the two files beside it belong to it.

    The work is the folder, since these files have the same names in each. A dialogue is a run of
    quotations in one chapter with less than a page between them; a position reads `Q12`, which is
    the identifier of the quotation.
    """

    name = "pdnc"
    endings: tuple[str, ...] = (_QUOTATIONS,)

    def accepts(self, path: Path, head: str) -> bool:
        """Whether a file has the name of the list and its column of texts."""
        return path.name.lower() == _QUOTATIONS and "quoteText" in head

    def companions(self, path: Path) -> tuple[Path, ...]:
        """The files beside a list that are read with it: no works of their own."""
        return path.with_name(_CHARACTERS), path.with_name(_NOVEL)

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The runs of quotations, in the order of the novel.

        Raises:
            UserError: a file beside the list or a column is missing, or a table is broken.
        """
        for companion in self.companions(path):
            if not companion.is_file():
                raise UserError(f"{path} expected {companion.name} beside it. Add that file")
        characters, novel = self.companions(path)
        headings = list(_headings(novel.read_text(encoding="utf-8-sig")))
        quotations = _quotations(path, _cast(characters, reject), reject)
        found = gather(sorted(quotations, key=attrgetter("start")), headings, _NARRATION)
        folder = path.absolute().parent.name
        for number, (heading, utterances) in enumerate(found, start=1):
            yield Dialogue(
                id=f"{folder}/{number:03}",
                work=_title(folder),
                scene=heading,
                language="en",
                source=f"{folder}/{path.name}",
                utterances=utterances,
            )


@dataclass(frozen=True)
class _Person:
    """Somebody who speaks or is spoken to."""

    id: str
    name: str

    @property
    def collective(self) -> bool:
        """Whether this is no character: the annotators mark such, as in `_group`."""
        return self.name.startswith("_") or is_collective(self.name)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """The cells of some columns, each on one line, and the position of their row."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        try:
            missing = set(columns) - set(table.fieldnames or ())
            if missing:
                raise UserError(
                    f"{path} expected the columns {', '.join(columns)}; "
                    f"missing: {', '.join(sorted(missing))}"
                )
            for row in table:
                cells = {column: " ".join((row[column] or "").split()) for column in columns}
                yield f"line {table.line_num}", cells
        except csv.Error as error:
            raise UserError(
                f"{path}, after line {table.line_num}: this is no table in CSV: {error}"
            ) from None


def _cast(path: Path, reject: Reject) -> dict[str, _Person]:
    """Everybody by main name and alias.

    Identifiers end in the number from the file: Hamidullah and Hamidullah Begum are two people.
    """
    main: dict[str, _Person] = {}
    aliases: dict[str, _Person] = {}
    for position, row in _rows(path, ("Character ID", "Main Name", "Aliases")):
        name = row["Main Name"]
        if not name:
            reject(f"{path.name}, {position}", "a character without a name")
            continue
        main[name] = _Person(f"{slug(name)}-{slug(row['Character ID'])}", name)
        try:
            for alias in _names(row["Aliases"]):
                aliases.setdefault(alias, main[name])
        except ValueError:
            reject(f"{path.name}, {position}", f"the aliases of {name} are no list of names")
    return aliases | main


def _quotations(path: Path, cast: Mapping[str, _Person], reject: Reject) -> Iterator[Quotation]:
    """The quotations that have a text, a place, a speaker and readable addressees."""
    columns = ("quoteID", "quoteText", "quoteByteSpans", "speaker", "addressees")
    for line, row in _rows(path, columns):
        position, text = row["quoteID"] or line, _spoken(row["quoteText"])
        # Of a quotation in parts each has its place: the first number and the last matter.
        place = re.findall(r"\d{1,12}", row["quoteByteSpans"])
        if not text:
            reject(position, "a quotation without text")
        elif not row["speaker"]:
            reject(position, "a quotation without a speaker")
        elif len(place) < 2:
            reject(position, f"quoteByteSpans has no place in the novel: {row['quoteByteSpans']}")
        else:
            try:
                utterance = _utterance(row, text, position, cast)
            except ValueError:
                reject(position, f"the addressees are no list of names: {row['addressees'][:40]}")
            else:
                yield Quotation(int(place[0]), int(place[-1]), utterance)


def _utterance(
    row: Mapping[str, str], text: str, position: str, cast: Mapping[str, _Person]
) -> Utterance:
    speaker = _person(row["speaker"], cast)
    addressees = [_person(name, cast) for name in _names(row["addressees"])]
    return Utterance(
        speaker=speaker.id,
        name=speaker.name,
        text=text,
        position=position,
        collective=speaker.collective,
        addressees=tuple(dict.fromkeys(to.id for to in addressees if not to.collective)),
    )


def _person(name: str, cast: Mapping[str, _Person]) -> _Person:
    """Whom a name stands for: not all who speak are in the list of characters."""
    return cast.get(name) or _Person(slug(name), name)


def _names(cell: str) -> list[str]:
    """The names in a list or set of them; none in an empty cell.

    Raises:
        ValueError: something else than names.
    """
    found = literal(cell) if cell not in ("", "nan") else []
    if not isinstance(found, list | set) or not all(isinstance(name, str) for name in found):
        raise ValueError(cell)
    return sorted(found) if isinstance(found, set) else found


def _headings(novel: str) -> Iterator[Heading]:
    """Where chapters and, within them, scenes begin."""
    heading = ""
    for found in _HEADING.finditer(novel):
        if not found[1].startswith("*"):
            heading = " ".join(found[1].split())
        yield found.start(), heading


def _spoken(text: str) -> str:
    """One line of plain text: no underscores for emphasis, and the apostrophes mended."""
    return _LOST_APOSTROPHE.sub("'", " ".join(text.replace("_", "").split()))


def _title(folder: str) -> str:
    """`A Handful Of Dust` for `AHandfulOfDust`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", folder)
