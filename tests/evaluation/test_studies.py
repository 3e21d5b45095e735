"""The studies of DPG alone: who rates what, and which question a reply answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lightning_dpg.config import Config
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.personas import (
    Persona,
    described_personas,
    dose_personas,
    drawn_personas,
)
from lightning_dpg.evaluation.questions import CLOSING
from lightning_dpg.evaluation.studies import described_answers, studies
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.records import TRAITS, Profile, Rating

COUNT = 3
CAST = [
    Persona(f"held_out/{n}", "held_out", n, f"{n} keeps bees.", Profile((1.0,) * 5)) for n in "abc"
]
PERSONAS = [*CAST, *drawn_personas(2, 0), *dose_personas(3), *described_personas(CAST)]
SAID = {p.id: [f"{p.name} says {i}." for i in range(COUNT)] for p in PERSONAS}


class Counting:
    """Scores that say who rated: a constant, and a little for the order of persons."""

    identity = "counting"

    def __init__(self, base: float) -> None:
        self.base, self.seen = base, [[""]]

    def rate(self, persons: Sequence[Sequence[str]], *rest: Any, **more: Any) -> list[Rating]:
        self.seen = [list(person) for person in persons]
        return [Rating((self.base + i / 100,) * 5) for i in range(len(persons))]


@pytest.fixture
def found(config: Config, backbone: Backbone) -> tuple[dict[str, Any], dict[str, Counting]]:
    config.evaluation.replies_per_persona, config.evaluation.bootstrap = COUNT, 20
    cast = {"judge": Counting(0.0), "reader": Counting(1.0), "second": Counting(-1.0)}
    ratings = cast["judge"].rate([SAID[p.id] for p in PERSONAS])
    made = studies(config, PERSONAS, ratings, SAID, backbone, Instruments(**cast))
    return made, cast


def test_the_second_instrument_rates_doses_and_the_reader_single_replies(found: Any) -> None:
    made, cast = found
    assert cast["second"].seen == [SAID[p.id] for p in PERSONAS if p.kind == "dose"]
    described = [p.id for p in PERSONAS if p.kind == "described"]
    assert cast["reader"].seen == [[reply] for person in described for reply in SAID[person]]
    assert len(cast["judge"].seen) == len(PERSONAS)  # asked by the fixture alone
    for trait in TRAITS:
        assert made["dose_response"][trait]["second_r"] == pytest.approx(1)
    assert made["descriptions"]["traits"]["replies"] == len(described) * COUNT
    assert made["descriptions"]["words"]["p"] is not None


def test_all_characters_answer_the_same_questions() -> None:
    answers = described_answers(PERSONAS, SAID, COUNT)
    asked = [text for _, text in CLOSING[:COUNT]]
    assert [a.question for a in answers] == asked * len(CAST)


def test_empty_replies_are_left_out_and_nothing_compares_nothing(
    config: Config, backbone: Backbone
) -> None:
    config.evaluation.replies_per_persona = COUNT
    silent = {person: ["", *replies[1:]] for person, replies in SAID.items()}
    assert len(described_answers(PERSONAS, silent, COUNT)) == len(CAST) * (COUNT - 1)
    plain = [p for p in PERSONAS if p.kind == "drawn"]
    rater = Counting(0.0)
    made = studies(
        config, plain, rater.rate([[""]] * 2), SAID, backbone, Instruments(rater, rater, rater)
    )
    assert made["dose_response"] == {} and made["descriptions"]["words"]["p"] is None
