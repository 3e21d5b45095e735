"""What people say to personas: nothing that names a trait, nothing that was learned."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from lightning_dpg.assessment.markers import MARKERS
from lightning_dpg.corpus.sources import read_sources
from lightning_dpg.evaluation.questions import CLOSING, VALIDATION, deal, questions_for
from lightning_dpg.records import TRAITS
from tests.corpus.test_sample import TRAIT_WORDS

EVERY = [text for _, text in VALIDATION + CLOSING]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def test_validation_and_closing_share_no_question() -> None:
    assert not {text for _, text in VALIDATION} & {text for _, text in CLOSING}
    assert len(EVERY) == len(set(EVERY))
    assert min(len(VALIDATION), len(CLOSING)) >= 4


@pytest.mark.parametrize("text", EVERY)
def test_no_question_names_a_trait(text: str) -> None:
    adjectives = {word for poles in MARKERS.values() for pole in poles for word in pole}
    assert not adjectives & set(words(text))
    assert not any(re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in TRAIT_WORDS)
    assert not any(trait.removesuffix("ness") in text.lower() for trait in TRAITS[1:])


def test_no_question_stands_in_the_bundled_corpus() -> None:
    def grams(text: str, size: int = 6) -> set[tuple[str, ...]]:
        found = words(text)
        return {tuple(found[i : i + size]) for i in range(len(found) - size + 1)}

    spoken = [
        utterance.text
        for dialogue in read_sources(["bundled"], ["en"]).dialogues
        for utterance in dialogue.utterances
    ]
    known = set().union(*map(grams, spoken))
    assert len(known) > 10_000
    for text in EVERY:
        assert not grams(text) & known


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
    uneven = Counter(q for hand in deal(7, 4, CLOSING, seed=1) for q in hand)
    assert max(uneven.values()) - min(uneven[q] for q in CLOSING) <= 1


def test_one_persona_hears_no_question_twice_in_an_evaluation() -> None:
    from lightning_dpg.config import experiments, load

    for name in experiments():
        evaluation = load(name).evaluation
        assert evaluation.replies_per_persona <= len(CLOSING)
        assert evaluation.validation_replies <= len(VALIDATION)
