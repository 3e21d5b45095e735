"""A corpus for people to look into: what it holds, who speaks, what was left out and why."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lightning_dpg.assessment.base import count_words
from lightning_dpg.corpus.store import REJECTED, Corpus
from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS

SPEECHES = 12
"""Of a character that are shown: enough to hear a voice."""
_NUMBER = re.compile(r"\d+")

Row = Mapping[str, Any]


def summary(corpus: Corpus) -> RenderableType:
    """Counts by work and language, and what was left out or unscored, by reason."""
    card, rows = corpus.card, list(corpus.utterances)
    title = Text(f"Corpus {card['hash']}, labels by {card['labels']}")
    table = Table("work", "language", *_COUNTED, box=None, header_style="bold")
    by_work: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        by_work[row["work"], row["language"]].append(row)
    for (work, language), mine in by_work.items():
        table.add_row(Text(work), language, *_counts(mine))
    works = f"{len({work for work, _ in by_work})} works"
    table.add_section()
    table.add_row(works, ", ".join(card["languages"]), *_counts(rows), style="bold")
    left_out = _reasons((r["reason"] for r in corpus.rejected), f"Left out ({REJECTED})")
    unscored = _reasons((row["reason"] for row in rows if row["reason"]), "Speeches without scores")
    return Group(title, table, left_out, unscored)


def character(corpus: Corpus, name: str) -> RenderableType:
    """One character: who it is, where it lies on the five traits, and what it says.

    Args:
        corpus: to look into.
        name: the identifier of the character, or its name where only one bears it.

    Raises:
        UserError: nobody, or several, of that name.
    """
    known = {row["id"]: row for row in corpus.characters}
    wanted = name.casefold()
    found = [id for id, row in known.items() if wanted in (id.casefold(), row["name"].casefold())]
    if len(found) != 1:
        raise UserError(
            f"Expected the name of one character of the corpus, got {name!r}, which is "
            f"{'nobody' if not found else 'several'}: {_few(found or sorted(known))}"
        )
    who = known[found[0]]
    spoken = [row for row in corpus.utterances if row["character"] == who["id"]]
    scored = np.array([row["reply_scores"] for row in spoken if row["reply_scores"]], dtype=float)
    lines = [Text(f"{who['name']} ({who['id']}), {len(spoken)} speeches", style="bold")]
    lines += [Text(who["description"])] if who["description"] else []
    if len(scored):
        lines.append(Text(f"on average {_profile(scored.mean(0))}"))
    return Group(*lines, _speeches(spoken[:SPEECHES]))


def dialogue(corpus: Corpus, id: str) -> RenderableType:
    """One dialogue with the scores of its speeches.

    Raises:
        UserError: no dialogue has that identifier.
    """
    rows = [row for row in corpus.utterances if row["dialogue"] == id]
    if not rows:
        known = list(dict.fromkeys(row["dialogue"] for row in corpus.utterances))
        raise UserError(
            f"Expected the identifier of a dialogue of the corpus, got {id!r}: {_few(known)}"
        )
    first = rows[0]
    title = Text(f"{first['work']}, {first['scene'] or id} ({first['source']})", style="bold")
    return Group(title, _speeches(rows))


def rejected(corpus: Corpus) -> RenderableType:
    """Every record that was left out, with where it stands."""
    table = Table("file", "position", "reason", box=None, header_style="bold")
    for record in corpus.rejected:
        table.add_row(Text(record["file"]), Text(record["position"]), Text(record["reason"]))
    return table


_COUNTED = ("dialogues", "characters", "speeches", "scored", "words")


def _counts(rows: Sequence[Row]) -> list[str]:
    numbers = (
        len({row["dialogue"] for row in rows}),
        len({row["character"] for row in rows} - {""}),
        len(rows),
        sum(row["reply_scores"] is not None for row in rows),
        sum(count_words(row["text"]) for row in rows),
    )
    return [f"{number:,}" for number in numbers]


def _reasons(reasons: Iterable[str], title: str) -> RenderableType:
    """How often each reason was given; those that differ in a number alone are one."""
    counted = Counter(_NUMBER.sub("N", reason) for reason in reasons)
    if not counted:
        return Text(f"{title}: none")
    lines = [f"{count:>8,}  {reason}" for reason, count in counted.most_common()]
    return Text("\n".join([f"{title}: {counted.total():,}", *lines]))


def _speeches(rows: Sequence[Row]) -> Table:
    table = Table("who", "says", *(t[0].upper() for t in TRAITS), box=None, header_style="bold")
    for row in rows:
        scores = row["reply_scores"]
        cells = [f"{score:+.1f}" for score in scores] if scores else [""] * len(TRAITS)
        table.add_row(Text(row["name"] or "?"), Text(row["text"]), *cells)
    return table


def _profile(scores: Iterable[float]) -> str:
    return ", ".join(f"{t} {s:+.1f}" for t, s in zip(TRAITS, scores, strict=True))


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown}, … ({len(names)} in all)" if len(names) > 8 else shown
