"""The lists of adjectives."""

from __future__ import annotations

import re

from lightning_dpg.assessment.markers import AFTER, BEFORE, MARKERS
from lightning_dpg.records import TRAITS

WORDS = [word for poles in MARKERS.values() for pole in poles for word in pole]


def test_traits_stand_in_their_order() -> None:
    assert tuple(MARKERS) == TRAITS


def test_every_trait_has_two_poles_of_at_least_eight() -> None:
    assert all(len(poles) == 2 for poles in MARKERS.values())
    assert min(len(pole) for poles in MARKERS.values() for pole in poles) >= 8


def test_no_word_stands_twice() -> None:
    assert len(WORDS) == len(set(WORDS))


def test_markers_are_plain_words_that_can_follow_the_question() -> None:
    assert all(re.fullmatch(r"[a-z]+", word) for word in WORDS)
    assert re.search(r"\w$", AFTER)  # a space and the word come next
    assert BEFORE.endswith('"') and AFTER.startswith('"')  # a passage is data, between quotes
