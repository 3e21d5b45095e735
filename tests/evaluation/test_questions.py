"""What people say to personas: nothing that names a trait, nothing that was learned."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import lightning_dpg
from lightning_dpg.assessment.base import CJK, is_chinese
from lightning_dpg.assessment.markers import MARKERS
from lightning_dpg.assessment.rubric.wording import knowledge
from lightning_dpg.corpus.sources import Sources, read_sources
from lightning_dpg.data.prompts import TRAIT_NAMES
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.bank import LANGUAGES, read_bank
from lightning_dpg.evaluation.questions import (
    CLOSING,
    VALIDATION,
    closing,
    deal,
    questions_for,
    validation,
)
from lightning_dpg.records import TRAITS
from tests.corpus.test_sample import TRAIT_WORDS, near_duplicates

ENGLISH = [text for _, text in validation("en") + closing("en")]
CHINESE = [text for _, text in validation("zh") + closing("zh")]
CHARACTERS = {
    language: [f"{one['name']}: {one['description']}" for one in read_bank("newcomers", language)]
    for language in LANGUAGES
}
FEELINGS = ("scared", "fear", "worr", "panic", "ashamed", "angry", "happy", "sad")
FISHING = (
    r"(kind|sort|type) of (person|man|woman)",
    r"describe yourself|what are you like|your (personality|character|nature|temper)",
    r"are you (a|an|the sort|someone|usually|always|more)\b",
    r"do you (usually|normally|generally|tend|prefer)",
)
FISHING_ZH = ("性格", "什么样的人", "哪种人", "这种人", "你是不是个", "你这个人", "脾气", "平时是")


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def characters(text: str) -> list[str]:
    return CJK.findall(text)


@cache
def chinese_trait_words() -> frozenset[str]:
    """Traits, facets and adjectives of the poles as the rubric names them."""
    found = set(TRAIT_NAMES["zh"])
    for trait in knowledge("zh")["traits"].values():
        found |= {trait["name"], *trait["facets"]}
        for pole in trait["adjectives"].values():
            found |= set(pole.split("、"))
    return frozenset(found)


@cache
def bundled(language: str) -> Sources:
    return read_sources(["bundled"], [language])


def test_there_are_enough_of_them() -> None:
    assert len(VALIDATION) == 36
    assert len(CLOSING) >= 60
    assert validation("en") == VALIDATION and closing("en") == CLOSING


def test_figures_rest_on_the_questions_that_came_first() -> None:
    assert CLOSING[0] == (
        "Friend",
        "I have an evening free on Saturday, and so do you. What would you like to do?",
    )
    assert CLOSING[13][1].startswith("My sister cut off her hair and dyed it green.")
    assert CLOSING[23][1].startswith("I told everyone at the wedding that you would sing.")
    assert VALIDATION[0][1] == "You are back early. How did the day go?"
    assert VALIDATION[35][1].startswith("The gallery closes in ten minutes.")


@pytest.mark.parametrize("part", ["validation", "closing"])
def test_the_same_situations_in_every_language(part: str) -> None:
    english, chinese = (read_bank("questions", language)[part] for language in LANGUAGES)
    assert [(q["id"], q["situation"]) for q in english] == [
        (q["id"], q["situation"]) for q in chinese
    ]
    for one in (*english, *chinese):
        assert list(one) == ["id", "situation", "speaker", "text"]
        assert all(isinstance(value, str) and value.strip() == value for value in one.values())
        assert one["speaker"] and re.fullmatch(r"[a-z]+(-[a-z]+)*", one["id"])


def test_questions_and_ids_are_distinct() -> None:
    for language, texts in (("en", ENGLISH), ("zh", CHINESE)):
        ids = [q["id"] for part in read_bank("questions", language).values() for q in part]
        assert len(ids) == len(set(ids)) == len(set(texts)) == len(texts)
        assert list(near_duplicates(texts)) == []


def test_they_cover_everyday_life() -> None:
    asked = Counter(q["situation"] for q in read_bank("questions", "en")["closing"])
    assert len(asked) >= 12
    assert min(asked.values()) >= 2 and max(asked.values()) <= len(CLOSING) / 5
    first = Counter(q["situation"] for q in read_bank("questions", "en")["closing"][:24])
    assert len(first) >= 8


def test_each_is_a_turn_to_answer_in_two_or_three_sentences() -> None:
    assert all(6 <= len(words(text)) <= 25 for text in ENGLISH)
    assert all(8 <= len(characters(text)) <= 40 for text in CHINESE)
    assert all(text.endswith((".", "?")) for text in ENGLISH)
    assert all(text.endswith(("。", "？")) for text in CHINESE)
    assert sum(text.count("?") for text in ENGLISH) > len(ENGLISH) / 2


def test_chinese_is_chinese_and_english_is_english() -> None:
    latin = re.compile(r"[A-Za-z,.?!:;\"']")
    for name, text in validation("zh") + closing("zh"):
        assert is_chinese(text) and characters(name)
        assert not latin.search(name + text)
    assert all(is_chinese(text) for text in CHARACTERS["zh"])
    assert not any(CJK.search(text) for text in (*ENGLISH, *CHARACTERS["en"]))


@pytest.mark.parametrize("text", [*ENGLISH, *CHARACTERS["en"]])
def test_nothing_names_a_trait_in_english(text: str) -> None:
    adjectives = {word for poles in MARKERS.values() for pole in poles for word in pole}
    assert not adjectives & set(words(text))
    assert not any(re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in TRAIT_WORDS)
    assert not any(trait.removesuffix("ness") in text.lower() for trait in TRAITS[1:])
    assert not any(word.startswith(FEELINGS) for word in words(text))
    assert not any(re.search(pattern, text, re.IGNORECASE) for pattern in FISHING)


@pytest.mark.parametrize("text", [*CHINESE, *CHARACTERS["zh"]])
def test_nothing_names_a_trait_in_chinese(text: str) -> None:
    assert len(chinese_trait_words()) > 80
    assert not [word for word in chinese_trait_words() if word in text]
    assert not [word for word in FISHING_ZH if word in text]


@pytest.mark.parametrize(
    ("language", "texts", "split", "size"),
    [("en", ENGLISH, words, 6), ("zh", CHINESE, characters, 7)],
    ids=LANGUAGES,
)
def test_no_question_stands_in_the_bundled_corpus(
    language: str, texts: list[str], split: object, size: int
) -> None:
    def grams(text: str) -> set[tuple[str, ...]]:
        found = split(text)  # type: ignore[operator]
        return {tuple(found[i : i + size]) for i in range(len(found) - size + 1)}

    dialogues = bundled(language).dialogues
    known = set().union(*(grams(said.text) for found in dialogues for said in found.utterances))
    assert len(known) > 3_000
    assert [text for text in texts if grams(text) & known] == []


def test_new_characters_are_nobody_of_the_bundled_corpus() -> None:
    """Nobody's name and nobody's trade."""
    assert [one["id"] for one in read_bank("newcomers", "en")] == [
        one["id"] for one in read_bank("newcomers", "zh")
    ]
    for language in LANGUAGES:
        bank = read_bank("newcomers", language)
        assert len({one["id"] for one in bank}) == len({one["name"] for one in bank}) >= 16
        people = bundled(language).characters.values()
        described = " ".join(person.description for person in people).casefold()
        for one in bank:
            assert list(one) == ["id", "name", "description"]
            assert one["name"].casefold() not in described
            assert re.search(r"[.。]$", one["description"])
            for person in people:
                assert person.name.casefold() not in words(one["description"])
                assert language == "en" or person.name not in one["description"]


def test_a_language_without_questions_is_named() -> None:
    with pytest.raises(UserError, match=r"language among en, zh, got 'fr' \(evaluation.language\)"):
        closing("fr")


def test_the_bank_is_installed() -> None:
    root = Path(lightning_dpg.__file__).parent
    project = tomllib.loads((root.parent / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["lightning_dpg"]
    installed = {path for pattern in patterns for path in root.glob(pattern)}
    bank = set((root / "evaluation" / "bank").glob("*.yaml"))
    assert len(bank) == 2 * len(LANGUAGES) and bank <= installed


def test_whoever_is_compared_is_asked_the_same_and_questions_go_round() -> None:
    assert questions_for(3, VALIDATION) == list(VALIDATION[:3])
    assert questions_for(0, CLOSING) == []
    assert questions_for(len(CLOSING) + 2, CLOSING) == [*CLOSING, *CLOSING[:2]]


def test_questions_are_dealt_so_that_all_come_equally_often() -> None:
    hands = deal(24, 6, VALIDATION, seed=3)
    assert [len(hand) for hand in hands] == [6] * 24
    for half in (hands[:12], hands[12:]):  # without and with a description
        heard = Counter(question for hand in half for question in hand)
        assert set(heard) == set(VALIDATION)
        assert set(heard.values()) == {72 // len(VALIDATION)}
    assert hands == deal(24, 6, VALIDATION, seed=3) != deal(24, 6, VALIDATION, seed=4)
    assert hands[:6] != hands[6:12]
    assert deal(0, 6, VALIDATION, seed=0) == []
    uneven = Counter(q for hand in deal(7, 14, CLOSING, seed=1) for q in hand)
    assert set(uneven.values()) == {1, 2}
    assert set(uneven) == set(CLOSING)


def test_one_persona_hears_no_question_twice_in_an_evaluation() -> None:
    from lightning_dpg.config import experiments, load

    for name in experiments():
        evaluation = load(name).evaluation
        assert evaluation.replies_per_persona <= len(CLOSING)
        assert evaluation.validation_replies <= len(VALIDATION)
