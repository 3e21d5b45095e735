"""Norms by length: bands, scale, ends."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lightning_dpg.assessment.reference import EDGES, SMALLEST_BAND, Reference

CONTRAST = np.array([[0.5, 0.5, -1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
"""Two traits: one with two markers above and one below, one with a single marker."""


def words_of(*counts: tuple[int, int]) -> list[int]:
    """`(length, how many texts)` as one length a text."""
    return [length for length, number in counts for _ in range(number)]


def noise(texts: int, seed: int = 0) -> np.ndarray:
    """Log-probabilities of four markers with different means and spreads."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (texts, 4)) * [1.0, 2.0, 0.5, 3.0] + [-9.0, -7.0, -12.0, -4.0]


@pytest.mark.parametrize(
    ("words", "bands"),
    [
        (words_of((10, 50), (25, 50), (40, 50), (100, 50), (200, 50)), [0, *EDGES]),
        (words_of((10, 50), (25, 50), (40, 3), (100, 50), (200, 50)), [0, 20, 60, 150]),
        (words_of((10, 3), (25, 50), (40, 50), (100, 50), (200, 50)), [0, 35, 60, 150]),
        (words_of((10, 50), (25, 50), (40, 50), (100, 50), (200, 3)), [0, 20, 35, 60]),
        (words_of((10, 50), (200, 39)), [0]),
        (words_of((200, 300)), [0]),
        (words_of((10, 2)), [0]),
        (words_of((19, 40), (20, 40)), [0, 20]),
    ],
)
def test_a_small_band_joins_its_neighbour(words: list[int], bands: list[int]) -> None:
    reference = Reference.fit(noise(len(words)), words, CONTRAST)
    assert [band.words for band in reference.bands] == bands
    assert sum(band.texts for band in reference.bands) == len(words)
    if len(bands) > 1:
        assert min(band.texts for band in reference.bands) >= SMALLEST_BAND


def test_a_text_is_compared_with_its_like() -> None:
    words = words_of((10, 50), (200, 50))
    logprobs = noise(100)
    logprobs[50:] += 5.0  # everything is likelier after a long text
    reference = Reference.fit(logprobs, words, CONTRAST)
    for band, rows in zip(reference.bands, (logprobs[:50], logprobs[50:]), strict=True):
        assert band.mean == pytest.approx(rows.mean(0))
        assert band.spread == pytest.approx(rows.std(0))
    same = reference.scores(np.repeat(logprobs[50:51], 2, axis=0), [10, 200])
    assert abs(same[0, 1] - same[1, 1]) > 1


@pytest.mark.parametrize(("below", "at"), [(19, 20), (0, 1)])
def test_a_band_begins_at_its_words(below: int, at: int) -> None:
    words = words_of((10, 50), (25, 50))
    reference = Reference.fit(noise(100), words, CONTRAST)
    low, high = reference.scores(noise(1).repeat(2, 0), [below, at])
    assert (low.tolist() == high.tolist()) == (at < 20)


def test_scores_equal_the_oracle() -> None:
    logprobs, new = noise(60), noise(7, seed=1)
    reference = Reference.fit(logprobs, [10] * 60, CONTRAST)
    mean, spread = logprobs.mean(0), logprobs.std(0)

    def raw(row: np.ndarray, trait: int) -> float:
        z = (row - mean) / spread
        return float((z[0] + z[1]) / 2 - z[2]) if trait == 0 else float(z[3])

    for row, scores in zip(new, reference.scores(new, [10] * 7), strict=True):
        for trait in range(2):
            norm = [raw(r, trait) for r in logprobs]
            expected = 2 * (raw(row, trait) - np.mean(norm)) / np.std(norm)
            assert scores[trait] == pytest.approx(np.clip(expected, -5, 5))


def test_on_its_own_texts_the_mean_is_zero_and_the_spread_two() -> None:
    words = words_of((10, 50), (25, 60), (200, 40))
    scores = Reference.fit(noise(150), words, CONTRAST).scores(noise(150), words)
    assert np.abs(scores).max() < 5  # nothing is cut here
    for band in (slice(0, 50), slice(50, 110), slice(110, 150)):
        assert scores[band].mean(0) == pytest.approx([0, 0], abs=1e-9)
        assert scores[band].std(0) == pytest.approx([2, 2])


def test_one_standard_deviation_is_two_points_and_the_sign_is_that_of_the_pole() -> None:
    factor = np.array([1.0, -1.0] * 30)[:, None]
    logprobs = factor * [1.0, 1.0, -1.0, 1.0] - 8.0
    reference = Reference.fit(logprobs, [10] * 60, CONTRAST)
    likely_high = np.array([[-7.0, -7.0, -9.0, -8.0], [-9.0, -9.0, -7.0, -7.0]])
    assert reference.scores(likely_high, [10, 10]).tolist() == [[2, 0], [-2, 2]]
    assert reference.scores(logprobs * 1.5 + 4.0, [10] * 60)[:2].tolist() == [[3, 3], [-3, -3]]


def test_scores_are_cut_at_the_ends_of_the_scale() -> None:
    reference = Reference.fit(noise(60), [10] * 60, CONTRAST)
    far = noise(60).mean(0) + np.array([[100, 100, -100, 100], [-100, -100, 100, -100]])
    assert reference.scores(far, [10, 10]).tolist() == [[5, 5], [-5, -5]]


def test_a_marker_that_never_varies_breaks_nothing() -> None:
    logprobs = noise(60)
    logprobs[:, 3] = -4.0
    scores = Reference.fit(logprobs, [10] * 60, CONTRAST).scores(logprobs, [10] * 60)
    assert np.isfinite(scores).all()
    assert not scores[:, 1].any()
    assert scores[:, 0].any()


def test_no_text_has_no_scores() -> None:
    reference = Reference.fit(noise(60), [10] * 60, CONTRAST)
    assert reference.scores(np.zeros((0, 4)), []).shape == (0, 2)


def test_norms_survive_json() -> None:
    words = words_of((10, 50), (25, 60))
    reference = Reference.fit(noise(110), words, CONTRAST)
    assert Reference.from_dict(json.loads(json.dumps(reference.to_dict()))) == reference


@pytest.mark.parametrize("texts", [0, 1])
def test_norms_need_two_texts(texts: int) -> None:
    with pytest.raises(ValueError, match=f"Norms need at least two texts, got {texts}"):
        Reference.fit(noise(texts), [10] * texts, CONTRAST)
