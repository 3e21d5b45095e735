"""Reader of chats in the formats of ShareGPT and of OpenAI (ChatML)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.json_records import records, string
from lightning_dpg.corpus.readers.languages import by_label, by_script
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.records import Dialogue, Utterance

_TURNS = re.compile(r'"(conversations|messages)"\s*:\s*\[')
_DIRECTING = frozenset(["system", "developer"])
_ROLES = frozenset(
    "user human prompter assistant gpt gpt-4 gpt4 chatgpt bot chatbot model ai bing bard".split()
)
"""Roles of a person and of a machine: whoever has nothing else to be called by is unnamed."""

_TOOLS = frozenset(
    (
        "tool tool-call tool-calls tool-response tool-result function function-call "
        "function-response observation ipython"
    ).split()
)


class ChatReader(Reader):
    """Reads chats: a dialogue is a record, a speech is a turn.

    A role is no character: the user of one chat is another person than the user of the next, and
    an assistant is one model in all of them, which a split by characters would both train on and
    hold out. So who has only a role is displayed by it and stays unnamed (speaker ''): context for
    others, nobody to learn. Named is who has a `name`, or a role that is none of the usual ones,
    as role-play has it (`"from": "Anna"`); one name is one character in the whole file.

    What `system` says directs the scene and goes with the speech after it. A position reads
    `line N, turn M`.
    """

    name = "chat"
    endings: tuple[str, ...] = (".jsonl", ".json")

    def accepts(self, path: Path, head: str) -> bool:
        """Whether JSON opens with a list of `conversations` or `messages`."""
        return path.suffix.lower() in self.endings and _TURNS.search(head) is not None

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The chats in which anybody speaks.

        Raises:
            UserError: a line that is not in UTF-8.
        """
        for number, (position, record) in enumerate(records(path, reject), start=1):
            turns = _turns(record)
            if turns is None:
                reject(position, "expected a list `conversations` or `messages`, got neither")
                continue
            utterances = tuple(_utterances(turns, position, reject))
            if utterances:
                yield Dialogue(
                    id=f"{path.stem}/{number:03}",
                    work=path.stem,
                    scene="",
                    language=_language(record, utterances),
                    source=path.name,
                    utterances=utterances,
                )


def _turns(record: Mapping[str, Any]) -> list[Any] | None:
    lists = (record.get(key) for key in ("conversations", "messages"))
    return next((turns for turns in lists if isinstance(turns, list)), None)


def _language(record: Mapping[str, Any], utterances: Iterable[Utterance]) -> str:
    """As the record says, else by script."""
    label = string(record.get("language")) or string(record.get("lang"))
    if label:
        return by_label(label)
    return by_script(" ".join(utterance.text for utterance in utterances))


def _utterances(turns: Iterable[Any], record: str, reject: Reject) -> Iterator[Utterance]:
    directions: list[str] = []
    position = record
    for number, turn in enumerate(turns, start=1):
        position = f"{record}, turn {number}"
        if fault := _fault(turn):
            reject(position, fault)
            continue
        role, text = _role(turn), _text(turn)
        if slug(role) in _DIRECTING:
            directions.append(text)
            continue
        name = string(turn.get("name")) or role
        yield Utterance(
            speaker="" if slug(name) in _ROLES else slug(name),
            name=name,
            text=text,
            directions=tuple(directions),
            position=position,
            collective=is_collective(name),
        )
        directions = []
    if directions:
        reject(position, "a direction with no speech after it")


def _fault(turn: Any) -> str:
    """Why nobody speaks in a turn; empty when somebody does."""
    if not isinstance(turn, dict):
        return "expected a turn with `from` and `value` or `role` and `content`"
    role = _role(turn)
    if not role:
        return "a turn without `from` or `role`"
    if slug(role) in _TOOLS:
        return f"a turn of a tool ({role}), which nobody speaks"
    return "" if _text(turn) else f"the turn of {role} has no text"


def _role(turn: Mapping[str, Any]) -> str:
    return string(turn.get("from")) or string(turn.get("role"))


def _text(turn: Mapping[str, Any]) -> str:
    """What is said, on one line; of several parts those that are text."""
    said = turn.get("value", turn.get("content"))
    parts = said if isinstance(said, list) else [said]
    return " ".join(filter(None, map(_part, parts)))


def _part(part: Any) -> str:
    if isinstance(part, dict):
        is_text = string(part.get("type", "text")).endswith("text")
        return string(part.get("text")) if is_text else ""
    return string(part)
