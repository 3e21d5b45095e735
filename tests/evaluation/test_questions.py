"""What people say to personas: nothing that names a trait, nothing that was learned."""

from __future__ import annotations

import re

import pytest

from lightning_dpg.assessment.markers import MARKERS
from lightning_dpg.corpus.sources import read_sources
from lightning_dpg.evaluation.questions import CLOSING, VALIDATION, questions_for
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


def test_questions_go_round() -> None:
    assert questions_for(3, 0, VALIDATION) == list(VALIDATION[:3])
    last = len(VALIDATION) - 1
    assert questions_for(3, last, VALIDATION) == [VALIDATION[last], VALIDATION[0], VALIDATION[1]]
    assert questions_for(0, 5, CLOSING) == []
    assert len(questions_for(30, 2, CLOSING)) == 30


def test_one_persona_hears_no_question_twice_in_an_evaluation() -> None:
    from lightning_dpg.config import experiments, load

    for name in experiments():
        evaluation = load(name).evaluation
        assert evaluation.replies_per_persona <= len(CLOSING)
        assert evaluation.validation_replies <= len(VALIDATION)
