"""Dose and response from ratings made to measure."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import linregress, spearmanr

from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.dose import dose_response, saturation
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


BACKGROUNDS = [(1.0, -2.0, 3.0, 0.5, -1.0), (-3.0, 2.0, 0.0, -4.0, 5.0)]
FURTHER = dose_personas(5, BACKGROUNDS)


def test_others_stand_at_backgrounds() -> None:
    assert dose_personas(5) == FURTHER[:25] and len(FURTHER) == 75
    assert len({p.id for p in FURTHER}) == 75 == len({p.name for p in FURTHER})
    assert (FURTHER[0].id, FURTHER[0].name) == ("dose/openness/-4", "openness -4")
    assert FURTHER[25].id == "dose/1/openness/-4"
    assert FURTHER[25].target == Profile((-4.0, -2.0, 3.0, 0.5, -1.0))
    assert FURTHER[-1].id == "dose/2/neuroticism/+4"
    assert FURTHER[-1].target == Profile((-3.0, 2.0, 0.0, -4.0, 4.0))
    assert {p.kind for p in FURTHER} == {"dose"}
    with pytest.raises(UserError, match="A profile needs 5 scores"):
        dose_personas(5, [(1.0, 2.0)])
    with pytest.raises(UserError, match="must lie between"):
        dose_personas(5, [(9.0, 0.0, 0.0, 0.0, 0.0)])


def test_each_background_has_a_response_of_its_own() -> None:
    gain = {"": 1.0, "1": 0.5, "2": -0.25}

    def scores(persona: str, target: Profile) -> Rating:
        *_, where, trait, _ = ("", *persona.removeprefix("dose/").split("/"))
        shown = [0.1 * score for score in target.scores]
        shown[TRAITS.index(trait)] *= 10 * gain[where]
        return Rating(tuple(shown))

    ratings = [scores(p.id, p.target) for p in FURTHER]
    found = dose_response(FURTHER, ratings, ratings)
    alone = dose_response(FURTHER[:25], ratings[:25], ratings[:25])
    for i, trait in enumerate(TRAITS):
        first, second = found[trait].pop("backgrounds")
        assert alone[trait].pop("backgrounds") == []
        assert found[trait] == alone[trait]
        assert found[trait]["slopes"][i] == pytest.approx(1)
        assert first["background"] == list(BACKGROUNDS[0])
        assert second["background"] == list(BACKGROUNDS[1])
        assert first["doses"] == second["doses"] == [-4, -2, 0, 2, 4]
        assert first["slopes"] == pytest.approx([0.5 if j == i else 0 for j in range(5)])
        assert (first["spearman"], second["spearman"]) == pytest.approx((1, -1))
        assert (first["violations"], second["violations"]) == (0, 4)
        assert (first["saturation"], second["saturation"]) == (pytest.approx(1), None)
        assert second["measured"] == pytest.approx([1, 0.5, 0, -0.5, -1])
        assert first["profiles"][0][i - 1] == pytest.approx(0.1 * BACKGROUNDS[0][i - 1])
        assert "second_r" not in first
    json.dumps(found, allow_nan=False)


def test_steps_down_are_counted_over_scored_doses() -> None:
    measured = [-2.0, -3.0, -1.0, -1.0, 5.0, 0.5, 0.0, 3.0, 2.0]
    ratings = [Rating((m, 0.0, 0.0, 0.0, 0.0)) for m in measured]
    ratings[4] = Rating.unscored("too short")
    found = dose_response(PERSONAS, ratings + RATINGS[9:], RATINGS)
    assert found["openness"]["violations"] == 3  # staying where it was is none
    assert found["agreeableness"]["violations"] == 0
    few = dose_response(PERSONAS, [Rating.unscored("")] * 7 + RATINGS[7:], RATINGS)["openness"]
    assert few["violations"] is None and few["saturation"] is None


def test_intervals_are_those_of_resampled_doses() -> None:
    rng = np.random.default_rng(1)
    doses = np.arange(-4.0, 5.0)
    scores = 0.5 * doses + rng.normal(0, 1.5, 9)
    own = [Rating((float(s), 0.0, 0.0, 0.0, 0.0)) for s in scores]
    found = dose_response(PERSONAS, own + RATINGS[9:], RATINGS, resamples=300, seed=4)
    drawn = np.random.default_rng(4).integers(0, 9, (300, 9))
    slopes = [linregress(doses[row], scores[row]).slope for row in drawn]
    ranks = [spearmanr(doses[row], scores[row]).statistic for row in drawn]
    openness = found["openness"]
    for name, wanted in (("slope", slopes), ("spearman", ranks)):
        one = openness["intervals"][name]
        assert (one["low"], one["high"]) == pytest.approx(np.percentile(wanted, [2.5, 97.5]))
    assert openness["intervals"]["spearman"]["mean"] == pytest.approx(openness["spearman"])
    assert openness["intervals"]["slope"]["mean"] == pytest.approx(openness["slopes"][0])
    # A dial without scatter has the one slope in every resample.
    assert found["extraversion"]["intervals"]["slope"] == pytest.approx(
        {"mean": 1, "low": 1, "high": 1}
    )
    silent = [Rating.unscored("")] * 7
    assert dose_response(PERSONAS, silent + RATINGS[7:], RATINGS)["openness"]["intervals"] is None


DOSES = np.arange(-4.0, 5.0)


def test_saturation_of_known_curves() -> None:
    bent = np.where(np.abs(DOSES) <= 2, DOSES, np.sign(DOSES) * (2 + 0.25 * (np.abs(DOSES) - 2)))
    assert saturation(DOSES, 3 + 0.5 * DOSES) == pytest.approx(1)
    assert saturation(DOSES, 0.7 * bent - 1) == pytest.approx(0.25)
    assert saturation(DOSES, np.clip(DOSES, -2, 2)) == pytest.approx(0)
    assert saturation(DOSES, np.where(np.abs(DOSES) <= 2, DOSES, 4 * np.sign(DOSES) - DOSES)) == (
        pytest.approx(-1)
    )
    cubic = DOSES**3  # slopes over -2..2 and 2..4 by hand: 3.4 and 28
    assert saturation(DOSES, cubic) == pytest.approx(28 / 3.4)


def test_saturation_where_there_is_none_to_speak_of() -> None:
    assert saturation(DOSES, np.zeros(9)) is None
    assert saturation(DOSES, -DOSES) is None  # no rise that could flatten
    assert saturation(DOSES[[0, 4, 8]], DOSES[[0, 4, 8]]) is None  # one dose inside
    assert saturation(DOSES[[0, 1, 2, 4, 6]], DOSES[[0, 1, 2, 4, 6]]) == pytest.approx(1)


def test_the_frozen_model_as_control() -> None:
    null = [Rating(((-1.0) ** k, 0.5, 0.0, 0.0, 0.0)) for k in range(25)]
    null[6] = Rating.unscored("too short")
    ratings = [Rating(p.target.scores) for p in FURTHER]
    found = dose_response(FURTHER, ratings, ratings, null)
    control = found["openness"]["null"]
    assert set(control) == {"spearman", "slopes", "violations", "measured", "intervals"}
    assert control["measured"] == [1, -1, 1, -1, 1]
    assert control["violations"] == 2 and control["spearman"] == pytest.approx(0, abs=1e-9)
    assert control["slopes"] == pytest.approx([0] * 5, abs=1e-9)
    conscientious = found["conscientiousness"]["null"]
    assert conscientious["measured"] == [0.5, None, 0.5, 0.5, 0.5]
    assert conscientious["spearman"] is None
    assert "null" not in dose_response(FURTHER, ratings, ratings)["openness"]
    with pytest.raises(ValueError, match="one rating for each of 25 doses, got 24"):
        dose_response(FURTHER, ratings, ratings, null[:24])
    json.dumps(found, allow_nan=False)
