"""How long a text is, in words of both languages."""

from __future__ import annotations

import pytest

from lightning_dpg.assessment.base import count_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("... — !?", 0),
        ("Come in.", 2),
        ("Don't you dare", 3),
        ("It’s a well-known ferry-man's song", 5),
        ("24 ropes, 3.5 lamps", 5),
        ("snake_case is two", 4),
        ("Grüße, Всеволод", 2),
        ("你好世界", 2),
        ("你好吗？", 2),
        ("你", 1),
        ("我是 Tom，很高兴。", 4),
        ("one\ntwo\n\nthree", 3),
    ],
)
def test_words_are_counted(text: str, words: int) -> None:
    assert count_words(text) == words
