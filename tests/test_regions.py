"""Regions of profile space."""

from __future__ import annotations

import pytest

from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile
from lightning_dpg.regions import EVERYWHERE, Region, cover_all, parse_regions


def profile(*scores: float) -> Profile:
    return Profile(scores)


@pytest.mark.parametrize(
    ("text", "signs", "shown"),
    [
        ("E+ N-", (0, 0, 1, 0, -1), "E+ N-"),
        ("N-  E+", (0, 0, 1, 0, -1), "E+ N-"),
        ("O-", (-1, 0, 0, 0, 0), "O-"),
        ("A+ C- O+ N+ E-", (1, -1, -1, 1, 1), "O+ C- E- A+ N+"),
    ],
)
def test_a_region_is_read_and_shown(text: str, signs: tuple[int, ...], shown: str) -> None:
    region = Region.parse(text)
    assert region.signs == signs
    assert str(region) == shown
    assert Region.parse(shown) == region
    assert parse_regions([text, "O-"]) == [region, Region((-1, 0, 0, 0, 0))]


@pytest.mark.parametrize(
    "text", ["", " ", "E", "+E", "E+N-", "e+", "X+", "E+ E-", "E+ E+", "E+,N-"]
)
def test_what_is_no_region_is_named(text: str) -> None:
    with pytest.raises(UserError) as caught:
        Region.parse(text)
    message = str(caught.value)
    assert message.startswith("A region is initials of traits (O, C, E, A, N)")
    assert message.endswith(f"got {text!r}")


def test_a_profile_lies_in_a_region_by_the_signs_of_the_named_traits() -> None:
    region = Region.parse("E+ N-")
    assert profile(-5, 0, 0.1, 3, -0.1) in region
    assert profile(5, 5, 5, -5, -5) in region
    assert profile(0, 0, 1, 0, 1) not in region
    assert profile(0, 0, -1, 0, -1) not in region
    assert profile(0, 0, -1, 0, 1) not in region


def test_zero_has_no_sign() -> None:
    assert profile(1, 1, 0, 1, -1) not in Region.parse("E+ N-")
    assert profile(1, 1, 0, 1, -1) not in Region.parse("E- N-")
    assert profile(0, 0, 0, 0, 0) in Region((0,) * 5)


def test_the_region_of_a_profile_names_what_is_clear_in_it() -> None:
    assert str(Region.of(profile(-1, 0.9, 4, 0, -0.99), 1.0)) == "O- E+"
    assert str(Region.of(profile(0.5, 0, 0, 0, 0), 1.0)) == ""
    assert Region.of(profile(0, 0.1, 0, 0, 0), 0.0).signs == (0, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("regions", "all_of_it"),
    [
        ([], False),
        (["E+"], False),
        (["E+", "E-"], True),
        (["E+", "E- N+", "E- N-"], True),
        (["E+", "E- N+", "O+ E- N-"], False),
    ],
)
def test_regions_that_leave_nothing_are_found(regions: list[str], all_of_it: bool) -> None:
    assert cover_all(parse_regions(regions)) is all_of_it
    assert cover_all(parse_regions(regions), EVERYWHERE) is all_of_it


@pytest.mark.parametrize(
    ("regions", "of", "all_of_it"),
    [
        ([], "E+ N+", False),
        (["E+ N+"], "E+ N+", True),
        (["E+"], "E+ N+", True),
        (["E+ N+ A+"], "E+ N+", False),
        (["E+ N+ A+", "E+ A-"], "E+ N+", True),
        (["E-"], "E+ N+", False),
    ],
)
def test_a_region_that_others_cover_is_found(regions: list[str], of: str, all_of_it: bool) -> None:
    assert cover_all(parse_regions(regions), Region.parse(of)) is all_of_it
