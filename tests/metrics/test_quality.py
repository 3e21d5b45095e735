"""Variety and loops, counted by hand."""

from __future__ import annotations

import math

import pytest

from lightning_dpg.metrics.quality import distinct, loops


def test_distinct_counts_different_over_all() -> None:
    texts = ["the cat the cat", "A cat sat."]
    assert distinct(texts, 1) == pytest.approx(5 / 8)  # the cat a sat . of eight
    assert distinct(texts, 2) == pytest.approx(5 / 6)  # "the cat" comes twice
    assert distinct(["one"], 1) == 1


def test_ngrams_do_not_cross_texts() -> None:
    assert distinct(["a b", "c d"], 2) == 1
    assert math.isnan(distinct(["a", "b"], 2))
    assert math.isnan(distinct([], 1))


@pytest.mark.parametrize(
    "text",
    [
        "no no no",
        "well, it is so, it is so, it is so, you see",
        "Tooth tooth TOOTH!",
        "one two three four five six seven eight " * 3,
    ],
)
def test_three_times_in_a_row_is_a_loop(text: str) -> None:
    assert loops(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no no, not now",
        "it is so, and it is so, and that is it",
        "Wait... what?! !!!",
        "the road is long, the road is wide, the river is longer",
    ],
)
def test_other_repetition_is_none(text: str) -> None:
    assert not loops(text)
