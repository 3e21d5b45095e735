"""Which replies are rated together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.personas import drawn_personas
from lightning_dpg.evaluation.quality.halves import rate_halves
from tests.evaluation.quality.panel import Forgetful, Reader, panel_of, saying

FOUR = drawn_personas(4, 0)
CAST = [replace(p, language="zh") if i % 2 else p for i, p in enumerate(FOUR)]
SAID = [[saying([i + k / 10] * 5) for k in range(5)] for i in range(4)]


def test_odd_and_even_replies_are_two_people() -> None:
    judge = Reader()
    halves = rate_halves(FOUR, SAID, panel_of(judge), Forgetful())
    assert judge.seen == [own[::2] for own in SAID] + [own[1::2] for own in SAID]
    assert halves.first[:, 2].tolist() == pytest.approx([0.2, 1.2, 2.2, 3.2])
    assert torch.allclose(halves.second, halves.first)  # 0, .2, .4 and .1, .3
    assert halves.odd[1] == (SAID[1][0], SAID[1][2], SAID[1][4])
    assert halves.even[1] == (SAID[1][1], SAID[1][3])


def test_each_language_has_its_judge_and_the_order_is_kept() -> None:
    judges = {"en": Reader(), "zh": Reader()}
    halves = rate_halves(CAST, SAID, lambda code: Instruments(*(judges[code],) * 3), Forgetful())
    assert halves.first[:, 0].round().tolist() == [0, 1, 2, 3]
    assert judges["zh"].seen == [SAID[1][::2], SAID[3][::2], SAID[1][1::2], SAID[3][1::2]]


def test_a_half_without_words_is_unscored() -> None:
    said = [[], [saying([1.0] * 5)], *SAID[2:]]
    halves = rate_halves(FOUR, said, panel_of(Reader()), Forgetful())
    assert halves.first.isnan().all(1).tolist() == [True, False, False, False]
    assert halves.second.isnan().all(1).tolist() == [True, True, False, False]
    chosen = halves.of([3, 2])
    assert chosen.personas == (FOUR[3], FOUR[2]) and chosen.even[0] == halves.even[3]
    assert chosen.first.tolist() == halves.first[[3, 2]].tolist()


def test_nobody_is_nobody() -> None:
    halves = rate_halves([], [], panel_of(Reader()), Forgetful())
    assert halves.first.shape == halves.second.shape == (0, 5)


def test_the_same_halves_are_rated_once(tmp_path: Path) -> None:
    judge, kept = Reader(), Artefacts(tmp_path)
    first = rate_halves(FOUR, SAID, panel_of(judge), kept)
    again = rate_halves(FOUR, SAID, panel_of(judge), kept)
    assert len(judge.seen) == 8
    assert torch.equal(first.first, again.first) and torch.equal(first.second, again.second)
    rate_halves(FOUR, [[*own[::-1], ""] for own in SAID], panel_of(judge), kept)
    assert len(judge.seen) == 16
