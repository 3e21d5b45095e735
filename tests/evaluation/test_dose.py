"""Dose and response from ratings made to measure."""

from __future__ import annotations

import pytest

from lightning_dpg.evaluation.dose import dose_response
from lightning_dpg.evaluation.personas import dose_personas
from lightning_dpg.records import TRAITS, Profile, Rating


def rated(trait: int, dose: float) -> Rating:
    """Openness answers half of what is asked, and drags neuroticism down with it."""
    scores = [0.0] * 5
    scores[trait] = dose
    if trait == 0:
        scores[0], scores[4] = 0.5 * dose + 1.0, -0.25 * dose
    if trait == 3:
        scores[3] = dose**3 / 100  # bent, but never falling
    return Rating(tuple(scores))


PERSONAS = dose_personas(9)
RATINGS = [rated(i, d) for i in range(5) for d in range(-4, 5)]


def test_nine_levels_of_each_trait_alone() -> None:
    assert len(PERSONAS) == 45
    assert len({p.id for p in PERSONAS}) == 45
    assert PERSONAS[0].target == Profile((-4.0, 0.0, 0.0, 0.0, 0.0))
    assert PERSONAS[-1].target == Profile((0.0, 0.0, 0.0, 0.0, 4.0))
    assert dose_personas(0) == []


def test_slopes_and_ranks() -> None:
    found = dose_response(PERSONAS, RATINGS, RATINGS)
    assert list(found) == list(TRAITS)
    openness = found["openness"]
    assert openness["doses"] == list(range(-4, 5))
    assert openness["measured"] == [0.5 * d + 1 for d in range(-4, 5)]
    assert openness["profiles"] == [[0.5 * d + 1, 0.0, 0.0, 0.0, -0.25 * d] for d in range(-4, 5)]
    assert openness["spearman"] == pytest.approx(1)
    assert openness["slopes"] == pytest.approx([0.5, 0, 0, 0, -0.25])
    assert found["agreeableness"]["spearman"] == pytest.approx(1)
    assert found["extraversion"]["slopes"] == pytest.approx([0, 0, 1, 0, 0])


def test_unscored_doses_are_left_out_and_too_few_have_no_slope() -> None:
    silent = Rating.unscored("too short")
    some = [silent if i in (0, 4) else r for i, r in enumerate(RATINGS)]
    found = dose_response(PERSONAS, some, RATINGS)["openness"]
    assert found["measured"][0] is None and found["slopes"][0] == pytest.approx(0.5)
    none = dose_response(PERSONAS, [silent] * 7 + RATINGS[7:], RATINGS)["openness"]
    assert (none["spearman"], none["slopes"]) == (None, None)


def test_a_dial_that_moves_nothing_has_no_rank_correlation() -> None:
    still = dose_response(PERSONAS, [Rating((1.0,) * 5)] * 45, RATINGS)["openness"]
    assert still["spearman"] is None and still["slopes"] == pytest.approx([0] * 5)


def test_what_the_second_instrument_sees_is_its_own() -> None:
    silent, still = Rating.unscored("too short"), Rating((1.0,) * 5)
    second = [*(rated(0, -d) for d in range(-4, 5)), *[still] * 9, *[silent] * 27]
    found = dose_response(PERSONAS, RATINGS, second)
    assert found["openness"]["second_r"] == pytest.approx(-1)
    assert found["openness"]["spearman"] == pytest.approx(1)
    assert found["conscientiousness"]["second_r"] is None  # it never varies
    assert found["extraversion"]["second_r"] is None
