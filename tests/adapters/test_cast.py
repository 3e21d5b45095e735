"""Personas as people write them: tables and options, and every mistake named at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.adapters.cast import make_blend, read_cast
from lightning_dpg.adapters.parts import Blend, Part
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile
from tests.test_imports import matching, reaches

HEADER = "name,openness,conscientiousness,extraversion,agreeableness,neuroticism"
FULL = f"{HEADER},character,weight,strength"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "cast.csv"


def profile(*scores: float) -> Profile:
    return Profile(scores)


def read(table: Path, *lines: str, encoding: str = "utf-8") -> list[Blend]:
    table.write_text("\n".join(lines) + "\n", encoding=encoding)
    return read_cast(table)


def mistakes(table: Path, *lines: str) -> list[str]:
    with pytest.raises(UserError) as caught:
        read(table, *lines)
    first, *rest = str(caught.value).splitlines()
    assert first == f"{table} cannot be read as personas:"
    return [line.strip() for line in rest]


def test_mistakes_are_told_before_anything_large_is_imported() -> None:
    assert not matching(reaches("adapters/cast"), {"torch", "transformers", "numpy"})


def test_five_scores_and_a_name_are_enough(table: Path) -> None:
    anna, ben = read(table, HEADER, "Anna,4,-2,3,0,-4", "", "Ben,0,0,0.5,-5,5")
    assert anna == Blend("Anna", (Part(profile(4, -2, 3, 0, -4)),))
    assert ben == Blend("Ben", (Part(profile(0, 0, 0.5, -5, 5)),))


def test_columns_in_any_order_with_a_spreadsheets_mark(table: Path) -> None:
    header = "Character, NAME ,strength,neuroticism,agreeableness,extraversion,conscientiousness,"
    lines = [f"{header}openness", '"A baker, ""Crumb"",\nwho sings",安娜,0.5,1,2,3,4,5']
    (found,) = read(table, *lines, encoding="utf-8-sig")
    part = Part(profile(5, 4, 3, 2, 1), 'A baker, "Crumb",\nwho sings')
    assert found == Blend("安娜", (part,), 0.5)


def test_lines_of_one_name_are_blended(table: Path) -> None:
    trio, ben, pair = read(
        table,
        FULL,
        "trio,1,0,0,0,0,One.,,",
        "Ben,2,0,0,0,0,,-0.5,2",
        "trio,3,0,0,0,0,,,",
        "pair,4,0,0,0,0,,0.8,",
        "trio,5,0,0,0,0,,,",
        "pair,-4,0,0,0,0,Two.,-0.3,1.5",
    )
    assert [part.weight for part in trio.parts] == pytest.approx([1 / 3] * 3)
    assert [part.profile.scores[0] for part in trio.parts] == [1, 3, 5]
    assert [part.description for part in trio.parts] == ["One.", "", ""]
    assert (ben.parts[0].weight, ben.strength) == (-0.5, 2.0)
    assert [part.weight for part in pair.parts] == [0.8, -0.3] and pair.strength == 1.5


def test_every_mistake_is_named_with_its_line(table: Path) -> None:
    found = mistakes(
        table,
        FULL,
        "Anna,9,x,0,0,nan,,,",
        'Ben,0,0,0,0,0,"two\nlines",,strong',
        ",0,0,0,0,0,,,",
        "Carl,0,0,0",
        "Dora,0,0,0,0,0,,1,",
        "Dora,0,0,0,0,0,,,",
        "Emil,0,0,0,0,0,,inf,",
        "Fay,0,0,0,0,0,,,1",
        "Fay,0,0,0,0,0,,,2",
    )
    assert found == [
        "line 2: conscientiousness must be a finite number, got 'x'",
        "line 2: neuroticism must be a finite number, got 'nan'",
        "line 2: openness must lie between -5 and 5, got 9",
        "line 3: strength must be a finite number, got 'strong'",
        "line 5: the name is empty",
        "line 6: expected 9 cells, got 4 (quote commas)",
        "line 8: other lines of Dora have a weight and this has none",
        "line 9: weight must be a finite number, got 'inf'",
        "line 11: Fay has several strengths: 1, 2",
    ]


def test_a_header_that_does_not_fit_is_the_one_mistake(table: Path) -> None:
    found = mistakes(table, "name,openess,openness,openness,hair", "Anna,1,1,1,red")
    assert found == [
        "line 1: missing columns, separated by commas: conscientiousness, extraversion, "
        "agreeableness, neuroticism",
        "line 1: the column openness is there 2 times",
        "line 1: unknown column 'hair': known are name, openness, conscientiousness, "
        "extraversion, agreeableness, neuroticism, character, weight, strength",
        "line 1: unknown column 'openess': did you mean openness?",
    ]
    assert "missing columns" in mistakes(table)[0]


def test_a_quote_that_is_never_closed_is_named(table: Path) -> None:
    (found,) = mistakes(table, HEADER, "Anna,0,0,0,0,0", '"Ben,0,0,0,0,0')
    assert "no line of a CSV file" in found


def test_files_that_are_none(table: Path) -> None:
    with pytest.raises(UserError, match=r"cast\.csv cannot be read \(No such file"):
        read_cast(table)
    with pytest.raises(UserError, match="names no persona"):
        read(table, HEADER)
    with pytest.raises(UserError, match="not text in UTF-8"):
        read(table, HEADER, "Zoë,0,0,0,0,0", encoding="latin-1")


def test_options_that_are_given_again_make_a_blend() -> None:
    anna, ben = "4,-2,3,0,-4", "0,0,0,0,5"
    one = make_blend([anna], ["A captain."], strength=0.5, name="Anna")
    assert one == Blend("Anna", (Part(profile(4, -2, 3, 0, -4), "A captain."),), 0.5)
    two = make_blend([anna, ben], weights=[2.0, -1.0])
    assert [(p.profile.scores[4], p.description, p.weight) for p in two.parts] == [
        (-4, "", 2.0),
        (5, "", -1.0),
    ]
    equal = make_blend([anna, ben, ben], ["", "A baker.", ""])
    assert [part.weight for part in equal.parts] == pytest.approx([1 / 3] * 3)
    assert [part.description for part in equal.parts] == ["", "A baker.", ""]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (([],), "give --ocean"),
        ((["0,0,0,0,0"] * 2, ["one"]), "--character was given once and --ocean twice"),
        ((["0,0,0,0,0"], [], [1.0] * 3), "--weight was given 3 times and --ocean once"),
        ((["0,0,0,0,0"], [], [float("nan")]), "weight must be a finite number"),
        ((["0,0,0,0,0"], [], [], float("inf")), "strength .* must be a finite number"),
        ((["0,0,0,0,9"],), "neuroticism must lie between"),
        ((["loud"],), "five numbers"),
    ],
)
def test_options_that_do_not_fit_are_named(given: Any, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        make_blend(*given)
