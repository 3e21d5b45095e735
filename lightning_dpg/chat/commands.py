"""What can be typed instead of a line to the persona: `/ocean e=+3` and the others."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lightning_dpg.adapters.parts import Part
from lightning_dpg.chat.conversation import Conversation, describe, label, one_line
from lightning_dpg.chat.dials import turn_dials
from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS, Profile, is_given

SIGN = "/"
"""What commands begin with; two of them begin a line to the persona that has one."""
NONE = "-"
"""Typed in place of a description that is to be taken away."""


@dataclass(frozen=True)
class Outcome:
    """What a command leads to.

    Attributes:
        conversation: as it is after it.
        note: to tell the person who typed; may have several lines.
        speak: whether the persona is to answer the last line.
        leave: whether the conversation is over.
        save: where to put a copy of the transcript.
    """

    conversation: Conversation
    note: str = ""
    speak: bool = False
    leave: bool = False
    save: Path | None = None


Handler = Callable[[Conversation, str], Outcome]


@dataclass(frozen=True)
class Command:
    """A command: how it is typed, what it does in a few words, and how."""

    usage: str
    about: str
    run: Handler


def is_command(line: str) -> bool:
    """Whether a line is a command and no line to the persona."""
    return line.startswith(SIGN) and not line.startswith(2 * SIGN)


def obey(conversation: Conversation, line: str) -> Outcome:
    """Run a command.

    Args:
        conversation: as it is.
        line: such as `/ocean e=+3`.

    Raises:
        UserError: an unknown command, or one that cannot be run as it was typed; nothing changes.
    """
    name, rest = [*line.removeprefix(SIGN).split(maxsplit=1), "", ""][:2]
    if name.lower() not in COMMANDS:
        near = difflib.get_close_matches(name.lower(), COMMANDS, n=1)
        hint = f"did you mean {SIGN}{near[0]}? " if near else ""
        raise UserError(f"There is no command {SIGN}{name}: {hint}/help lists them")
    return COMMANDS[name.lower()].run(conversation, rest.strip())


def _ocean(conversation: Conversation, text: str) -> Outcome:
    if not text:
        return Outcome(conversation, str(conversation.persona.profile))
    changed = conversation.voiced(profile=turn_dials(conversation.persona.profile, text))
    parts = len(changed.blend.parts)
    moved = f" (the dials of the first of {parts} personas)" if parts > 1 else ""
    return Outcome(changed, label(changed.blend) + moved)


def _character(conversation: Conversation, text: str) -> Outcome:
    if text:
        conversation = conversation.voiced(description="" if text == NONE else text)
    about = conversation.persona.description
    return Outcome(conversation, about if is_given(about) else "(no description)")


def _name(conversation: Conversation, text: str) -> Outcome:
    if text:
        conversation = conversation.voiced(name=text)
    return Outcome(conversation, label(conversation.blend))


def _strength(conversation: Conversation, text: str) -> Outcome:
    if text:
        conversation = conversation.voiced(strength=_number("/strength", text))
    return Outcome(conversation, f"Strength {conversation.blend.strength:g}")


def _blend(conversation: Conversation, text: str) -> Outcome:
    """Bring a persona in by its share; the others keep the rest, so that weights add up to 1."""
    blend = conversation.blend
    if text:
        share, scores, about = [*text.split(maxsplit=2), "", ""][:3]
        weight = _number("/blend", share)
        if weight in (0, 1) or not scores:
            raise UserError(
                "/blend takes a share other than 0 and 1, scores without spaces and, if you like, "
                f"a description, such as `/blend 0.5 -4,2,0,0,0 A tired captain.`, got {text!r}"
            )
        others = [replace(part, weight=part.weight * (1 - weight)) for part in blend.parts]
        newcomer = Part(turn_dials(Profile((0.0,) * len(TRAITS)), scores), one_line(about), weight)
        conversation = replace(conversation, blend=replace(blend, parts=(*others, newcomer)))
    return Outcome(conversation, describe(conversation.blend))


def _single(conversation: Conversation) -> Outcome:
    first = replace(conversation.persona, weight=1.0)
    conversation = replace(conversation, blend=replace(conversation.blend, parts=(first,)))
    return Outcome(conversation, describe(conversation.blend))


def _again(conversation: Conversation) -> Outcome:
    return Outcome(conversation.unanswered(), speak=True)


def _undo(conversation: Conversation) -> Outcome:
    undone = conversation.undone()
    return Outcome(undone, f"Taken back: {conversation.turns[len(undone.turns)].text}")


def _reset(conversation: Conversation) -> Outcome:
    return Outcome(conversation.reset(), "A new conversation with the same persona.")


def _seed(conversation: Conversation, text: str) -> Outcome:
    if text:
        if not re.fullmatch(r"[+-]?\d{1,20}", text):
            raise UserError(f"/seed takes a whole number, got {text!r}")
        conversation = replace(conversation, seed=int(text))
    return Outcome(conversation, f"The next reply is drawn from seed {conversation.seed}.")


def _temperature(conversation: Conversation, text: str) -> Outcome:
    if text:
        conversation = replace(conversation, temperature=_number("/temperature", text))
    likeliest = "" if conversation.temperature else ": always the likeliest token"
    return Outcome(conversation, f"Temperature {conversation.temperature:g}{likeliest}")


def _save(conversation: Conversation, text: str) -> Outcome:
    if not text:
        raise UserError("/save takes the name of a file, such as /save mara.json")
    return Outcome(conversation, save=Path(os.path.expanduser(text)))


def _help(conversation: Conversation) -> Outcome:
    width = max(len(command.usage) for command in COMMANDS.values())
    lines = [f"{command.usage:<{width}}  {command.about}" for command in COMMANDS.values()]
    lines.append("Ctrl-C stops a reply. A line that begins with // is said with one /.")
    return Outcome(conversation, "\n".join(lines))


def _quit(conversation: Conversation) -> Outcome:
    return Outcome(conversation, leave=True)


def _number(command: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{command} takes a number, got {text!r}") from None


def _alone(name: str, run: Callable[[Conversation], Outcome]) -> Handler:
    """The handler of a command that takes nothing."""

    def handler(conversation: Conversation, text: str) -> Outcome:
        if text:
            raise UserError(f"/{name} takes nothing after it, got {text!r}")
        return run(conversation)

    return handler


COMMANDS = {
    "ocean": Command(
        "/ocean e=+3 n-=1", "set or move dials; 4,-2,3,0,-4 sets all; alone: show", _ocean
    ),
    "character": Command(
        "/character TEXT", f"who it is; {NONE} for nobody; alone: show", _character
    ),
    "name": Command("/name Mara", "what the persona is called", _name),
    "strength": Command(
        "/strength 1.5", "of the whole personality; 0 is the plain model", _strength
    ),
    "blend": Command(
        "/blend 0.5 -4,2,0,0,0 TEXT", "mix in another persona by its share; alone: list", _blend
    ),
    "single": Command("/single", "the first persona alone again", _alone("single", _single)),
    "again": Command("/again", "another reply to the last line", _alone("again", _again)),
    "undo": Command("/undo", "take back the last line and its reply", _alone("undo", _undo)),
    "reset": Command("/reset", "begin a new conversation", _alone("reset", _reset)),
    "seed": Command("/seed 7", "seed of the next reply; alone: show", _seed),
    "temperature": Command(
        "/temperature 0.8", "0 takes the likeliest token; alone: show", _temperature
    ),
    "save": Command("/save FILE", "put a copy of the transcript there", _save),
    "help": Command("/help", "this list", _alone("help", _help)),
    "quit": Command("/quit", "leave; so does Ctrl-D", _alone("quit", _quit)),
}
"""By name, in the order of the help."""
