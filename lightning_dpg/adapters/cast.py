"""Who speaks, as people write it: a table of personas, or options of a command."""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lightning_dpg.adapters.parts import Blend, Part
from lightning_dpg.errors import UserError
from lightning_dpg.records import HIGHEST, LOWEST, TRAITS, Profile

NEEDED = ("name", *TRAITS)
OPTIONAL = ("character", "weight", "strength")


@dataclass(frozen=True)
class _Row:
    """A line of the table as it was understood; None where a cell is empty."""

    line: int
    name: str
    profile: Profile
    character: str
    weight: float | None
    strength: float | None


@dataclass
class _Reading:
    """What is wrong, line by line, while a table is read."""

    mistakes: list[tuple[int, str]] = field(default_factory=list)

    def wrong(self, line: int, text: str) -> None:
        self.mistakes.append((line, text))

    def number(self, line: int, column: str, text: str) -> float | None:
        """A finite number; None, and a mistake, where it is none."""
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.wrong(line, f"{column} must be a finite number, got {text!r}")
            return None
        return number

    def score(self, line: int, trait: str, text: str) -> float | None:
        """A score on the scale; None, and a mistake, where it is none."""
        number = self.number(line, trait, text)
        if number is not None and not LOWEST <= number <= HIGHEST:
            self.wrong(line, f"{trait} must lie between {LOWEST:g} and {HIGHEST:g}, got {text}")
            return None
        return number


def read_cast(path: Path) -> list[Blend]:
    """Blends from a CSV of personas, in the order of their names' first lines.

    Columns are name, the five traits, and optionally character (a description), weight and
    strength, in any order. Lines of one name are blended by their weights; without weights in equal
    parts. A strength counts for all lines of its name.

    Raises:
        UserError: no such file, or all that is wrong in it, each with its line.
    """
    reading = _Reading()
    rows = list(_rows(path, reading))
    blends = list(_blends(rows, reading))
    if not (rows or reading.mistakes):
        raise UserError(f"{path} names no persona: it has a header and no line below")
    if reading.mistakes:
        lines = [f"  line {line}: {text}" for line, text in sorted(reading.mistakes)]
        raise UserError(f"{path} cannot be read as personas:\n" + "\n".join(lines))
    return blends


def _rows(path: Path, reading: _Reading) -> Iterator[_Row]:
    try:
        # A spreadsheet's export begins with a byte order mark; csv reads line ends itself.
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file, strict=True, skipinitialspace=True)
            header = [cell.strip().casefold() for cell in next(table, [])]
            if not _columns_fit(header, reading):
                return
            first = table.line_num + 1
            for cells in table:
                if any(cell.strip() for cell in cells):
                    row = _row(first, header, cells, reading)
                    if row is not None:
                        yield row
                first = table.line_num + 1
    except csv.Error as error:
        reading.wrong(table.line_num, f"this is no line of a CSV file ({error})")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not text in UTF-8: save it as CSV in UTF-8") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}): give a CSV file with the columns "
            f"{', '.join(NEEDED)}"
        ) from None


def _columns_fit(header: Sequence[str], reading: _Reading) -> bool:
    known = (*NEEDED, *OPTIONAL)
    for column in header:
        if column not in known:
            near = difflib.get_close_matches(column, known, 1)
            advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            reading.wrong(1, f"unknown column {column!r}: {advice}")
    for column in known:
        if header.count(column) > 1:
            reading.wrong(1, f"the column {column} is there {header.count(column)} times")
    missing = [column for column in NEEDED if column not in header]
    if missing:
        reading.wrong(1, f"missing columns, separated by commas: {', '.join(missing)}")
    return not reading.mistakes


def _row(line: int, header: Sequence[str], cells: Sequence[str], reading: _Reading) -> _Row | None:
    if len(cells) != len(header):
        reading.wrong(line, f"expected {len(header)} cells, got {len(cells)} (quote commas)")
        return None
    before = len(reading.mistakes)
    given = {c: cell.strip() for c, cell in zip(header, cells, strict=True)}
    if not given["name"]:
        reading.wrong(line, "the name is empty")
    scores = [reading.score(line, trait, given[trait]) for trait in TRAITS]
    weight, strength = (_given(line, column, given, reading) for column in ("weight", "strength"))
    if len(reading.mistakes) > before:
        return None
    profile = Profile(tuple(score for score in scores if score is not None))
    return _Row(line, given["name"], profile, given.get("character", ""), weight, strength)


def _given(line: int, column: str, given: Mapping[str, str], reading: _Reading) -> float | None:
    text = given.get(column, "")
    return reading.number(line, column, text) if text else None


def _blends(rows: Sequence[_Row], reading: _Reading) -> Iterator[Blend]:
    by_name: dict[str, list[_Row]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    for name, own in by_name.items():
        without = [row for row in own if row.weight is None]
        if 0 < len(without) < len(own):
            for row in without:
                reading.wrong(row.line, f"other lines of {name} have a weight and this has none")
        strengths = {row.strength for row in own if row.strength is not None}
        if len(strengths) > 1:
            said = ", ".join(f"{strength:g}" for strength in sorted(strengths))
            reading.wrong(own[-1].line, f"{name} has several strengths: {said}")
        parts = tuple(
            Part(row.profile, row.character, 1 / len(own) if row.weight is None else row.weight)
            for row in own
        )
        yield Blend(name, parts, min(strengths, default=1.0))


def make_blend(
    ocean: Sequence[str],
    characters: Sequence[str] = (),
    weights: Sequence[float] = (),
    strength: float = 1.0,
    name: str = "",
) -> Blend:
    """A blend from options that may be given again: the first of each belong together, and so on.

    Args:
        ocean: profiles as typed, such as `4,-2,3,0,-4`.
        characters: a description for each, possibly empty; none for no descriptions.
        weights: one for each; none for equal parts.
        strength: of the whole.
        name: of the blend.

    Raises:
        UserError: no profile, a profile that is none, numbers that do not match or are not finite.
    """
    if not ocean:
        raise UserError("Nobody to speak as: give --ocean, such as --ocean 4,-2,3,0,-4")
    for option, given in (("--character", characters), ("--weight", weights)):
        if given and len(given) != len(ocean):
            empty = ', "" for one without' if option == "--character" else ""
            raise UserError(
                f"{option} was given {_times(len(given))} and --ocean {_times(len(ocean))}: "
                f"give one for each{empty}, or none"
            )
    parts = tuple(
        Part(
            Profile.parse(scores),
            characters[i] if characters else "",
            float(weights[i]) if weights else 1 / len(ocean),
        )
        for i, scores in enumerate(ocean)
    )
    return Blend(name, parts, strength)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
