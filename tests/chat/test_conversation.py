"""The state of a conversation: what follows from what, and that nothing changes behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_dpg.chat.conversation import (
    SEEDS,
    Conversation,
    Said,
    begin,
    describe,
    label,
    one_line,
)
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile
from tests.chat.conftest import CAPTAIN, PROFILE, mara

CALM = Profile((0.0, 0.0, 0.0, 0.0, -5.0))


def test_it_begins_with_somebody_in_the_middle_of_every_scale() -> None:
    assert begin().persona.profile.scores == (0.0,) * 5
    assert not begin().turns and not begin().waiting


def test_prompts_get_names_and_texts_in_order(conversation: Conversation) -> None:
    after = conversation.hear(" Hello,\n you. ").answer("Good day.").voiced(name="Ben").hear("Who?")
    assert after.context == (("Someone", "Hello, you."), ("Mara", "Good day."), ("Someone", "Who?"))
    assert after.answer("Ben.").context[-1] == ("Ben", "Ben.")


def test_a_dial_moves_for_the_next_turn_and_not_for_those_before(
    conversation: Conversation,
) -> None:
    before = conversation.hear("Hello").answer("Good day.")
    after = before.voiced(profile=CALM).hear("And now?").answer("Calm.")
    assert [said.blend and said.blend.profile for said in after.turns] == [
        None,
        PROFILE,
        None,
        CALM,
    ]
    assert after.turns[:2] == before.turns


def test_what_is_none_stays(conversation: Conversation) -> None:
    assert conversation.voiced() == conversation
    changed = conversation.voiced(description="", strength=0.0)
    assert changed.blend == replace(
        mara(strength=0.0), parts=(replace(mara().parts[0], description=""),)
    )


def test_every_attempt_takes_a_seed_of_its_own(conversation: Conversation) -> None:
    first = conversation.hear("Hello").answer("One.")
    second = first.unanswered().answer("").answer("Two.", stopped=True)
    assert first.turns[-1] == Said("One.", mara(), 3, 0.5, "model.ckpt")
    assert second.turns[-1] == Said("Two.", mara(), 5, 0.5, "model.ckpt", stopped=True)
    assert second.seed == 6 and len(second.turns) == 2
    assert replace(conversation, seed=SEEDS - 1).answer("Last.").seed == 0


def test_undo_takes_back_a_line_with_what_came_after(conversation: Conversation) -> None:
    first = conversation.hear("Hello").answer("Good day.")
    for later in (first.hear("Hm?"), first.hear("Hm?").answer("Hm.")):
        assert later.undone().turns == first.turns
    assert first.undone().turns == ()
    assert first.hear("Hm?").waiting and not first.waiting


@pytest.mark.parametrize("change", [Conversation.undone, Conversation.unanswered])
def test_there_is_nothing_to_take_back_at_the_beginning(
    conversation: Conversation, change: object
) -> None:
    with pytest.raises(UserError, match="Nothing was said"):
        change(conversation)  # type: ignore[operator]


def test_a_reset_leaves_a_conversation_behind(conversation: Conversation) -> None:
    old = conversation.hear("Hello").answer("Good day.").voiced(profile=CALM)
    new = old.reset()
    assert (new.turns, new.earlier, new.blend) == ((), (old.turns,), old.blend)
    assert new.reset() == new


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": -1},
        {"seed": SEEDS},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"blend": replace(mara(), name="")},
        {"blend": replace(mara(), name="Ma\nra")},
    ],
)
def test_what_no_reply_can_be_drawn_with_is_refused(
    conversation: Conversation, wrong: dict[str, object]
) -> None:
    with pytest.raises(UserError):
        replace(conversation, **wrong)  # type: ignore[arg-type]


def test_who_speaks_in_short() -> None:
    assert label(mara()) == "Mara O+4 C-2 E+3 A+0 N-4"
    assert label(mara(strength=1.5)) == "Mara O+4 C-2 E+3 A+0 N-4 × 1.5"
    half = mara(CAPTAIN, weight=0.5)
    assert label(half) == "Mara 0.5 × (O+4 C-2 E+3 A+0 N-4) + 0.5 × (O-4 C+2 E+0 A+0 N+0)"
    assert label(mara(CAPTAIN, CAPTAIN)) == "Mara (3 personas)"
    assert label(mara(weight=0.5)) == "Mara 0.5 × (O+4 C-2 E+3 A+0 N-4)"
    assert "A cook." in describe(half) and "A tired captain." in describe(half)
    assert "O+0 C+0.5" in label(begin().voiced(profile=Profile((-0.0, 0.5, 0.0, 0.0, 0.0))).blend)


@given(st.text())
def test_a_line_is_one_line_that_any_file_can_store(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1 and "\x1b" not in line
    assert line == line.strip() == line.encode().decode()


def test_words_stay_apart_when_a_line_is_made_one() -> None:
    assert one_line("a\nb\x07c\t d\ud83d 你\u3000好") == "a b c d 你 好"
