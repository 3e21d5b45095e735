"""Who comes how often in a resample."""

from __future__ import annotations

import numpy as np
import pytest

from lightning_dpg.evaluation.statistics.resampling import draws, grouped

WHOSE = ["mara", "ossi", "mara", "tilde", "mara", "tilde"]


def test_characters_are_numbered_as_they_come() -> None:
    assert grouped(6, WHOSE) == (0, 1, 0, 2, 0, 2)
    assert grouped(3, None) == (0, 1, 2)


def test_a_character_comes_whole() -> None:
    weights = draws(6, WHOSE, 300, 0)
    assert weights is not None and weights.shape == (300, 6)
    for same in ([0, 2, 4], [3, 5]):
        assert (weights[:, same] == weights[:, same[:1]]).all()
    assert (weights[:, [0, 1, 3]].sum(1) == 3).all()  # as many characters as there are
    assert weights[:, [0, 1, 3]].mean(0) == pytest.approx(np.ones(3), abs=0.15)
    assert len(np.unique(weights, axis=0)) == 10  # ways to draw 3 of 3 with replacement


def test_the_same_draws_for_the_same_seed_and_characters() -> None:
    first, again = draws(6, WHOSE, 50, 0), draws(6, [w.upper() for w in WHOSE], 50, 0)
    other = draws(6, WHOSE, 50, 1)
    assert first is not None and again is not None and other is not None
    assert (first == again).all() and not (first == other).all()


def test_one_character_cannot_be_resampled() -> None:
    assert draws(3, ["mara"] * 3, 10, 0) is None
    assert draws(1, None, 10, 0) is None
    assert draws(0, None, 10, 0) is None


def test_clusters_of_other_personas_are_refused() -> None:
    with pytest.raises(ValueError, match="one for each of 5 personas, got 6"):
        draws(5, WHOSE, 10, 0)
