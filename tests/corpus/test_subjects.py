"""Sets of speeches of a corpus's characters."""

from __future__ import annotations

import pytest
from datasets import Dataset

from lightning_dpg.corpus.store import CHARACTERS, Corpus
from lightning_dpg.corpus.subjects import LEAST_WORDS, subjects_of
from lightning_dpg.errors import UserError

POLES = [1, 0, -1, 0, 1]


def speech(number: int, character: str = "w/anna", language: str = "en") -> dict[str, object]:
    return {
        "character": character,
        "language": language,
        "text": f"speech {number} " + "word " * LEAST_WORDS,
    }


def corpus(rows: list[dict[str, object]]) -> Corpus:
    people = [
        {"id": "w/anna", "name": "ANNA", "description": "", "poles": POLES},
        {"id": "w/ben", "name": "BEN", "description": "", "poles": []},
    ]
    return Corpus(
        Dataset.from_list(rows),
        Dataset.from_list(people, features=CHARACTERS),
        {"languages": ["en", "zh"]},
        {},
    )


def numbers(passages: tuple[str, ...]) -> list[int]:
    return [int(passage.split()[1]) for passage in passages]


def test_speeches_in_order_make_sets_without_overlap() -> None:
    rows = [speech(i) for i in range(7)] + [speech(i, "w/ben") for i in range(3)]
    rows.insert(2, {**speech(99), "text": "Too short to count."})
    rows.insert(3, speech(98, language="zh"))
    rows.insert(4, speech(97, character=""))
    found = subjects_of(corpus(rows), 3, "en")
    assert [(s.id, s.person, numbers(s.passages)) for s in found] == [
        ("w/anna 1", "w/anna", [0, 1, 2]),
        ("w/anna 2", "w/anna", [3, 4, 5]),
        ("w/ben 1", "w/ben", [0, 1, 2]),
    ]
    assert found[0].poles == tuple(POLES) and found[2].poles == ()
    assert {s.language for s in found} == {"en"}


def test_the_order_of_characters_changes_nothing() -> None:
    anna, ben = [speech(i) for i in range(4)], [speech(i, "w/ben") for i in range(4)]
    assert subjects_of(corpus(anna + ben), 2, "en") == subjects_of(corpus(ben + anna), 2, "en")


def test_characters_that_say_too_little_are_an_error_with_a_way_out() -> None:
    with pytest.raises(UserError, match=r"says 8 speeches .* in 'en'; the most is 5. .*en, zh"):
        subjects_of(corpus([speech(i) for i in range(5)]), 8, "en")
    with pytest.raises(UserError, match="in 'de'; the most is 0"):
        subjects_of(corpus([speech(i) for i in range(5)]), 2, "de")


def test_a_set_has_two_halves() -> None:
    with pytest.raises(UserError, match=r"two passages at least.*got 1"):
        subjects_of(corpus([speech(0)]), 1, "en")
