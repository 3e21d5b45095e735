"""Centres, spread and distances, held against their definition and against normal samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.corpus.stages.centre import (
    LEAST_SPREAD,
    distances_from_centres,
    measure_distances,
    medians_of_others,
)

Floats = Any


def cast(sizes: list[int], seed: int = 0) -> tuple[Floats, list[str], Floats]:
    """Normal parts around normal centres, whose they are, and the centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 2, (len(sizes), 5))
    spread = np.array([0.5, 1.0, 1.5, 2.0, 3.0])
    parts = [c + spread * rng.normal(size=(n, 5)) for c, n in zip(centres, sizes, strict=True)]
    people = [f"p{i}" for i, n in enumerate(sizes) for _ in range(n)]
    return np.concatenate(parts), people, centres


def middle(values: Floats) -> float:
    ordered, n = sorted(values), len(values)
    return float(ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def test_distances_follow_the_definition() -> None:
    sizes = [4, 5, 7, 1, 2]
    scores, people, _ = cast(sizes)
    centres, spread, distances = distances_from_centres(scores, people)
    deviations = []
    for i, person in enumerate(people):
        mine = [j for j, other in enumerate(people) if other == person]
        rest = [j for j in mine if j != i]
        assert list(centres[person]) == pytest.approx(list(map(middle, scores[mine].T)))
        if not rest:
            assert np.isnan(distances[i])
            continue
        apart = scores[i] - list(map(middle, scores[rest].T))
        deviations.append(apart / (1 + np.pi / (2 * len(rest) + 1)) ** 0.5)
        expected = sum((deviations[-1] / spread) ** 2) ** 0.5
        assert distances[i] == pytest.approx(expected)
    share = (np.abs(deviations) <= spread).mean(0)
    assert len(deviations) == 18 and np.abs(share - 0.6827).max() < 1 / 18


def test_medians_of_others_hold_with_equal_values() -> None:
    scores = np.random.default_rng(0).integers(-2, 3, (9, 5)).astype(float)
    for count in range(2, 10):
        found = medians_of_others(scores[:count])
        for i in range(count):
            rest = np.delete(scores[:count], i, axis=0)
            assert list(found[i]) == list(map(middle, rest.T))


def test_spread_is_the_standard_deviation_of_normal_parts_and_distance_its_quantile() -> None:
    scores, people, _ = cast([40] * 100)
    _, spread, distances = distances_from_centres(scores, people)
    assert spread == pytest.approx([0.5, 1.0, 1.5, 2.0, 3.0], rel=0.05)
    for share in (0.5, 0.9, 0.975):
        assert np.quantile(distances, share) == pytest.approx(stats.chi(5).ppf(share), rel=0.04)


@pytest.mark.parametrize("few", [2, 3, 4, 5, 8])
def test_few_parts_are_no_farther_from_their_centre_than_many(few: int) -> None:
    scores, people, _ = cast([few] * (4000 // few) + [40] * 100)
    _, _, distances = distances_from_centres(scores, people)
    beyond = distances > stats.chi(5).ppf(0.9)
    count = few * (4000 // few)
    assert beyond[:count].mean() == pytest.approx(0.1, abs=0.025)
    assert beyond[count:].mean() == pytest.approx(0.1, abs=0.025)


def test_a_quarter_of_strange_parts_moves_neither_centre_nor_spread_far() -> None:
    scores, people, _ = cast([16] * 60)
    clean, spread_before, _ = distances_from_centres(scores, people)
    strange = np.arange(len(scores)) % 4 == 0
    scores[strange] += 60.0
    centres, spread, distances = distances_from_centres(scores, people)
    assert distances[strange].min() > distances[~strange].max()
    # A mean would have moved by 15.
    assert max(np.abs(centres[p] - clean[p]).max() for p in centres) < 6.0
    assert (spread / spread_before).max() < 2.0  # a standard deviation grows by 9 to 52


def test_distances_do_not_depend_on_order_place_or_unit() -> None:
    scores, people, _ = cast([4, 6, 9])
    _, _, before = distances_from_centres(scores, people)
    order = np.random.default_rng(1).permutation(len(people))
    shuffled = scores[order] * [1, 2, 3, 4, 5] + 7.0
    _, _, after = distances_from_centres(shuffled, [people[i] for i in order])
    assert after == pytest.approx(before[order])


def test_integer_scores_of_steady_characters_have_a_spread() -> None:
    scores = np.array([[1, 0, -2, 3, 4]] * 9 + [[1, 0, -2, 3, -4]], dtype=float)
    _, spread, distances = distances_from_centres(scores, ["p"] * 10)
    assert (spread == LEAST_SPREAD).all()
    assert distances[:9].max() == 0.0 and distances[9] == pytest.approx(
        8 / (1 + np.pi / 19) ** 0.5 / LEAST_SPREAD
    )


def test_rows_get_the_distance_of_their_part(kept: Artefacts, row: Callable[..., Any]) -> None:
    scores, _, _ = cast([4, 1])
    rows = [row(f"w/{i}", "anna", dialogue_scores=list(scores[i])) for i in range(4)]
    rows.insert(1, row("w/0", "", reason="said by a group or by nobody named"))
    rows.insert(2, row("w/0", "anna", dialogue_scores=list(scores[0])))
    rows += [row("w/9", "anna"), row("w/0", "ben", dialogue_scores=list(scores[4]))]
    found = [r["distance"] for r in measure_distances(rows, kept)]
    _, _, expected = distances_from_centres(scores[:4], ["anna"] * 4)
    assert found[0] == found[2] == pytest.approx(expected[0])
    assert found[3:6] == pytest.approx(list(expected[1:]))
    assert [found[1], found[6], found[7]] == [None, None, None]
    assert all(r["distance"] is None for r in rows)  # what was given is left as it was


def test_nobody_with_two_parts_has_no_distances(kept: Artefacts, row: Callable[..., Any]) -> None:
    lone = [row("w/0", name, dialogue_scores=[1.0] * 5) for name in ("anna", "ben")]
    assert [r["distance"] for r in measure_distances(lone, kept)] == [None, None]
    unrated = [row("w/0", "anna")]
    assert measure_distances(unrated, kept) == unrated
