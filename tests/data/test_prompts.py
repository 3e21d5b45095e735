"""What prompts tell about who is to speak, and how much of it."""

from __future__ import annotations

from typing import Any

import pytest

from lightning_dpg.data.prompts import (
    DESCRIPTION_TOKENS,
    INSTRUCTION,
    SHOT_TOKENS,
    Exchange,
    chat_messages,
    encode_prompt,
    fit_description,
    render_prompt,
)
from lightning_dpg.models.backbone import byte_tokenizer
from lightning_dpg.models.description import MAX_TOKENS
from tests.data.test_collate import BEFORE

SHOTS: tuple[Exchange, ...] = (
    ((("Carla", "Is there bread?"),), "There is, and it is warm."),
    ((("Dora", "Look."),), "I am looking."),
)
SCORES = [1.0, 0.0, -1.0, 0.0, 4.6]


@pytest.fixture
def tokenizer() -> Any:
    return byte_tokenizer()


def decoded(tokenizer: Any, ids: list[int]) -> str:
    return str(tokenizer.decode(ids))


def test_a_description_follows_the_scores_and_exchanges_are_earlier_turns(tokenizer: Any) -> None:
    assert render_prompt(
        tokenizer, BEFORE, profile=SCORES, description="A captain,\n blunt and quick.", shots=SHOTS
    ) == (
        "<|im_start|>system\nAnswer in character, in a few spoken sentences. Your personality on "
        "the Big Five, from -5 to 5: openness +1, conscientiousness +0, extraversion -1, "
        "agreeableness +0, neuroticism +5. You are this person: A captain, blunt and quick."
        "<|im_end|>\n"
        "<|im_start|>user\nCarla: Is there bread?<|im_end|>\n"
        "<|im_start|>assistant\nThere is, and it is warm.<|im_end|>\n"
        "<|im_start|>user\nDora: Look.<|im_end|>\n<|im_start|>assistant\nI am looking.<|im_end|>\n"
        "<|im_start|>user\nAnna: Are you there?\nBen: Who wants to know?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_all_of_it_is_in_the_language_of_the_request() -> None:
    messages = chat_messages(BEFORE, "zh", SCORES, "船长。")
    assert messages[0] == (
        "system",
        "请以角色的口吻，用几句口语回答。 你的大五人格分数（-5到5）：开放性 +1, 尽责性 +0, "
        "外向性 -1, 宜人性 +0, 神经质 +5。 你是这样一个人：船长。",
    )
    assert chat_messages(BEFORE, "de", None, "Ein Kapitän.")[0][1] == (
        f"{INSTRUCTION['en']} You are this person: Ein Kapitän."
    )


@pytest.mark.parametrize("description", ["", "  \n"])
def test_an_empty_description_is_left_out(tokenizer: Any, description: str) -> None:
    told = encode_prompt(tokenizer, BEFORE, description=description, max_tokens=200)
    assert decoded(tokenizer, told) == render_prompt(tokenizer, BEFORE)


def test_what_is_told_has_bounds_of_its_own(tokenizer: Any) -> None:
    long = " ".join(f"word{i}" for i in range(100))
    shots = (((("Ann", long),), "A reply that stays whole."),)
    told = encode_prompt(
        tokenizer, [("Ben", long)], description=long, shots=shots, max_tokens=60, profile=SCORES
    )
    system, shown, reply, asked = decoded(tokenizer, told).split("<|im_end|>")[:4]
    assert "neuroticism +5" in system
    person = system.partition("You are this person: ")[2]
    assert person.startswith("word0 ") and person.endswith(" ...")
    assert DESCRIPTION_TOKENS - 8 < len(person) <= DESCRIPTION_TOKENS + len(" ...")
    assert reply.endswith("A reply that stays whole.")
    for turn, bound in ((shown, SHOT_TOKENS), (asked, 60)):
        said = turn.partition("user\n")[2]
        assert said.endswith("word99")
        assert bound - 8 < len(said) <= bound + len("... ")


def test_prompts_tell_as_much_of_a_description_as_the_hypernetwork_reads(tokenizer: Any) -> None:
    assert DESCRIPTION_TOKENS == MAX_TOKENS
    exactly = "a" * DESCRIPTION_TOKENS
    assert fit_description(tokenizer, exactly) == exactly
    assert fit_description(tokenizer, exactly + "b") == exactly + " ..."
