"""What lies too far is dropped, with support, and the report says how that changes things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.config import FilterConfig
from lightning_dpg.corpus.stages.drop import distribution, drop_distant, dropped_by


@pytest.fixture
def rows(row: Callable[..., Any]) -> list[Any]:
    """Anna in five dialogues, one of them far off; Ben in three."""
    near = [row(f"w/{i}", "anna", distance=1.0 + i, dialogue_scores=[0.0] * 5) for i in range(4)]
    far = [row("w/4", "anna", distance=9.04, dialogue_scores=[5.0] * 5) for _ in range(2)]
    ben = [row(f"w/{i}", "ben", distance=9.0, dialogue_scores=[1.0] * 5) for i in range(3)]
    judged = [row("w/5", "ben", dropped="coherence: 1, 3 is needed")]
    return [*near, *far, *ben, *judged, row("w/4", "", reason="said by a group")]


def test_a_far_part_is_dropped_with_all_its_speeches(rows: list[Any], kept: Artefacts) -> None:
    result = drop_distant(rows, FilterConfig(max_distance=4.0), kept)
    why = "distance: 9.04, 4 is allowed"
    assert [r["dropped"] for r in result] == [""] * 4 + [why] * 2 + [""] * 3 + [
        "coherence: 1, 3 is needed",
        "",
    ]
    assert [{**r, "dropped": ""} for r in result] == [{**r, "dropped": ""} for r in rows]
    assert dropped_by(result) == {
        "coherence": {"dialogues": 1, "parts": 1, "speeches": 1},
        "distance": {"dialogues": 1, "parts": 1, "speeches": 2},
    }


@pytest.mark.parametrize(
    ("most", "least", "count"),
    [(None, 4, 0), (4.0, 4, 2), (3.99, 4, 3), (9.04, 4, 0), (4.0, 3, 5), (4.0, 5, 2), (4.0, 6, 0)],
)
def test_threshold_and_support_decide(
    rows: list[Any], kept: Artefacts, most: float | None, least: int, count: int
) -> None:
    result = drop_distant(rows, FilterConfig(most, least), kept)
    assert sum(r["dropped"].startswith("distance") for r in result) == count


def test_another_threshold_takes_back_what_the_first_dropped(
    rows: list[Any], kept: Artefacts
) -> None:
    strict = drop_distant(rows, FilterConfig(1.5), kept)
    assert drop_distant(strict, FilterConfig(4.0), kept) == drop_distant(
        rows, FilterConfig(4.0), kept
    )
    assert drop_distant(strict, FilterConfig(None), kept) == rows


def test_the_distribution_is_what_analysis_of_variance_gives(
    row: Callable[..., Any], kept: Artefacts
) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 1, (3, 4, 5)) + rng.normal(0, 2, (3, 1, 5))
    scores[1, 2] += 20.0
    rows = [
        row(
            f"w/{j}", f"p{i}", dialogue_scores=list(scores[i, j]), distance=float(i == 1 and j == 2)
        )
        for i in range(3)
        for j in range(4)
    ]
    lies = distribution(drop_distant(rows, FilterConfig(0.5, 2), kept))
    assert (lies["before"]["parts"], lies["after"]["parts"]) == (12, 11)
    for trait in range(5):
        groups = scores[:, :, trait]
        within = ((groups - groups.mean(1, keepdims=True)) ** 2).sum() / 9
        among = 4 * groups.mean(1).var(ddof=1)
        assert lies["before"]["within"][trait] == pytest.approx(within**0.5, abs=1e-3)
        icc = (among - within) / (among + 3 * within)
        assert lies["before"]["between"][trait] == pytest.approx(max(icc, 0.02), abs=1e-3)
        rest = [groups[0], np.delete(groups[1], 2), groups[2]]
        left = sum(((g - g.mean()) ** 2).sum() for g in rest) / 8
        assert lies["after"]["within"][trait] == pytest.approx(left**0.5, abs=1e-3)
        assert lies["after"]["between"][trait] > lies["before"]["between"][trait]


def test_one_character_has_no_share_between_characters(row: Callable[..., Any]) -> None:
    rows = [row(f"w/{i}", "anna", dialogue_scores=[float(i)] * 5) for i in range(4)]
    assert distribution(rows)["before"] == {"parts": 4, "within": None, "between": None}
    assert distribution([row("w/0", "anna")])["after"]["parts"] == 0
