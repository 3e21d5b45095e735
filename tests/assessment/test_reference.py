"""Norms by length: bands, scale, ends."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lightning_dpg.assessment.reference import (
    ASSUMED_BETWEEN,
    EDGES,
    LEAST_BETWEEN,
    SMALLEST_BAND,
    Reference,
    between_people,
    decorrelation,
)

CONTRAST = np.array([[0.5, 0.5, -1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
"""Two traits: one with two markers above and one below, one with a single marker."""


def words_of(*counts: tuple[int, int]) -> list[int]:
    """`(length, how many texts)` as one length a text."""
    return [length for length, number in counts for _ in range(number)]


def noise(texts: int, seed: int = 0) -> np.ndarray:
    """Log-probabilities of four markers with different means and spreads."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (texts, 4)) * [1.0, 2.0, 0.5, 3.0] + [-9.0, -7.0, -12.0, -4.0]


def fitted(logprobs: np.ndarray, words: list[int], people: list[str] | None = None) -> Reference:
    """Norms of texts that each somebody else said, unless `people` says who; traits unmixed."""
    norms = Reference.fit(logprobs, words, people or [str(i) for i in range(len(words))], CONTRAST)
    return replace(norms, mixing=np.eye(2).tolist())


def singly(reference: Reference, logprobs: np.ndarray, words: list[int]) -> np.ndarray:
    """The scores of people of whom one passage was read."""
    readings = reference.readings(logprobs, words)
    return np.array([reference.score(row[None]) for row in readings]).reshape(-1, 2)


@pytest.mark.parametrize(
    ("words", "bands"),
    [
        (words_of((10, 50), (25, 50), (40, 50), (100, 50)), [0, *EDGES]),
        (words_of((10, 50), (25, 50), (40, 3), (100, 50)), [0, 20, 60]),
        (words_of((10, 3), (25, 50), (40, 50), (100, 50)), [0, 35, 60]),
        (words_of((10, 50), (25, 50), (40, 50), (100, 3)), [0, 20, 35]),
        (words_of((10, 50), (200, 39)), [0]),
        (words_of((200, 300)), [0]),
        (words_of((10, 2)), [0]),
        (words_of((19, 40), (20, 40)), [0, 20]),
    ],
)
def test_a_small_band_joins_its_neighbour(words: list[int], bands: list[int]) -> None:
    reference = fitted(noise(len(words)), words)
    assert [band.words for band in reference.bands] == bands
    assert sum(band.texts for band in reference.bands) == len(words)
    if len(bands) > 1:
        assert min(band.texts for band in reference.bands) >= SMALLEST_BAND


def test_a_text_is_compared_with_its_like() -> None:
    words = words_of((10, 50), (200, 50))
    logprobs = noise(100)
    logprobs[50:] += 5.0  # everything is likelier after a long text
    reference = fitted(logprobs, words)
    for band, rows in zip(reference.bands, (logprobs[:50], logprobs[50:]), strict=True):
        assert band.mean == pytest.approx(rows.mean(0))
        assert band.spread == pytest.approx(rows.std(0))
    same = singly(reference, np.repeat(logprobs[50:51], 2, axis=0), [10, 200])
    assert abs(same[0, 1] - same[1, 1]) > 1


@pytest.mark.parametrize(("below", "at"), [(19, 20), (0, 1)])
def test_a_band_begins_at_its_words(below: int, at: int) -> None:
    words = words_of((10, 50), (25, 50))
    reference = fitted(noise(100), words)
    low, high = singly(reference, noise(1).repeat(2, 0), [below, at])
    assert (low.tolist() == high.tolist()) == (at < 20)


def test_scores_equal_the_oracle() -> None:
    logprobs, new = noise(60), noise(7, seed=1)
    reference = fitted(logprobs, [10] * 60)
    mean, spread = logprobs.mean(0), logprobs.std(0)

    def raw(row: np.ndarray, trait: int) -> float:
        z = (row - mean) / spread
        return float((z[0] + z[1]) / 2 - z[2]) if trait == 0 else float(z[3])

    for row, scores in zip(new, singly(reference, new, [10] * 7), strict=True):
        for trait in range(2):
            norm = [raw(r, trait) for r in logprobs]
            expected = 2 * (raw(row, trait) - np.mean(norm)) / np.std(norm)
            assert scores[trait] == pytest.approx(np.clip(expected, -5, 5))


def test_on_its_own_texts_the_mean_is_zero_and_the_spread_two() -> None:
    words = words_of((10, 50), (25, 60), (200, 40))
    scores = singly(fitted(noise(150), words), noise(150), words)
    assert np.abs(scores).max() < 5  # nothing is cut here
    for band in (slice(0, 50), slice(50, 110), slice(110, 150)):
        assert scores[band].mean(0) == pytest.approx([0, 0], abs=1e-9)
        assert scores[band].std(0) == pytest.approx([2, 2])


def test_one_standard_deviation_is_two_points_and_the_sign_is_that_of_the_pole() -> None:
    factor = np.array([1.0, -1.0] * 30)[:, None]
    logprobs = factor * [1.0, 1.0, -1.0, 1.0] - 8.0
    reference = fitted(logprobs, [10] * 60)
    likely_high = np.array([[-7.0, -7.0, -9.0, -8.0], [-9.0, -9.0, -7.0, -7.0]])
    assert singly(reference, likely_high, [10, 10]).tolist() == [[2, 0], [-2, 2]]
    assert singly(reference, logprobs * 1.5 + 4.0, [10] * 60)[:2].tolist() == [[3, 3], [-3, -3]]


def test_scores_are_cut_at_the_ends_of_the_scale() -> None:
    reference = fitted(noise(60), [10] * 60)
    far = noise(60).mean(0) + np.array([[100, 100, -100, 100], [-100, -100, 100, -100]])
    assert singly(reference, far, [10, 10]).tolist() == [[5, 5], [-5, -5]]


def test_a_marker_that_never_varies_breaks_nothing() -> None:
    logprobs = noise(60)
    logprobs[:, 3] = -4.0
    scores = singly(fitted(logprobs, [10] * 60), logprobs, [10] * 60)
    assert np.isfinite(scores).all()
    assert not scores[:, 1].any()
    assert scores[:, 0].any()


def test_no_text_has_no_scores() -> None:
    reference = fitted(noise(60), [10] * 60)
    assert singly(reference, np.zeros((0, 4)), []).shape == (0, 2)


def test_norms_survive_json() -> None:
    words = words_of((10, 50), (25, 60))
    reference = fitted(noise(110), words)
    assert Reference.from_dict(json.loads(json.dumps(reference.to_dict()))) == reference


@pytest.mark.parametrize("texts", [0, 1])
def test_norms_need_two_texts(texts: int) -> None:
    with pytest.raises(ValueError, match=f"Norms need at least two texts, got {texts}"):
        fitted(noise(texts), [10] * texts)


def oracle_icc(groups: list[np.ndarray]) -> float:
    """ICC(1) from the textbook's table of one-way analysis of variance."""
    everything = np.concatenate(groups)
    n, k = len(everything), len(groups)
    between = sum(len(g) * (g.mean() - everything.mean()) ** 2 for g in groups) / (k - 1)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (n - k)
    size = (n - sum(len(g) ** 2 for g in groups) / n) / (k - 1)
    return float((between - within) / (between + (size - 1) * within))


def test_the_share_between_people_is_an_intraclass_correlation() -> None:
    rng = np.random.default_rng(3)
    groups = [rng.normal(rng.normal(0, 2, 2), 1.0, (size, 2)) for size in (2, 3, 5, 9, 4)]
    people = [str(i) for i, g in enumerate(groups) for _ in g]
    found = between_people(np.concatenate([*groups, [[9.0, 9.0]]]), [*people, "single"])
    for trait in range(2):
        assert found[trait] == pytest.approx(oracle_icc([g[:, trait] for g in groups]))
    assert 0.1 < found[0] < 0.99


def test_the_share_between_people_is_that_of_the_simulation() -> None:
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(400), 12)
    readings = 0.5 * rng.normal(size=(400, 1))[people] + 0.75**0.5 * rng.normal(size=(4800, 1))
    assert between_people(readings, [str(p) for p in people]) == pytest.approx([0.25], abs=0.03)


@pytest.mark.parametrize("people", [["a"] * 60, [str(i) for i in range(60)]])
def test_without_people_to_compare_a_share_is_assumed(people: list[str]) -> None:
    assert fitted(noise(60), [10] * 60, people).between == [ASSUMED_BETWEEN] * 2


def test_noise_leaves_the_least_share() -> None:
    readings = np.tile([[1.0], [-1.0]], (20, 1))  # each person as often high as low
    assert between_people(readings, [str(i // 2) for i in range(40)]) == [LEAST_BETWEEN]


def test_the_mean_of_several_passages_is_compared_with_means_of_as_many() -> None:
    reference = replace(fitted(noise(60), [10] * 60), between=[0.25, 1.0])
    readings = np.array([[0.4, 1.0], [0.8, 2.0], [0.6, 0.0]])
    spread = (0.25 + 0.75 / 3) ** 0.5
    assert reference.score(readings) == pytest.approx([2 * 0.6 / spread, 2.0])
    assert reference.score(readings[::-1]) == pytest.approx(reference.score(readings))
    assert reference.score(readings[:1]) == pytest.approx([0.8, 2.0])


def test_of_people_of_whom_more_was_read_less_is_usual() -> None:
    reference = replace(fitted(noise(60), [10] * 60), between=[0.25, 1.0])
    readings = np.array([[0.4, 1.0], [0.8, 2.0]])
    spread = (0.25 + 0.75 / 12) ** 0.5
    assert reference.score(readings, read=12) == pytest.approx([2 * 0.6 / spread, 3.0])
    assert reference.score(readings, read=2) == pytest.approx(reference.score(readings))


def test_readings_are_uncorrelated_and_each_stays_nearest_to_its_own_trait() -> None:
    logprobs = noise(200)
    logprobs[:, 3] += 4.0 * (logprobs[:, 0] + 9.0)  # the second trait's marker goes with the first
    words = [10] * 200
    mixed = Reference.fit(logprobs, words, [str(i) for i in range(200)], CONTRAST)
    plain = replace(mixed, mixing=np.eye(2).tolist()).readings(logprobs, words)
    got = mixed.readings(logprobs, words)
    assert np.corrcoef(plain.T)[0, 1] > 0.3
    assert np.cov(got.T, bias=True) == pytest.approx(np.eye(2), abs=1e-9)
    across = np.corrcoef(got.T, plain.T)[:2, 2:]
    assert across == pytest.approx(across.T)  # what ZCA is known by: no trait comes first
    assert min(across.diagonal()) > 0.9


def test_traits_that_are_one_on_a_corpus_are_not_blown_up() -> None:
    same = np.repeat(noise(60)[:, :1], 2, axis=1)
    mixed = same @ decorrelation(same)
    assert np.isfinite(mixed).all() and mixed.std(0).max() < 1.01
    apart = np.array([[1.0, -1.0]])  # what never occurred there
    assert np.abs(apart @ decorrelation(same)).max() < 2 / same.std()
    assert np.array_equal(decorrelation(noise(39)[:, :2]), np.eye(2))  # too few to tell


def test_the_share_between_people_is_that_of_uncorrelated_readings() -> None:
    logprobs, people = noise(80), [str(i // 4) for i in range(80)]
    logprobs[:, 3] += 4.0 * (logprobs[:, 0] + 9.0)
    mixed = Reference.fit(logprobs, [10] * 80, people, CONTRAST)
    assert mixed.between == between_people(mixed.readings(logprobs, [10] * 80), people).tolist()
