"""A corpus for people to look into: what it holds, who speaks, what was left out and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lightning_dpg.corpus.card import distribution_table, thresholds
from lightning_dpg.corpus.store import REJECTED, Corpus
from lightning_dpg.corpus.tables import (
    PLAIN,
    candidates,
    counted,
    dropped_parts,
    parts_table,
    reasons_table,
    speeches_table,
)
from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS

SPEECHES = 12
"""Of a character that are shown: enough to hear a voice."""
Row = Mapping[str, Any]


def summary(corpus: Corpus) -> RenderableType:
    """Counts by work, what was left out, unscored or dropped and why, and the distribution."""
    card, rows = corpus.card, list(corpus.utterances)
    title = Text(f"Corpus {card['hash']}, labels by {card['labels']}")
    if card["judge"]:
        title.append(f", dialogues judged by {card['judge']['identity']}")
    heads = ("dialogues", "characters", "speeches", "scored", "kept", "words")
    table = Table("work", "language", *heads, **PLAIN)
    by_work: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        by_work[row["work"], row["language"]].append(row)
    for (work, language), mine in by_work.items():
        table.add_row(Text(work), language, *counted(mine))
    works = f"{len({work for work, _ in by_work})} works"
    table.add_section()
    table.add_row(works, ", ".join(card["languages"]), *counted(rows), style="bold")
    unscored = (row["reason"] for row in rows if row["reason"])
    return Group(
        title,
        table,
        reasons_table((r["reason"] for r in corpus.rejected), f"Left out ({REJECTED})"),
        reasons_table(unscored, "Speeches without scores"),
        *_unjudged(card),
        *_filtered(card),
        _split(card),
    )


def _unjudged(card: Mapping[str, Any]) -> list[RenderableType]:
    if not card["judge"]:
        return []
    found = card["judge"]["unjudged"].items()
    reasons = (reason for reason, count in found for _ in range(count))
    return [reasons_table(reasons, "Dialogues that were not judged, and kept")]


def _filtered(card: Mapping[str, Any]) -> list[RenderableType]:
    """What each filter dropped, and how parts lie around their characters."""
    lines = [f"Filters: {thresholds(card)}"]
    lines += [
        f"{of['speeches']:>8,}  speeches by {name}: {of['parts']:,} parts in {of['dialogues']:,} "
        "dialogues"
        for name, of in card["dropped"].items()
    ]
    parts = card["distribution"]
    lines.append(
        f"Spread of {parts['before']['parts']:,} parts within characters, and share of variance "
        f"between characters:"
    )
    head, rows = distribution_table(card)
    table = Table(*head, **PLAIN)
    for row in rows:
        table.add_row(*row)
    return [Text("\n".join(lines)), table]


def _split(card: Mapping[str, Any]) -> Text:
    by = f"{card['split']['by']}s"
    parts = [
        f"{part} {of[by]:,} {by} with {of['speeches']:,} speeches"
        for part, of in card["split"]["parts"].items()
    ]
    return Text(f"Split: {'; '.join(parts) or 'nothing to split'}")


def character(corpus: Corpus, name: str) -> RenderableType:
    """One character: who it is, where it and its part in each dialogue lie, and what it says.

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
    scored = np.array([row["reply_scores"] for row in spoken if _used(row)], dtype=float)
    title = f"{who['name']} ({who['id']}), {len(spoken)} speeches"
    split = next((row["split"] for row in spoken if row["split"]), "")
    lines = [Text(f"{title}, for {split}" if split else title, style="bold")]
    lines += [Text(who["description"])] if who["description"] else []
    if len(scored):
        lines.append(Text(f"on average {_profile(np.nanmean(scored, 0))}"))
    return Group(*lines, parts_table(spoken), Text(), speeches_table(spoken[:SPEECHES]))


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
    if first["coherence"] is not None or first["integrity"] is not None:
        judged = (f"{k} {first[k]:g}" for k in ("coherence", "integrity") if first[k] is not None)
        title.append(f", judged {', '.join(judged)}")
    return Group(title, speeches_table(rows))


def rejected(corpus: Corpus) -> RenderableType:
    """Every record that was left out, with where it stands."""
    table = Table("file", "position", "reason", **PLAIN)
    for record in corpus.rejected:
        table.add_row(Text(record["file"]), Text(record["position"]), Text(record["reason"]))
    return table


def dropped(corpus: Corpus) -> RenderableType:
    """What each of some distances would drop, and every part that was dropped, with the reason."""
    rows = list(corpus.utterances)
    shown, table = candidates(rows, corpus.card["thresholds"]["least_support"]), dropped_parts(rows)
    if not table.row_count:
        return Group(shown, Text("Nothing was dropped."))
    return Group(shown, Text("Dropped, by dialogue and character:"), table)


def _used(row: Row) -> bool:
    return row["reply_scores"] is not None and not row["dropped"]


def _profile(scores: Iterable[float]) -> str:
    return ", ".join(f"{t} {s:+.1f}" for t, s in zip(TRAITS, scores, strict=True))


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown}, … ({len(names)} in all)" if len(names) > 8 else shown
