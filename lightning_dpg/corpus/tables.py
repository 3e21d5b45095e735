"""Tables for the terminal of speeches, of parts in dialogues, and of reasons."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lightning_dpg.corpus.card import counts
from lightning_dpg.corpus.stages.read import Part, parts_of
from lightning_dpg.records import TRAITS

CANDIDATES = (3.0, 3.5, 4.0, 5.0, 6.0)
"""Distances that one might drop beyond; with normal deviations 11% of the parts lie beyond 3, 0.7%
beyond 4."""
INITIALS = tuple(trait[0].upper() for trait in TRAITS)
PLAIN: Any = {"box": None, "header_style": "bold"}
_NUMBER = re.compile(r"\d+(\.\d+)?")

Row = Mapping[str, Any]


def counted(rows: Sequence[Row]) -> list[str]:
    """Dialogues, characters, speeches, of these scored and kept, and words."""
    of = counts(rows)
    scored = of["utterances"] - of["unscored"]
    numbers = (of["dialogues"], of["characters"], of["utterances"], scored, of["kept"], of["words"])
    return [f"{number:,}" for number in numbers]


def reasons_table(reasons: Iterable[str], title: str) -> RenderableType:
    """How often each reason was given; those that differ in a number alone are one."""
    numbers = Counter(_NUMBER.sub("N", reason) for reason in reasons)
    if not numbers:
        return Text(f"{title}: none")
    lines = [f"{count:>8,}  {reason}" for reason, count in numbers.most_common()]
    return Text("\n".join([f"{title}: {numbers.total():,}", *lines]))


def speeches_table(rows: Sequence[Row]) -> Table:
    """Speeches with their own scores."""
    table = Table("who", "says", *INITIALS, "dropped", **PLAIN)
    for row in rows:
        cells = [*_scores(row["reply_scores"]), row["dropped"].partition(":")[0]]
        table.add_row(Text(row["name"] or "?"), Text(row["text"]), *cells)
    return table


def parts_table(spoken: Sequence[Row]) -> Table:
    """A character's part in each dialogue: scores together, distance from its centre."""
    table = Table("dialogue", "speeches", *INITIALS, "distance", "dropped", **PLAIN)
    for (dialogue, _), mine in _by_part(spoken).items():
        cells = [f"{len(mine)}", *_measured(mine[0])]
        table.add_row(Text(dialogue), *cells, Text(mine[0]["dropped"]))
    return table


def dropped_parts(rows: Sequence[Row]) -> Table:
    """Every part that was dropped, with the reason."""
    table = Table("dialogue", "character", "speeches", *INITIALS, "distance", "why", **PLAIN)
    for (dialogue, character), mine in _by_part(rows).items():
        if why := mine[0]["dropped"]:
            cells = [f"{len(mine)}", *_measured(mine[0])]
            table.add_row(Text(dialogue), Text(character), *cells, Text(why))
    return table


def candidates(rows: Sequence[Row], least: int) -> RenderableType:
    """How much each of some thresholds would drop, for choosing one by looking.

    Args:
        rows: all speeches.
        least: parts with a distance that a character must have.
    """
    measured = [part for part in _by_part(rows).values() if part[0]["distance"] is not None]
    support = Counter(part[0]["character"] for part in measured)
    table = Table("data.filters.max_distance", "parts", "speeches", **PLAIN)
    for most in CANDIDATES:
        far = [
            part
            for part in measured
            if part[0]["distance"] > most and support[part[0]["character"]] >= least
        ]
        speeches = sum(map(len, far))
        share = len(far) / max(1, len(measured))
        table.add_row(f"{most:g}", f"{len(far):,} ({share:.1%})", f"{speeches:,}")
    title = f"Of {len(measured):,} parts with a distance, these would be dropped:"
    return Group(Text(title), table)


def _by_part(rows: Sequence[Row]) -> dict[Part, list[Row]]:
    return {part: [rows[i] for i in found] for part, found in parts_of(rows).items()}


def _measured(row: Row) -> list[str]:
    """The scores of the part that a speech belongs to, and their distance."""
    distance = row["distance"]
    return [*_scores(row["dialogue_scores"]), "" if distance is None else f"{distance:.1f}"]


def _scores(scores: Sequence[float | None] | None) -> list[str]:
    return ["" if s is None else f"{s:+.1f}" for s in scores or [None] * len(TRAITS)]
