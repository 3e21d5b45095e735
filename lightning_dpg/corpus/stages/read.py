"""First stage: the speeches of all sources as rows, with nothing known of them yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.corpus.sources import Sources, character_id
from lightning_dpg.records import Dialogue

Row = dict[str, Any]
"""A speech; its columns are those of `store.UTTERANCES`."""
Part = tuple[str, str]
"""A dialogue and a character that speaks in it."""

EMPTY: Row = {
    "reply_scores": None,
    "dialogue_scores": None,
    "reason": "",
    "coherence": None,
    "integrity": None,
    "distance": None,
    "dropped": "",
    "split": "",
}
"""The columns that later stages fill."""


@dataclass(frozen=True)
class Text:
    """What was read, in plain values.

    Attributes:
        rows: the speeches, in order.
        characters: see `store.CHARACTERS`.
        rejected: what was left out, with file, position and reason.
        files: SHA-256 of each file by its name.
        licences: of each text by the name of its file.
    """

    rows: list[Row]
    characters: list[dict[str, Any]]
    rejected: list[dict[str, str]]
    files: dict[str, str]
    licences: dict[str, str]


def as_rows(sources: Sources, licences: dict[str, str], kept: Artefacts) -> Text:
    """The artefact of reading.

    Sources are read at every start (23,000 speeches take a second): nothing else tells whether a
    text, or the code that reads it, has changed.
    """

    def make() -> dict[str, Any]:
        people = (vars(character) for character in sources.characters.values())
        return {
            "rows": [row for dialogue in sources.dialogues for row in _rows(dialogue)],
            "characters": [{**person, "poles": list(person["poles"])} for person in people],
            "rejected": [asdict(rejected) for rejected in sources.rejected],
            "files": sources.hashes,
            "licences": licences,
        }

    return Text(**kept.get("read", [sources.content, sources.hashes, licences], make))


def _rows(dialogue: Dialogue) -> Iterable[Row]:
    for utterance in dialogue.utterances:
        nobody = utterance.collective or not utterance.speaker
        yield {
            "dialogue": dialogue.id,
            "work": dialogue.work,
            "scene": dialogue.scene,
            "language": dialogue.language,
            "source": dialogue.source,
            "position": utterance.position,
            "character": "" if nobody else character_id(dialogue, utterance.speaker),
            "name": utterance.name,
            "text": utterance.text,
            **EMPTY,
            "reason": "said by a group or by nobody named" if nobody else "",
        }


def names_by_work(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[list[str]]]:
    """Of each work the names of its characters, as displayed, by character."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for row in rows:
        people = found.setdefault(row["work"], {})
        if row["character"]:
            people.setdefault(row["character"], {})[row["name"]] = None
    return {work: [list(names) for names in people.values()] for work, people in found.items()}


def is_complete(scores: Sequence[float | None] | None) -> bool:
    """Whether all traits have a score."""
    return scores is not None and None not in scores


def parts_of(rows: Iterable[Mapping[str, Any]]) -> dict[Part, list[int]]:
    """Where the speeches of each character in each dialogue stand among these rows."""
    parts: dict[Part, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row["character"]:
            parts[row["dialogue"], row["character"]].append(i)
    return dict(parts)
