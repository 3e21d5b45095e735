"""The state of a conversation: what was said, who speaks next, and how replies are drawn."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from lightning_dpg.adapters.parts import SOMEONE, Blend, Part
from lightning_dpg.data.prompts import Turn
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile, is_given
from lightning_dpg.regions import INITIALS

UNNAMED = "Character"
"""Name of a persona that was given none."""
SEEDS = 2**63
"""Seeds lie below."""


@dataclass(frozen=True)
class Said:
    """One turn.

    Attributes:
        text: on one line.
        blend: who spoke, as they were then; None for the person who types.
        seed: of the sampling of a reply.
        temperature: of a reply.
        checkpoint: that spoke; empty for the person who types.
        stopped: whether a reply was cut short by who listened.
    """

    text: str
    blend: Blend | None = None
    seed: int = 0
    temperature: float = 0.0
    checkpoint: str = ""
    stopped: bool = False

    @property
    def name(self) -> str:
        """Of who spoke, as prompts show it."""
        return self.blend.name if self.blend else SOMEONE


@dataclass(frozen=True)
class Conversation:
    """A conversation at one moment; every change gives another one.

    Attributes:
        blend: who speaks next. The first part is the persona whose dials are moved.
        seed: of the next reply. Every attempt at one takes the next number.
        temperature: of the next reply; 0 takes the likeliest token.
        checkpoint: that speaks next.
        turns: oldest first.
        earlier: conversations that were left behind by `reset`.

    Raises:
        UserError: a name that no prompt can show, a seed or temperature out of range.
    """

    blend: Blend
    seed: int = 0
    temperature: float = 0.8
    checkpoint: str = ""
    turns: tuple[Said, ...] = ()
    earlier: tuple[tuple[Said, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.blend.name or self.blend.name != one_line(self.blend.name):
            raise UserError(f"A name is a word or some on one line, got {self.blend.name!r}")
        if not 0 <= self.seed < SEEDS:
            raise UserError(f"A seed must be a whole number from 0 to 2^63 - 1, got {self.seed}")
        if not 0 <= self.temperature < float("inf"):
            raise UserError(
                f"The temperature must be 0 (the likeliest token) or more, got {self.temperature:g}"
            )

    @property
    def persona(self) -> Part:
        """The part whose dials are moved."""
        return self.blend.parts[0]

    @property
    def waiting(self) -> bool:
        """Whether the last line has no reply yet."""
        return bool(self.turns) and self.turns[-1].blend is None

    @property
    def context(self) -> tuple[Turn, ...]:
        """The turns as prompts take them."""
        return tuple((said.name, said.text) for said in self.turns)

    def voiced(
        self,
        *,
        profile: Profile | None = None,
        description: str | None = None,
        name: str | None = None,
        strength: float | None = None,
    ) -> Conversation:
        """The same with another persona to speak next; what is None stays.

        Raises:
            UserError: what `Blend` and the constructor refuse.
        """
        part, blend = self.persona, self.blend
        part = replace(part, profile=profile) if profile is not None else part
        part = replace(part, description=one_line(description)) if description is not None else part
        blend = replace(blend, parts=(part, *blend.parts[1:]))
        blend = replace(blend, name=one_line(name)) if name is not None else blend
        blend = replace(blend, strength=strength) if strength is not None else blend
        return replace(self, blend=blend)

    def hear(self, text: str) -> Conversation:
        """After a line of the person who types."""
        return replace(self, turns=(*self.turns, Said(one_line(text))))

    def answer(self, text: str, stopped: bool = False) -> Conversation:
        """After an attempt at a reply by who speaks now; an empty one leaves no turn."""
        said = Said(text, self.blend, self.seed, self.temperature, self.checkpoint, stopped)
        turns = (*self.turns, said) if text else self.turns
        return replace(self, turns=turns, seed=(self.seed + 1) % SEEDS)

    def unanswered(self) -> Conversation:
        """Before the reply to the last line.

        Raises:
            UserError: nothing was said to the persona.
        """
        return replace(self, turns=self.turns[: self._last_heard() + 1])

    def undone(self) -> Conversation:
        """Before the last line and the reply to it.

        Raises:
            UserError: nothing was said to the persona.
        """
        return replace(self, turns=self.turns[: self._last_heard()])

    def reset(self) -> Conversation:
        """A new conversation with the same persona; the old one stays in the transcript."""
        earlier = (*self.earlier, self.turns) if self.turns else self.earlier
        return replace(self, turns=(), earlier=earlier)

    def _last_heard(self) -> int:
        heard = [i for i, said in enumerate(self.turns) if said.blend is None]
        if not heard:
            raise UserError("Nothing was said yet: type a line, and it is answered")
        return heard[-1]


def begin() -> Conversation:
    """A new conversation with somebody whose dials all stand at 0."""
    return Conversation(Blend(UNNAMED, (Part(Profile((0.0,) * len(INITIALS))),)))


def one_line(text: str) -> str:
    """A text as it goes into prompts and files.

    Whitespace and control characters are single spaces; halves of characters are left out.
    """
    whole = text.encode("utf-8", errors="ignore").decode("utf-8")
    return " ".join(controls_as(" ", whole).split())


def controls_as(other: str, text: str) -> str:
    """A text with another in place of each control character: some steer a terminal."""
    return "".join(other if unicodedata.category(char) == "Cc" else char for char in text)


def dials(profile: Profile) -> str:
    """The five scores in short: `O+4 C-2 E+3 A+0 N-4`."""
    pairs = zip(INITIALS, profile.scores, strict=True)
    return " ".join(f"{initial}{score + 0.0:+g}" for initial, score in pairs)


def label(blend: Blend) -> str:
    """Who speaks, in short: `Mara O+4 C-2 E+3 A+0 N-4`, of a blend with the weights."""
    if len(blend.parts) == 1 and blend.parts[0].weight == 1:
        who = dials(blend.parts[0].profile)
    elif len(blend.parts) <= 2:
        who = " + ".join(f"{part.weight:g} × ({dials(part.profile)})" for part in blend.parts)
    else:
        who = f"({len(blend.parts)} personas)"
    strength = "" if blend.strength == 1 else f" × {blend.strength:g}"
    return f"{blend.name} {who}{strength}"


def describe(blend: Blend) -> str:
    """Who speaks, a line for each part, with descriptions."""
    lines = [label(blend)]
    for part in blend.parts:
        about = part.description if is_given(part.description) else "(no description)"
        lines.append(f"  {part.weight:g} × ({dials(part.profile)}) {about}")
    return "\n".join(lines)
