"""Whether replies differ by character: known effects, and none."""

from __future__ import annotations

import numpy as np
import pytest

from lightning_dpg.evaluation.descriptions import description_effect
from lightning_dpg.evaluation.personas import Persona, described_personas
from lightning_dpg.records import Profile, Rating


def rated(effect: float, characters: int = 6, replies: int = 8) -> list[list[Rating]]:
    rng = np.random.default_rng(0)
    centres = rng.normal(0, effect, (characters, 5))
    return [
        [Rating(tuple(np.clip(row, -5, 5))) for row in rng.normal(centre, 1.0, (replies, 5))]
        for centre in centres
    ]


def test_an_effect_is_found_and_none_is_not() -> None:
    some, none = description_effect(rated(1.0), 200, 0), description_effect(rated(0.0), 200, 0)
    assert some["p"] is not None and none["p"] is not None
    assert some["p"] == pytest.approx(1 / 201)
    assert none["p"] > 0.05
    assert some["explained"] is not None and some["expected"] is not None
    assert some["explained"] > 2 * some["expected"]
    assert some["expected"] == pytest.approx(5 / 47, abs=0.02)  # groups - 1 over replies - 1


def test_what_is_explained_is_a_share_of_the_sum_of_squares() -> None:
    def row(x: float) -> Rating:
        return Rating((x, 0.0, 0.0, 0.0, 0.0))

    found = description_effect([[row(1), row(3)], [row(-1), row(-3)]], 10, 0)
    assert found["explained"] == pytest.approx(16 / 20)
    assert found["replies"] == 4


def test_unscored_replies_are_left_out_and_too_few_compare_nothing() -> None:
    silent = Rating.unscored("too short")
    mixed = [[*row, silent] for row in rated(1.0)]
    assert description_effect(mixed, 50, 0) == description_effect(rated(1.0), 50, 0)
    for few in ([], [[silent]], rated(1.0)[:1], [[row[0]] for row in rated(1.0)]):
        assert description_effect(few, 50, 0)["p"] is None


def test_described_personas_stand_at_zero() -> None:
    ada = Persona("held_out/ada", "held_out", "Ada", "Keeps bees.", Profile((1.0,) * 5))
    nobody = Persona("held_out/bo", "held_out", "Bo", "", Profile((2.0,) * 5))
    (found,) = described_personas([ada, nobody])
    assert (found.id, found.kind) == ("described/held_out/ada", "described")
    assert (found.description, found.target) == ("Keeps bees.", Profile((0.0,) * 5))
