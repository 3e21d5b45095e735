"""Things that people say to one another in everyday situations, none of which names a trait.

Those of `closing` are for the closing evaluation alone; those of `validation` are asked while
training and to calibrate the dials. Neither are in the bundled corpus. The same situation stands at
the same place in every language.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from lightning_dpg.data.prompts import Turn
from lightning_dpg.evaluation.bank import read_bank

LANGUAGE = "en"
"""Of questions where none is given, and so of the replies that are rated."""


def validation(language: str) -> tuple[Turn, ...]:
    """What is asked while training, and to calibrate the dials.

    Raises:
        UserError: a language that there are no questions in.
    """
    return _turns("validation", language)


def closing(language: str) -> tuple[Turn, ...]:
    """What is asked in the closing evaluation, which asks the first of them.

    Raises:
        UserError: a language that there are no questions in.
    """
    return _turns("closing", language)


def _turns(part: str, language: str) -> tuple[Turn, ...]:
    return tuple((q["speaker"], q["text"]) for q in read_bank("questions", language)[part])


VALIDATION, CLOSING = validation(LANGUAGE), closing(LANGUAGE)


def questions_for(count: int, pool: Sequence[Turn]) -> list[Turn]:
    """The first `count` questions of the pool, which goes round where it is shorter.

    Whoever is compared is asked the same: questions call for traits, too, and would be taken for
    the person.
    """
    return [pool[i % len(pool)] for i in range(count)]


def deal(hands: int, count: int, pool: Sequence[Turn], seed: int) -> list[list[Turn]]:
    """`count` questions each for `hands` people, so that all of the pool come equally often.

    They are dealt out like cards, the whole shuffled pool before any question comes again: for
    means over people, which so rest on many questions and not on whose they were.
    """
    order = random.Random(f"{seed}/questions")
    cards: list[Turn] = []
    while len(cards) < hands * count:
        cards += order.sample(pool, len(pool))
    return [cards[i * count : (i + 1) * count] for i in range(hands)]
