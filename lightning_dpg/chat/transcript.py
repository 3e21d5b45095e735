"""Transcripts: JSON that people can read, `--resume` goes on with and corpora are built from."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_dpg.adapters.parts import Blend, Part
from lightning_dpg.chat.conversation import Conversation, Said
from lightning_dpg.errors import UserError
from lightning_dpg.files import write_atomically
from lightning_dpg.records import Profile

CHATS = Path("chats")
"""Where transcripts go that were given no name."""
FORMAT = 1
KEY = "lightning_dpg_chat"
"""Where a conversation says its format."""


def dump(conversation: Conversation) -> str:
    """A transcript: an array of conversations, a turn a line, the one that goes on last."""
    following = {
        "name": conversation.blend.name,
        "persona": _persona(conversation.blend),
        "seed": conversation.seed,
        "temperature": conversation.temperature,
        "checkpoint": conversation.checkpoint,
    }
    talks = [_talk(turns) for turns in conversation.earlier]
    talks.append(_talk(conversation.turns, f',\n"next": {_json(following)}'))
    return "[\n" + ",\n".join(talks) + "\n]\n"


def _talk(turns: Sequence[Said], after: str = "") -> str:
    # Readers of corpora look for the messages near the beginning of a file.
    head = f'{{"{KEY}": {FORMAT}, "messages": ['
    lines = ",\n".join(f"  {_json(_message(said))}" for said in turns)
    return f"{head}\n{lines}\n]{after}}}" if turns else f"{head}]{after}}}"


def _message(said: Said) -> dict[str, Any]:
    if said.blend is None:
        return {"role": "user", "content": said.text}
    return {
        "role": "assistant",
        "name": said.name,
        "content": said.text,
        "persona": _persona(said.blend),
        "seed": said.seed,
        "temperature": said.temperature,
        "checkpoint": said.checkpoint,
        **({"stopped": True} if said.stopped else {}),
    }


def _persona(blend: Blend) -> dict[str, Any]:
    parts = [
        {"ocean": list(part.profile.scores), "character": part.description, "weight": part.weight}
        for part in blend.parts
    ]
    return {"strength": blend.strength, "parts": parts}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def read_transcript(path: Path) -> Conversation:
    """A conversation to go on with.

    Raises:
        UserError: no file, or one that `dump` did not write or another version wrote.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"The transcript {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _no_transcript(path, "it is no text in UTF-8") from None
    try:
        *earlier, last = talks = json.loads(text)
        newest = max(int(talk[KEY]) for talk in talks)
        if newest > FORMAT:
            raise UserError(
                f"{path} has format {newest}, this version reads {FORMAT}: install a newer "
                "lightning_dpg"
            )
        following = last["next"]
        return Conversation(
            _blend(following["name"], following["persona"]),
            int(following["seed"]),
            float(following["temperature"]),
            str(following["checkpoint"]),
            _turns(last),
            tuple(map(_turns, earlier)),
        )
    except KeyError as error:
        raise _no_transcript(path, f"it lacks the entry {error}") from None
    except (ValueError, OverflowError, TypeError, AttributeError, RecursionError) as error:
        raise _no_transcript(path, str(error)) from None


def _turns(talk: Mapping[str, Any]) -> tuple[Said, ...]:
    return tuple(map(_said, talk["messages"]))


def _said(message: Mapping[str, Any]) -> Said:
    text = message["content"]
    if not isinstance(text, str):
        raise TypeError(f"a message expected text as `content`, got {type(text).__name__}")
    if message["role"] == "user":
        return Said(text)
    return Said(
        text,
        _blend(message["name"], message["persona"]),
        int(message["seed"]),
        float(message["temperature"]),
        str(message["checkpoint"]),
        bool(message.get("stopped")),
    )


def _blend(name: Any, persona: Mapping[str, Any]) -> Blend:
    parts = [
        Part(Profile(tuple(map(float, p["ocean"]))), str(p["character"]), float(p["weight"]))
        for p in persona["parts"]
    ]
    return Blend(str(name), tuple(parts), float(persona["strength"]))


def _no_transcript(path: Path, why: str) -> UserError:
    return UserError(f"{path} is no transcript of `dpg chat`, or is damaged: {why}")


class Transcript:
    """The file of a conversation, complete on disk after each turn.

    Args:
        path: of the file; its folder is made when the first turn is written.
        new: whether the file must not be there before it.
    """

    def __init__(self, path: Path, new: bool = True) -> None:
        self.path, self._new = path, new
        self._written = ""
        self._own = {path.resolve()}

    def write(self, conversation: Conversation) -> None:
        """Write it, unless nothing was said or nothing is new.

        Raises:
            UserError: it cannot be written.
        """
        text = dump(conversation)
        if text != self._written and (self._written or conversation.turns or conversation.earlier):
            if self._new:  # another conversation may have taken the name meanwhile
                _take(self.path)
            _write(self.path, text)
            self._written, self._new = text, False

    def copy(self, conversation: Conversation, path: Path) -> None:
        """Write a copy elsewhere.

        Raises:
            UserError: the file is there already and is none of this conversation's, or it cannot
                be written.
        """
        if path.exists() and path.resolve() not in self._own:
            raise UserError(f"{path} is there already: give another name")
        _write(path, dump(conversation))
        self._own.add(path.resolve())

    @property
    def begun(self) -> bool:
        """Whether the file was written."""
        return bool(self._written)


def _take(path: Path) -> None:
    """Make an empty file of that name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("x").close()
    except OSError as error:
        if not path.exists():
            raise _unwritable(path, error) from None
        raise UserError(f"{path} is there already: /save FILE keeps this conversation") from None


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"{path} cannot be written ({error.strerror}): /save FILE puts a copy elsewhere"
    )


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode("utf-8", errors="replace"))
    except OSError as error:
        raise _unwritable(path, error) from None


def new_path(given: Path | None) -> Path:
    """Where a new transcript goes: the file that was given, or one named by the time.

    Raises:
        UserError: a file that is there already, or a place where none can be made.
    """
    if given is None:
        stem = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
        names = (f"{stem}{suffix}.json" for suffix in ("", *(f"-{i}" for i in range(2, 1000))))
        given = next(CHATS / name for name in names if not (CHATS / name).exists())
    elif given.exists():
        raise UserError(f"{given} is there already: `--resume {given}` goes on with it")
    folder = next(parent for parent in given.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise UserError(f"A transcript cannot be written to {given}: {folder} takes no files")
    return given
