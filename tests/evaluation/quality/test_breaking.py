"""Broken replies: really broken, nobody's twice, and the same from the same seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from lightning_dpg.evaluation.personas import Persona, drawn_personas
from lightning_dpg.evaluation.quality.answers import Answer, spread
from lightning_dpg.evaluation.quality.breaking import (
    other_questions,
    shuffled_words,
    splice,
    strangers,
)
from lightning_dpg.evaluation.tasks.task import Item
from lightning_dpg.records import Profile

QUESTIONS = tuple((("Friend", f"question {i}"),) for i in range(4))


def answers(personas: int, count: int, questions: int = 4) -> list[Answer]:
    cast = [Item(p, QUESTIONS[:questions]) for p in drawn_personas(personas, 0)]
    said = [[f"{i} {k}" for k in range(questions)] for i in range(personas)]
    return [answer for own in spread(cast, said, count) for answer in own]


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_words_are_the_same_words_in_another_order(seed: int) -> None:
    text = "It rained, and it rained all day."
    shuffled = shuffled_words(text, str(seed))
    assert shuffled and shuffled != text
    assert Counter(shuffled.split()) == Counter(text.split())
    assert shuffled == shuffled_words(text, str(seed))
    assert shuffled_words("a b", str(seed)) == "b a"


def test_seeds_shuffle_differently() -> None:
    assert len({shuffled_words("one two three four five six", str(i)) for i in range(20)}) > 15


def test_chinese_is_shuffled_by_characters() -> None:
    shuffled = shuffled_words("我昨天在上海上班。", "0")
    assert shuffled and Counter(shuffled.replace(" ", "")) == Counter("我昨天在上海上班。")
    assert "天 " not in shuffled.replace("天 。", "")


@pytest.mark.parametrize("text", ["", "no", "no no no", "…"])
def test_what_has_no_other_order_is_left_out(text: str) -> None:
    assert shuffled_words(text, "0") is None


@pytest.mark.parametrize("seed", range(5))
def test_everybody_is_handed_another_persons_other_question(seed: int) -> None:
    given = answers(8, 3)
    handed = other_questions(given, seed)
    assert sorted(j for j in handed if j is not None) == list(range(len(given)))
    for answer, j in zip(given, handed, strict=True):
        assert j is not None
        assert given[j].persona != answer.persona and given[j].context != answer.context
    assert handed == other_questions(given, seed)
    assert handed != other_questions(given, seed + 1)


def test_where_all_are_asked_one_question_there_is_no_other() -> None:
    assert other_questions(answers(4, 1, questions=1), 0) == [None] * 4
    assert other_questions([], 0) == []


def test_contexts_that_share_a_turn_are_not_other_ones() -> None:
    one, two = drawn_personas(2, 0)
    turns = [("A", "first"), ("B", "second"), ("A", "third"), ("B", "fourth")]
    near = [Answer(one, tuple(turns[:2]), "x"), Answer(two, tuple(turns[1:3]), "y")]
    assert other_questions(near, 0) == [None, None]
    far = [near[0], Answer(two, tuple(turns[2:]), "y")]
    assert other_questions(far, 0) == [1, 0]


def test_neither_language_nor_character_is_mixed_up() -> None:
    one, two = drawn_personas(2, 0)
    for other in (replace(two, language="zh"), replace(one, id="b", character="play/ann")):
        first = replace(one, character="play/ann")
        pair = [Answer(first, QUESTIONS[0], "x"), Answer(other, QUESTIONS[1], "y")]
        assert other_questions(pair, 0) == [None, None]


def person(name: str, openness: float, **more: str) -> Persona:
    return Persona(name, "drawn", name, "", Profile((openness, 0.0, 0.0, 0.0, 0.0)), **more)


FOUR = [person("a", 5.0), person("b", 4.0), person("c", -4.0), person("d", -5.0)]
WORDS = [[f"{name} {k}" for k in range(4)] for name in "abcd"]


def test_everybody_is_handed_on_once_and_anybody_to_anybody() -> None:
    seen = set()
    for seed in range(30):
        handed = strangers(FOUR, WORDS, seed)
        assert sorted(j for j in handed if j is not None) == [0, 1, 2, 3]
        assert handed == strangers(FOUR, WORDS, seed)
        seen |= set(enumerate(handed))
    # The nearest come about as the most different do.
    assert seen == {(i, j) for i in range(4) for j in range(4) if i != j}


def test_nobody_is_handed_its_own_words() -> None:
    pair, said = FOUR[:2], [["Hello.", "Bye.", ""], ["Hm.", "Well.", ""]]
    assert strangers(pair, said, 0) == [1, 0]
    assert strangers(pair, [said[0], ["Hm.", "Hello.", ""]], 0) == [None, None]
    assert strangers(pair, [said[0], ["Hm.", "Well."]], 0) == [None, None]


def test_of_one_character_or_of_two_languages_nobody_is_left() -> None:
    one = [person("a", 5.0, character="play/ann"), person("b", -5.0, character="play/ann")]
    two = [person("a", 5.0), person("b", -5.0, language="zh")]
    for cast in (one, two):
        assert strangers(cast, WORDS[:2], 0) == [None, None]
    assert strangers([], [], 0) == []


@pytest.mark.parametrize("count", [0, 1, 2, 5, 10])
def test_half_of_the_replies_are_the_others_to_the_same(count: int) -> None:
    own, other = [f"own {k}" for k in range(count)], [f"other {k}" for k in range(count)]
    mixed = splice(own, other, "0")
    assert [text.split()[-1] for text in mixed] == [str(k) for k in range(count)]
    assert sum(text.startswith("other") for text in mixed) == count // 2
    assert mixed == splice(own, other, "0")


def test_places_know_nothing_of_the_halves() -> None:
    """In place and half as often as chance has it: hypergeometric, not all in one half."""
    own, other = ["own"] * 10, ["other"] * 10
    foreign = np.array([[t == "other" for t in splice(own, other, str(s))] for s in range(2000)])
    assert np.abs(foreign.mean(0) - 0.5).max() < 0.05
    odd = foreign[:, ::2].sum(1)
    assert odd.mean() == pytest.approx(2.5, abs=0.1)
    assert odd.var() == pytest.approx(25 / 36, abs=0.1)
