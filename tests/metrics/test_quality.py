"""Variety, loops and length, counted by hand."""

from __future__ import annotations

import math

import pytest

from lightning_dpg.metrics.quality import distinct, length, loops, ngram_code, words


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


@pytest.mark.parametrize(
    "text", ["我不知道，我不知道，我不知道，真的", "走吧走吧走吧", "一二三四五六七八九十，" * 3]
)
def test_chinese_goes_round_too(text: str) -> None:
    assert loops(text)


@pytest.mark.parametrize("text", ["哈哈哈，好好好！", "他说他说的话我没听见", "……！！！"])
def test_doubled_characters_are_speech(text: str) -> None:
    assert not loops(text)


def test_chinese_characters_are_words_of_their_own() -> None:
    assert words("我在 Shanghai 上班。") == ["我", "在", "shanghai", "上", "班", "。"]
    assert distinct(["我是我"], 1) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("It rained, and - it's true - it rained.", 9),
        ("我不知道，你呢？", 3),
        ("“我在上海的 office 上班。”", 5),
        ("好……", 1),
    ],
)
def test_length_counts_two_characters_as_a_word(text: str, count: int) -> None:
    assert length(text) == count


def test_codes_tell_ngrams_apart_and_stay_the_same() -> None:
    assert ngram_code(("a", "b")) == ngram_code(("a", "b"))
    assert (
        len({ngram_code(gram) for gram in (("a", "b"), ("b", "a"), ("ab",), ("a", "b", ""))}) == 4
    )
    assert ngram_code(("the", "cat")) == -3926168773973662691  # whatever process, whatever day
