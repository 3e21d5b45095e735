"""Reader of corpora in the format of ConvoKit (convokit.cornell.edu)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.json_records import BROKEN, records, string, why
from lightning_dpg.corpus.readers.languages import by_script
from lightning_dpg.corpus.readers.speakers import is_collective
from lightning_dpg.records import Dialogue, Utterance

UTTERANCES = ("utterances.jsonl", "utterances.json")
SPEAKERS = ("speakers.json", "users.json")
CONVERSATIONS = ("conversations.json",)

_COMPANION = re.compile(r"(speakers|users|conversations|corpus|index)\.json|info\..+\.jsonl")
_GONE = frozenset(["[deleted]", "[removed]"])
"""What stands, in the corpora from Reddit, for everybody who left and for all they said."""

Meta = Mapping[str, Mapping[str, Any]]
"""What is known of speakers or conversations, by their identifiers."""


class ConvokitReader(Reader):
    """Reads utterances, by conversation; speakers and conversations are described beside them.

    The other files of a corpus are accepted and hold no dialogue, so that its folder can be a
    source. Identifiers of speakers are kept as they are: made into words, `a_b` and `a-b` would be
    one person. A position reads `line N`.
    """

    name = "convokit"
    endings: tuple[str, ...] = (".jsonl", ".json")

    def accepts(self, path: Path, head: str) -> bool:
        """Whether a file belongs to a corpus by its name, or has a line that is an utterance."""
        if path.suffix.lower() not in self.endings:
            return False
        return path.name in UTTERANCES or _is_companion(path) or _has_utterance(head)

    def companions(self, path: Path) -> tuple[Path, ...]:
        """What describes the speakers and conversations of a file of utterances."""
        beside = () if _is_companion(path) else (*SPEAKERS, *CONVERSATIONS)
        return tuple(path.with_name(name) for name in beside)

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The conversations, in the order of their first utterance in the file.

        The work is what the conversation is from, else the folder.

        Raises:
            UserError: a line that is not in UTF-8.
        """
        if _is_companion(path):
            return
        turns = _turns(path, reject)
        people = _meta(path, SPEAKERS, reject)
        about = _meta(path, CONVERSATIONS, reject)
        conversations: dict[str, list[_Turn]] = {}
        for turn in turns.values():
            conversations.setdefault(turn.conversation, []).append(turn)
        for number, (id, below) in enumerate(conversations.items(), start=1):
            spoken = (_utterance(turn, turns, people, reject) for turn in _ordered(below))
            utterances = tuple(filter(None, spoken))
            if utterances:
                yield Dialogue(
                    # All corpora have files of one name: what tells them apart is the folder.
                    id=f"{path.absolute().parent.name}/{number:03}",
                    work=_known(about, id, "movie_name", "title") or path.absolute().parent.name,
                    scene="",
                    language=by_script(" ".join(utterance.text for utterance in utterances)),
                    source=path.name,
                    utterances=utterances,
                )


@dataclass(frozen=True)
class _Turn:
    """An utterance as it stands in the file."""

    id: str
    conversation: str
    speaker: str
    text: str
    reply_to: str
    time: float | None
    position: str


def _is_companion(path: Path) -> bool:
    """Whether a file goes with utterances that lie beside it, by its name."""
    beside = any(path.with_name(name).is_file() for name in UTTERANCES)
    return beside and _COMPANION.fullmatch(path.name) is not None


def _has_utterance(head: str) -> bool:
    for line in head.split("\n"):
        try:
            value = json.loads(line)
        except BROKEN:
            continue
        if isinstance(value, dict) and "text" in value:
            keys = value.keys()
            if keys & {"speaker", "user"} and keys & {"conversation_id", "root"}:
                return True
    return False


def _turns(path: Path, reject: Reject) -> dict[str, _Turn]:
    """The utterances by their identifiers, in the order of the file; those without text too."""
    turns: dict[str, _Turn] = {}
    for position, record in records(path, reject):
        turn = _Turn(
            id=_either(record, "id"),
            conversation=_either(record, "conversation_id", "root"),
            speaker=_either(record, "speaker", "user"),
            text=string(record.get("text")),
            reply_to=_either(record, "reply_to", "reply-to"),
            time=_time(record.get("timestamp")),
            position=position,
        )
        if not (turn.id and turn.conversation and turn.speaker):
            reject(position, "expected id, conversation_id and speaker, each a text")
        elif turn.id in turns:
            reject(position, f"a second utterance with the id {turn.id}")
        else:
            turns[turn.id] = turn
    return turns


def _either(record: Mapping[str, Any], *keys: str) -> str:
    """The first of these fields that says anything, identifiers may be whole numbers."""
    values = (record.get(key) for key in keys)
    texts = (string(str(value) if type(value) is int else value) for value in values)
    return next(filter(None, texts), "")


def _time(value: Any) -> float | None:
    """A timestamp, which some corpora write as a text; None for what is no finite number."""
    try:
        time = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return time if math.isfinite(time) else None


def _meta(path: Path, names: Sequence[str], reject: Reject) -> Meta:
    """The entries of the first of these files that lies beside the utterances."""
    file = next((path.with_name(n) for n in names if path.with_name(n).is_file()), None)
    if file is None:
        return {}
    try:
        entries = json.loads(file.read_text(encoding="utf-8-sig"))
    except BROKEN as error:
        reject(f"{file.name}, line {getattr(error, 'lineno', 1)}", why(error))
        return {}
    if not isinstance(entries, dict):
        reject(f"{file.name}, line 1", "expected an object with an entry for each identifier")
        return {}
    found = {}
    for id, entry in entries.items():
        # Older corpora have the fields of `meta` in the entry itself.
        meta = entry.get("meta", entry) if isinstance(entry, dict) else None
        if isinstance(meta, dict):
            found[string(id)] = meta
        else:
            reject(file.name, f"the entry of {string(id)} is no object")
    return found


def _known(meta: Meta, id: str, *keys: str) -> str:
    """The first of these fields that an entry has; empty when it has none."""
    return _either(meta.get(id, {}), *keys)


def _ordered(turns: Sequence[_Turn]) -> Iterable[_Turn]:
    """The turns of a conversation in time, or as in the file but none before what it answers.

    The movie corpus has no times, and every conversation in it stands backwards.
    """
    if all(turn.time is not None for turn in turns):
        return sorted(turns, key=lambda turn: turn.time or 0.0)
    by_id = {turn.id: turn for turn in turns}
    ordered: dict[str, _Turn] = {}
    for turn in turns:
        chain: dict[str, _Turn] = {}
        found: _Turn | None = turn
        while found and found.id not in ordered and found.id not in chain:
            chain[found.id] = found
            found = by_id.get(found.reply_to)
        ordered.update(reversed(chain.items()))
    return ordered.values()


def _utterance(
    turn: _Turn, turns: Mapping[str, _Turn], people: Meta, reject: Reject
) -> Utterance | None:
    name = _known(people, turn.speaker, "character_name", "name") or turn.speaker
    if not turn.text or turn.text in _GONE:
        reject(turn.position, f"the utterance of {name} has no text")
        return None
    answered = turns.get(turn.reply_to)
    told = {answered.speaker} - {turn.speaker} - _GONE if answered else set()
    return Utterance(
        speaker=turn.speaker,
        name=name,
        text=turn.text,
        position=turn.position,
        collective=turn.speaker in _GONE or is_collective(name),
        addressees=tuple(told),
    )
