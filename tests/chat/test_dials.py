"""Dials as they are typed."""

from __future__ import annotations

import pytest

from lightning_dpg.chat.dials import turn_dials
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile

START = Profile((4.0, -2.0, 3.0, 0.0, -4.0))


@pytest.mark.parametrize(
    ("typed", "scores"),
    [
        ("e=+3", (4, -2, 3, 0, -4)),
        ("e=1", (4, -2, 1, 0, -4)),
        ("e=-1.5", (4, -2, -1.5, 0, -4)),
        ("e+=1", (4, -2, 4, 0, -4)),
        ("e-=1", (4, -2, 2, 0, -4)),
        ("n+=.5", (4, -2, 3, 0, -3.5)),
        ("a-=-2", (4, -2, 3, 2, -4)),
        ("e=3 n=-2", (4, -2, 3, 0, -2)),
        ("e=3, n=-2;o=1", (1, -2, 3, 0, -2)),
        ("e = 5  n += 1", (4, -2, 5, 0, -3)),
        ("e=1 e+=1", (4, -2, 2, 0, -4)),
        ("Extraversion=0 NEURO=0", (4, -2, 0, 0, 0)),
        ("a=.1 a+=.2", (4, -2, 3, 0.3, -4)),
        ("1,2,3,4,5", (1, 2, 3, 4, 5)),
        ("-1 -2 +3 -4.5 0", (-1, -2, 3, -4.5, 0)),
        ("e＝３，n＝−2", (4, -2, 3, 0, -2)),
    ],
)
def test_dials_are_set_or_moved(typed: str, scores: tuple[float, ...]) -> None:
    assert turn_dials(START, typed).scores == scores


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("e=6", "extraversion must lie between -5 and 5, got 6"),
        ("e+=3", "extraversion must lie between -5 and 5, got 6"),
        ("1,2,3", "needs 5 scores"),
        ("1,2,3,4,9", "neuroticism must lie"),
        ("x=1", "no trait 'x': Traits: openness"),
        ("extroversion=1", "did you mean extraversion?"),
        ("e", "got 'e'"),
        ("e3", "got 'e3'"),
        ("e=", "got 'e='"),
        ("e=high", "got 'e=high'"),
        ("e==1", "got 'e==1'"),
        ("e=1,5", "got '5'"),
        ("e=nan", "got 'e=nan'"),
        ("=1", "got '=1'"),
        (",", "got ''"),
    ],
)
def test_what_is_no_dial_is_said(typed: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        turn_dials(START, typed)
    assert message in str(error.value)
