"""Who answers: adapters of the persona that speaks now, prompts of the evaluation."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from lightning_dpg.adapters.blend import blended
from lightning_dpg.adapters.parts import Blend
from lightning_dpg.chat.conversation import Conversation
from lightning_dpg.chat.session import Session
from lightning_dpg.chat.talking import LocalTalker, recent
from lightning_dpg.chat.terminal import Terminal
from lightning_dpg.chat.transcript import Transcript
from lightning_dpg.config import EvaluationConfig
from lightning_dpg.data.prompts import encode_prompt
from lightning_dpg.evaluation.arms import voice_of
from lightning_dpg.evaluation.replies import Request, generate_replies
from lightning_dpg.models.backbone import byte_tokenizer
from lightning_dpg.models.lora import LoRA
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile
from tests.chat.conftest import CAPTAIN, PROFILE, mara
from tests.models.conftest import stir

CONFIG = EvaluationConfig(temperature=0.0, max_new_tokens=12)
OPPOSITE = Profile((-4.0, 2.0, -3.0, 0.0, 4.0))
BOUND = 96
TOKENIZER: Any = byte_tokenizer()


@pytest.fixture
def module(make_module: Any) -> PersonalityModule:
    module: PersonalityModule = make_module().eval()
    stir(module)
    return module


@pytest.fixture
def made() -> list[Blend]:
    """Whose adapters were made, in order."""
    return []


@pytest.fixture
def talker(module: PersonalityModule, made: list[Blend]) -> LocalTalker:
    def adapters_of(blend: Blend) -> dict[str, LoRA]:
        made.append(blend)
        return blended(module, [blend])

    brief = voice_of("dpg", module).brief
    return LocalTalker(module.backbone, CONFIG, BOUND, adapters_of, brief)


def say(talker: LocalTalker, conversation: Conversation) -> str:
    return talker.reply(conversation, lambda piece: None).text


def expected(module: PersonalityModule, conversation: Conversation, profile: Profile) -> str:
    """What the evaluation generates for the same turns."""
    request = Request(profile, "A cook.", conversation.context, "en")
    config = replace(CONFIG, temperature=conversation.temperature)
    return generate_replies(
        module.backbone,
        [request],
        config,
        voice=voice_of("dpg", module),
        max_prompt_tokens=BOUND,
        seed=conversation.seed,
    )[0]


def test_a_dial_moves_the_next_reply_and_not_those_before(
    module: PersonalityModule,
    talker: LocalTalker,
    conversation: Conversation,
    transcript: Transcript,
) -> None:
    lines = StringIO("Hello\n/ocean -4,2,-3,0,4\nWell?\n")
    terminal = Terminal(lines, Console(file=StringIO()))
    end = Session(conversation, talker, terminal, transcript).run()
    first = conversation.hear("Hello")
    said = expected(module, first, PROFILE)
    second = first.answer(said).hear("Well?")
    moved = expected(module, second, OPPOSITE)
    assert [text for _, text in end.context] == ["Hello", said, "Well?", moved]
    assert moved != expected(module, second, PROFILE)
    assert [turn.blend.profile for turn in end.turns if turn.blend] == [PROFILE, OPPOSITE]


def test_adapters_are_made_when_the_persona_changes(
    talker: LocalTalker, conversation: Conversation, made: list[Blend]
) -> None:
    talk = conversation.hear("Hello")
    renamed = talk.voiced(name="Ben").answer("Hm.").hear("Well?")
    for same in (talk, renamed, replace(talk, seed=9, temperature=0.0)):
        say(talker, same)
    assert len(made) == 1
    for other in (
        {"profile": OPPOSITE},
        {"description": "A tired captain."},
        {"strength": 0.5},
    ):
        say(talker, talk.voiced(**other))
    say(talker, talk)
    assert len(made) == 4


def test_who_speaks_is_heard(talker: LocalTalker, conversation: Conversation) -> None:
    talk = replace(conversation, temperature=0.0).hear("Hello")
    weaker = talk.voiced(strength=0.0)
    mixed = replace(talk, blend=mara(CAPTAIN, weight=0.5))
    texts = [say(talker, one) for one in (talk, weaker, mixed)]
    assert len(set(texts)) == 3
    frozen = LocalTalker(talker.backbone, CONFIG, BOUND, lambda blend: None)
    assert say(frozen, talk) == texts[1]


def test_it_answers_in_the_language_of_the_last_line(
    talker: LocalTalker, conversation: Conversation
) -> None:
    talk = conversation.hear("Hello").answer("Good day.")
    assert talker.request(talk.hear("你是谁？")).language == "zh"
    assert talker.request(talk.hear("Who?")).language == "en"


def test_a_long_conversation_is_cut_as_prompts_are(
    talker: LocalTalker, conversation: Conversation
) -> None:
    talk = conversation
    forgot = []
    for number in range(12):
        talk = talk.hear(f"Line {number}, of some words.").answer("Quite.")
        forgot.append(talker.forgets(talk))
    assert forgot == sorted(forgot) and not forgot[0] and forgot[-1]
    turns = talker.request(talk).context
    assert len(turns) < len(talk.context)
    assert encode_prompt(TOKENIZER, turns) == encode_prompt(TOKENIZER, talk.context)


@pytest.mark.parametrize("bound", [1, 30, 64, 65, 96, 1000])
@pytest.mark.parametrize("long", [3, 300])
def test_what_is_left_out_would_not_fit(bound: int, long: int) -> None:
    turns = [
        ("Someone", f"{number} " + "word " * (long if number == 5 else 4)) for number in range(9)
    ]
    near = recent(TOKENIZER, turns, bound)
    assert near == turns[len(turns) - len(near) :]
    assert encode_prompt(TOKENIZER, near, max_tokens=bound) == encode_prompt(
        TOKENIZER, turns, max_tokens=bound
    )
    assert recent(TOKENIZER, [], bound) == []


def test_a_single_line_that_is_too_long_is_cut_too(
    talker: LocalTalker, conversation: Conversation
) -> None:
    assert talker.forgets(conversation.hear("word " * 50))
    assert not talker.forgets(conversation.hear("word"))
