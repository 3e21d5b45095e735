"""Prompts that ask about dialogues, and the reading of answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lightning_dpg.assessment.asking.prompt import Unreadable
from lightning_dpg.assessment.rubric.dialogue import (
    CHARACTERS,
    SCHEMA,
    TURNS,
    dialogue_prompt,
    read_judgement,
)


def lines(turns: list[tuple[str, str]]) -> list[str]:
    user = dialogue_prompt(turns, "en").messages[1][1]
    return user.split(" BEGINS ===\n")[1].split("\n=== DATA")[0].split("\n")


def test_a_dialogue_of_usual_length_is_shown_whole() -> None:
    turns = [(f"Person {'AB'[i % 2]}", f"turn {i}") for i in range(TURNS)]
    assert lines(turns) == [f'{who}: "{text}"' for who, text in turns]


def test_of_a_long_dialogue_both_ends_are_shown() -> None:
    turns = [("Person A", f"turn {i}") for i in range(TURNS + 3)]
    shown = lines(turns)
    half = TURNS // 2
    assert len(shown) == TURNS + 1
    assert shown[:half] == [f'Person A: "turn {i}"' for i in range(half)]
    assert shown[half] == "(... 3 turns left out)"
    assert shown[half + 1 :] == [f'Person A: "turn {i}"' for i in range(half + 3, TURNS + 3)]


def test_of_a_long_turn_both_ends_are_shown() -> None:
    whole, cut = lines([("Person A", "x" * CHARACTERS), ("?", "a" * 150 + "b" * 300 + "c" * 150)])
    assert whole == f'Person A: "{"x" * CHARACTERS}"'
    assert cut == (
        f'?: "{"a" * 150}{"b" * 50}" (... 200 characters left out) "{"b" * 50}{"c" * 150}"'
    )


def test_the_longest_prompt_is_bounded() -> None:
    turns = [("Person A", "word " * 5000)] * 900
    assert len(dialogue_prompt(turns, "en").messages[1][1]) < TURNS * (CHARACTERS + 100) + 1000


def test_the_schema_is_strict_and_asks_for_a_reason_first() -> None:
    assert list(SCHEMA["properties"]) == SCHEMA["required"] == ["reason", "coherence", "integrity"]
    assert SCHEMA["additionalProperties"] is False
    prompts = {
        language: dialogue_prompt([("?", "Yes.")], language)  # type: ignore[arg-type]
        for language in ("en", "zh")
    }
    for language, prompt in prompts.items():
        assert prompt.version == f"dialogue-{language}-1" and prompt.schema == SCHEMA
        for _, message in prompt.messages:
            assert all(name in message for name in SCHEMA["properties"])
        for score in range(1, 6):
            mark = f"\n{score}{':' if language == 'en' else '：'}"
            assert prompt.messages[0][1].count(mark) == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"reason": "it flows", "coherence": 4, "integrity": 2.5}',
        "```\n{'reason': 'it flows', 'Coherence': '4', 'Contextual integrity': '２.５',}\n```",
        '{"理由": "it flows", "连贯性": 4, "完整性": "2.5"}',
        '{"coherence": 1, "integrity": 1} no: {"reason": "it flows", "coherence": 4, '
        '"integrity": 2.5}',
    ],
)
def test_tolerant_reading(text: str) -> None:
    assert read_judgement(text) == {"coherence": 4.0, "integrity": 2.5, "reason": "it flows"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"coherence": 4}, "integrity is missing. Answer with one JSON object with the keys"),
        ({"reason": "x"}, "coherence, integrity is missing"),
        ({"coherence": 0, "integrity": 3}, "coherence must be a whole number from 1 to 5, got 0"),
        ({"coherence": 4, "integrity": None}, "integrity must be a whole number from 1 to 5"),
        ({"coherence": "4/5", "integrity": 3}, 'got "4/5"'),
        ({"score": 4}, "holds no such object"),
        ({"coherence": 4, "integrity": 4, "完整性": 1}, "the answer gives integrity twice"),
    ],
)
def test_what_is_wrong_is_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_judgement(json.dumps(given))
    assert message in str(caught.value)
