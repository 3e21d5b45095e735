"""Which replies are measured."""

from __future__ import annotations

from collections import Counter

from lightning_dpg.evaluation.personas import drawn_personas
from lightning_dpg.evaluation.quality.answers import spread
from lightning_dpg.evaluation.tasks.task import Item

CONTEXTS = tuple((("Friend", f"question {i}"),) for i in range(5))


def items(count: int) -> list[Item]:
    return [Item(persona, CONTEXTS) for persona in drawn_personas(count, 0)]


def said(count: int) -> list[list[str]]:
    return [[f"{who} answers {i}" for i in range(5)] for who in range(count)]


def test_every_reply_comes_with_what_it_answers() -> None:
    cast = items(2)
    picked = spread(cast, said(2), 3)
    assert [[a.reply for a in own] for own in picked] == [
        ["0 answers 0", "0 answers 1", "0 answers 2"],
        ["1 answers 0", "1 answers 3", "1 answers 4"],
    ]
    for item, own in zip(cast, picked, strict=True):
        for answer in own:
            assert answer.persona is item.persona
            assert answer.context[0][1][-1] == answer.reply[-1]


def test_all_questions_come_equally_often() -> None:
    picked = spread(items(10), said(10), 3)
    asked = Counter(answer.context for own in picked for answer in own)
    assert set(asked.values()) == {6}


def test_no_reply_comes_twice() -> None:
    assert [len(own) for own in spread(items(2), said(2), 8)] == [5, 5]
    assert spread([Item(drawn_personas(1, 0)[0], ())], [[]], 3) == [[]]
