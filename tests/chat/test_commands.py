"""Commands: what each leads to, and what is said of those that lead nowhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lightning_dpg.adapters.parts import Part
from lightning_dpg.chat.commands import COMMANDS, Outcome, is_command, obey
from lightning_dpg.chat.conversation import Conversation
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile
from tests.chat.conftest import CAPTAIN, mara

MOVED = Profile((4.0, -2.0, -1.0, 0.0, -3.0))


@pytest.fixture
def talk(conversation: Conversation) -> Conversation:
    return conversation.hear("Hello").answer("Good day.")


@pytest.mark.parametrize(
    ("line", "changes", "note"),
    [
        ("/ocean e=-1 n+=1", {"profile": MOVED}, "Mara O+4 C-2 E-1 A+0 N-3"),
        ("/OCEAN\te=-1  n+=1", {"profile": MOVED}, "Mara O+4 C-2 E-1 A+0 N-3"),
        ("/ocean 4,-2,-1,0,-3", {"profile": MOVED}, "Mara O+4 C-2 E-1 A+0 N-3"),
        ("/ocean", {}, "openness +4.0, conscientiousness -2.0"),
        ("/character A  baker.", {"description": "A baker."}, "A baker."),
        ("/character -", {"description": ""}, "(no description)"),
        ("/character", {}, "A cook."),
        ("/strength 1.5", {"strength": 1.5}, "Strength 1.5"),
        ("/strength -1", {"strength": -1.0}, "Strength -1"),
        ("/strength", {}, "Strength 1"),
        ("/name Old Ben", {"name": "Old Ben"}, "Old Ben O+4"),
        ("/name", {}, "Mara O+4"),
        ("/help", {}, "/ocean e=+3 n-=1"),
        ("/blend", {}, "1 × (O+4 C-2 E+3 A+0 N-4) A cook."),
    ],
)
def test_a_persona_is_changed_or_shown(
    talk: Conversation, line: str, changes: dict[str, object], note: str
) -> None:
    outcome = obey(talk, line)
    assert note in outcome.note
    assert outcome == Outcome(talk.voiced(**changes), outcome.note)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "changes"),
    [("/seed 11", {"seed": 11}), ("/temperature 0", {"temperature": 0.0}), ("/seed", {})],
)
def test_settings_of_the_next_reply(
    talk: Conversation, line: str, changes: dict[str, object]
) -> None:
    outcome = obey(talk, line)
    assert outcome.conversation == replace(talk, **changes)  # type: ignore[arg-type]
    assert f"{next(iter(changes.values()), talk.seed):g}" in outcome.note


def test_a_blend_keeps_the_sum_of_its_weights(talk: Conversation) -> None:
    two = obey(talk, "/blend 0.5 -4,2,0,0,0 A tired  captain.").conversation
    assert two.blend == mara(CAPTAIN, weight=0.5)
    away = obey(two, "/blend -1 e=5").conversation
    assert [part.weight for part in away.blend.parts] == [1.0, 1.0, -1.0]
    assert away.blend.parts[2] == Part(Profile((0.0, 0.0, 5.0, 0.0, 0.0)), "", -1.0)
    assert obey(away, "/single").conversation.blend == mara()


def test_dials_of_a_blend_are_those_of_its_first_persona(talk: Conversation) -> None:
    two = obey(talk, "/blend 0.5 -4,2,0,0,0 A tired captain.").conversation
    outcome = obey(two, "/ocean e=-1 n+=1")
    assert [part.profile for part in outcome.conversation.blend.parts] == [MOVED, CAPTAIN.profile]
    assert "first of 2 personas" in outcome.note


def test_again_undo_reset_save_and_quit(talk: Conversation) -> None:
    assert obey(talk, "/again") == Outcome(talk.unanswered(), speak=True)
    assert obey(talk, "/undo") == Outcome(talk.undone(), "Taken back: Hello")
    assert obey(talk, "/reset").conversation == talk.reset()
    assert obey(talk, "/save a file.json") == Outcome(talk, save=Path("a file.json"))
    assert obey(talk, "/quit") == Outcome(talk, leave=True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/ocaen e=3", "no command /ocaen: did you mean /ocean?"),
        ("/Strenght 2", "did you mean /strength?"),
        ("/zzz", "no command /zzz: /help lists them"),
        ("/", "no command /: /help"),
        ("/ocean e=9", "between -5 and 5"),
        ("/strength much", "/strength takes a number, got 'much'"),
        ("/strength nan", "finite"),
        ("/temperature -1", "temperature must be 0"),
        ("/temperature inf", "temperature must be 0"),
        ("/seed x", "/seed takes a whole number, got 'x'"),
        ("/seed -1", "from 0"),
        ("/seed 99999999999999999999", "from 0"),
        ("/blend 0.5", "/blend takes a share"),
        ("/blend 1 1,1,1,1,1", "other than 0 and 1"),
        ("/blend half 1,1,1,1,1", "/blend takes a number, got 'half'"),
        ("/blend nan 1,1,1,1,1", "finite"),
        ("/blend 0.5 1,1,1", "needs 5 scores"),
        ("/undo 3", "/undo takes nothing after it, got '3'"),
        ("/save", "/save takes the name of a file"),
    ],
)
def test_a_mistake_is_said(talk: Conversation, line: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        obey(talk, line)
    assert message in str(error.value)


def test_a_line_may_begin_with_the_sign() -> None:
    assert is_command("/help") and is_command("/")
    assert not is_command("//help") and not is_command("He/she")


def test_help_names_every_command(talk: Conversation) -> None:
    shown = obey(talk, "/help").note
    assert all(f"/{name}" in shown for name in COMMANDS)
