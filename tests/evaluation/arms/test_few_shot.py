"""The exchanges that a few-shot prompt shows."""

from __future__ import annotations

import math
import random

import pytest

from lightning_dpg.config import Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample, make_samples, split_samples
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.arms.few_shot import LONGEST, Examples
from lightning_dpg.records import Profile

BEFORE = (("Ann", "The first turn."), ("Ben", "The last turn."))


def sample(scores: tuple[float, ...], reply: str, language: str = "en") -> Sample:
    return Sample("play/ann", "play", language, "", Profile(scores), BEFORE, reply)


def at(distance: float, reply: str, language: str = "en") -> Sample:
    """A sample so far from the middle of the scale."""
    return sample((0.0, 0.0, 0.0, 0.0, distance), reply, language)


MIDDLE = Profile((0.0,) * 5)


def test_the_nearest_are_shown_the_nearest_last_with_the_turn_before() -> None:
    examples = Examples([at(3, "three"), at(-1, "one"), at(4, "four"), at(2, "two")], 3)
    assert examples.nearest(MIDDLE, "en") == (
        ((BEFORE[1],), "three"),
        ((BEFORE[1],), "two"),
        ((BEFORE[1],), "one"),
    )
    assert len(Examples([at(1, "one")], 3).nearest(MIDDLE, "en")) == 1


def test_nearness_is_the_l2_norm_over_all_traits() -> None:
    own = random.Random(0)
    drawn = [tuple(own.uniform(-5, 5) for _ in range(5)) for _ in range(60)]
    examples = Examples([sample(scores, f"reply {i}") for i, scores in enumerate(drawn)], 3)
    for asked in ((4.0, -4.0, 3.0, 0.0, -5.0), (-1.0, 2.0, 0.5, 5.0, 4.0)):
        by_hand = sorted(range(60), key=lambda i: math.dist(asked, drawn[i]))[:3]
        shown = [reply for _, reply in examples.nearest(Profile(asked), "en")]
        assert shown == [f"reply {i}" for i in reversed(by_hand)]


def test_of_like_profiles_the_first_of_the_corpus_are_shown() -> None:
    examples = Examples([at(1, f"reply {i}") for i in range(9)], 2)
    assert [reply for _, reply in examples.nearest(MIDDLE, "en")] == ["reply 1", "reply 0"]


def test_long_replies_are_never_shown() -> None:
    fits, long = " ".join(["word"] * LONGEST), " ".join(["word"] * (LONGEST + 1))
    examples = Examples([at(0, long), at(5, fits)], 1)
    assert [reply for _, reply in examples.nearest(MIDDLE, "en")] == [fits]


def test_exchanges_are_in_the_language_that_is_asked_for() -> None:
    examples = Examples([at(0, "near"), at(5, "远", "zh")], 1)
    assert [reply for _, reply in examples.nearest(MIDDLE, "zh")] == ["远"]
    assert examples.languages == {"en", "zh"}
    with pytest.raises(UserError, match=r"no reply of training in de .*few_shot"):
        examples.nearest(MIDDLE, "de")


def test_nobody_who_is_held_out_is_shown(corpus: Corpus, config: Config) -> None:
    samples = make_samples(corpus, config.data)
    split = split_samples(samples, config.data, 0)
    examples = Examples(split["train"], len(samples))
    shown = {reply for _, reply in examples.nearest(split["test"][0].profile, "en")}
    assert shown == {sample.reply for sample in split["train"]}
    assert not shown & {sample.reply for sample in split["test"] + split["validation"]}
