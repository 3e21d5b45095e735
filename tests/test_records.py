"""Profiles as people type them and as instruments measure them; ratings."""

from __future__ import annotations

import dataclasses
import math

import pytest

from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS, Profile, Rating

NAMES = "openness, conscientiousness, extraversion, agreeableness, neuroticism"


def test_traits_are_in_the_order_of_the_contract() -> None:
    assert ", ".join(TRAITS) == NAMES


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("4,-2,3,0,-4", (4, -2, 3, 0, -4)),
        (" 4 , -2.5, 3e0, +0, -4 ", (4, -2.5, 3, 0, -4)),
        ("5,5,5,5,5", (5,) * 5),
        ("-5,-5,-5,-5,-5", (-5,) * 5),
    ],
)
def test_a_profile_is_read_as_typed(text: str, scores: tuple[float, ...]) -> None:
    assert Profile.parse(text).scores == scores


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4,2", f"A profile needs 5 scores ({NAMES}), got 2: 4,2"),
        ("1,2,3,4,5,0", f"A profile needs 5 scores ({NAMES}), got 6: 1,2,3,4,5,0"),
        ("9,0,0,0,0", "The score for openness must lie between -5 and 5, got 9"),
        ("0,0,0,0,-5.1", "The score for neuroticism must lie between -5 and 5, got -5.1"),
        ("0,nan,0,0,0", "The score for conscientiousness must lie between -5 and 5, got nan"),
        ("0,0,inf,0,0", "The score for extraversion must lie between -5 and 5, got inf"),
        (
            "a,b,c,d,e",
            f"A profile is five numbers such as 4,-2,3,0,-4 ({NAMES}), got 'a' in 'a,b,c,d,e'",
        ),
        ("", f"A profile is five numbers such as 4,-2,3,0,-4 ({NAMES}), got '' in ''"),
        (
            "1,2,3,4,",
            f"A profile is five numbers such as 4,-2,3,0,-4 ({NAMES}), got '' in '1,2,3,4,'",
        ),
    ],
)
def test_a_mistyped_profile_is_an_error_that_says_what_was_given(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        Profile.parse(text)
    assert str(caught.value) == message


def test_a_profile_made_in_code_is_checked_too() -> None:
    with pytest.raises(UserError, match="agreeableness must lie between -5 and 5, got -6"):
        Profile((0.0, 0.0, 0.0, -6.0, 0.0))


def test_measured_scores_are_cut_at_the_ends_of_the_scale() -> None:
    assert Profile.cut([7, -9, 1.25, 5, -5]).scores == (5, -5, 1.25, 5, -5)


def test_cutting_makes_up_no_score() -> None:
    with pytest.raises(UserError):
        Profile.cut([math.nan, 0, 0, 0, 0])
    with pytest.raises(UserError):
        Profile.cut([1, 2])


def test_a_profile_prints_every_trait_with_its_sign() -> None:
    assert str(Profile((4, -2, 0, 0.25, -5))) == (
        "openness +4.0, conscientiousness -2.0, extraversion +0.0, agreeableness +0.2, "
        "neuroticism -5.0"
    )


def test_records_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Profile((0.0,) * 5).scores = (1.0,) * 5  # type: ignore[misc]


def test_an_unscored_rating_has_no_profile_and_is_not_zero() -> None:
    rating = Rating.unscored("insufficient evidence: 2 words")
    assert rating.scores == (None,) * 5
    assert not rating.complete
    assert rating.profile() is None
    assert rating.reason == "insufficient evidence: 2 words"


def test_one_missing_score_is_enough_for_no_profile() -> None:
    rating = Rating((1.0, 2.0, None, 0.0, 0.0), "no sign of extraversion")
    assert not rating.complete
    assert rating.profile() is None


def test_a_rating_of_zeros_is_complete() -> None:
    rating = Rating((0.0,) * 5)
    assert rating.complete
    assert rating.profile() == Profile((0.0,) * 5)


def test_a_rating_beyond_the_scale_gives_a_profile_within() -> None:
    assert Rating((6.0, -7.0, 1.0, 0.0, 0.0)).profile() == Profile((5.0, -5.0, 1.0, 0.0, 0.0))
