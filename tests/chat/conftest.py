"""Fixtures for the tests of the chat: a persona, a terminal of strings, a talker of tricks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lightning_dpg.adapters.parts import Blend, Part
from lightning_dpg.chat.conversation import Conversation
from lightning_dpg.chat.session import Session
from lightning_dpg.chat.stream import Listen, Reply
from lightning_dpg.chat.terminal import Terminal
from lightning_dpg.chat.transcript import Transcript
from lightning_dpg.records import Profile
from tests.models.conftest import make_module

__all__ = ["make_module"]

PROFILE = Profile((4.0, -2.0, 3.0, 0.0, -4.0))
CAPTAIN = Part(Profile((-4.0, 2.0, 0.0, 0.0, 0.0)), "A tired captain.", 0.5)


def mara(*more: Part, weight: float = 1.0, strength: float = 1.0) -> Blend:
    return Blend("Mara", (Part(PROFILE, "A cook.", weight), *more), strength)


@pytest.fixture
def conversation() -> Conversation:
    return Conversation(mara(), seed=3, temperature=0.5, checkpoint="model.ckpt")


class Parrot:
    """Says what was said to it, word by word, as who speaks, and can be made to do otherwise."""

    def __init__(self, *tricks: Callable[[Listen], Reply]) -> None:
        self.tricks = list(tricks)
        self.asked: list[Conversation] = []
        self.room = 100

    def reply(self, conversation: Conversation, listen: Listen) -> Reply:
        self.asked.append(conversation)
        if self.tricks:
            return self.tricks.pop(0)(listen)
        text = f"{conversation.turns[-1].text} {conversation.seed}"
        for piece in (text[:2], text[2:]):
            listen(piece)
        return Reply(text)

    def forgets(self, conversation: Conversation) -> bool:
        return len(conversation.turns) > self.room


Converse = Callable[..., tuple[Conversation, str]]


@pytest.fixture
def transcript(tmp_path: Path) -> Transcript:
    return Transcript(tmp_path / "chats" / "mara.json")


@pytest.fixture
def converse(conversation: Conversation, transcript: Transcript) -> Converse:
    """Types lines to a talker; gives the conversation at the end and what was shown."""

    def go(lines: str | Iterable[str], talker: Parrot | None = None) -> tuple[Conversation, str]:
        shown = StringIO()
        source = StringIO(lines if isinstance(lines, str) else "\n".join(lines) + "\n")
        terminal = Terminal(source, Console(file=shown, width=20))
        session = Session(conversation, talker or Parrot(), terminal, transcript)
        return session.run(), shown.getvalue()

    return go
