"""Norms: what markers score on a reference corpus, by length of text."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EDGES = (20, 35, 60)
"""Words at which a new band of length begins. Log-probabilities of adjectives drift with the length
of the text before them, and short texts scatter more: a passage is compared with its like."""
SMALLEST_BAND = 40
LEAST_VARIANCE = 0.05
"""Of a combination of standardised readings."""
LEAST_BETWEEN = 0.02
ASSUMED_BETWEEN = 0.15
"""Where a corpus has not two people with two passages each; about what the bundled one gives."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Norms for passages of at least `words` words.

    Attributes:
        words: where the band begins.
        texts: how many passages it rests on.
        mean: mean log-probability of each marker.
        spread: its standard deviation.
        center: mean of each trait's raw score.
        scale: its standard deviation.
    """

    words: int
    texts: int
    mean: list[float]
    spread: list[float]
    center: list[float]
    scale: list[float]


@dataclass(frozen=True)
class Reference:
    """Norms of an instrument on a corpus: for single passages, and for the mean of several.

    Attributes:
        contrast: (traits, markers); a row holds 1/n for the high pole's markers, -1/n for the low
            pole's.
        bands: in order of length.
        mixing: (traits, traits); what makes readings uncorrelated (`decorrelation`).
        between: for each trait, the share in (0, 1] of the variance of single passages that lies
            between people: the intraclass correlation ICC(1) of Shrout and Fleiss (1979).
    """

    contrast: list[list[float]]
    bands: list[Band]
    mixing: list[list[float]]
    between: list[float]

    @classmethod
    def fit(
        cls, logprobs: Floats, words: Sequence[int], people: Sequence[str], contrast: Floats
    ) -> Reference:
        """Norms from the log-probabilities (passages, markers) of what `people` said.

        A band with too few passages joins the one below it.

        Args:
            logprobs: (passages, markers).
            words: of each passage.
            people: who said it.
            contrast: (traits, markers).

        Raises:
            ValueError: fewer than two passages.
        """
        if len(words) < 2:
            raise ValueError(f"Norms need at least two texts, got {len(words)}")
        bands = [
            _band(low, logprobs[inside], contrast) for low, inside in _groups(np.asarray(words))
        ]
        standard = cls(contrast.tolist(), bands, [], [])._standardised(logprobs, words)
        mixing = decorrelation(standard)
        between = between_people(standard @ mixing, people)
        return cls(contrast.tolist(), bands, mixing.tolist(), between.tolist())

    def readings(self, logprobs: Floats, words: Sequence[int]) -> Floats:
        """What single passages show, (passages, traits), in standard deviations of the norms."""
        readings: Floats = self._standardised(logprobs, words) @ np.asarray(self.mixing)
        return readings

    def _standardised(self, logprobs: Floats, words: Sequence[int]) -> Floats:
        """Readings that still correlate, each against passages of like length."""
        starts = [band.words for band in self.bands]
        contrast = np.asarray(self.contrast)
        rows = []
        for row, count in zip(logprobs, words, strict=True):
            band = self.bands[max(0, bisect.bisect_right(starts, count) - 1)]
            raw = contrast @ ((row - np.asarray(band.mean)) / np.asarray(band.spread))
            rows.append((raw - np.asarray(band.center)) / np.asarray(band.scale))
        return np.asarray(rows, dtype=np.float64).reshape(len(words), len(contrast))

    def score(self, readings: Floats, read: int | None = None) -> Floats:
        """Scores (traits,) in [-5, 5] of a person from the readings (passages, traits) of passages.

        Two points a standard deviation among people of whom as many passages were read: the mean of
        n passages has the variance b + (1 - b)/n, where b is the share between people.

        Args:
            readings: (passages, traits).
            read: n of the people to compare with; None for as many as there are readings.
        """
        between = np.asarray(self.between)
        spread = np.sqrt(between + (1.0 - between) / (read or len(readings)))
        scores: Floats = np.clip(2.0 * readings.mean(0) / spread, -5.0, 5.0)
        return scores

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Reference:
        """From JSON."""
        bands = [Band(**band) for band in data["bands"]]
        return cls(data["contrast"], bands, data["mixing"], data["between"])


def decorrelation(readings: Floats) -> Floats:
    """What makes standardised readings uncorrelated and changes them least, (traits, traits).

    Adjectives mean more than one trait, and all of them say good or bad: messy and nervous come and
    go together (readings of conscientiousness and neuroticism correlate at -.5 in the bundled
    corpus, whose authors gave both independently). The inverse square root of the correlations is
    ZCA-cor of Kessy, Lewin and Strimmer (2018, "Optimal whitening and decorrelation").

    Args:
        readings: (passages, traits).
    """
    count = readings.shape[1]
    if len(readings) < SMALLEST_BAND:  # correlations of so few are mostly chance
        return np.eye(count)
    spread = positive(readings.std(0))
    standard = (readings - readings.mean(0)) / spread
    values, vectors = np.linalg.eigh(standard.T @ standard / len(readings))
    # A difference between traits that hardly occurs is left as it is, not blown up.
    values = np.where(values < LEAST_VARIANCE, 1.0, values)
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    mixing: Floats = root / spread[:, None]
    return mixing


def between_people(readings: Floats, people: Sequence[str]) -> Floats:
    """ICC(1) per trait from one-way analysis of variance with groups of unequal size, (traits,).

    People with one passage tell nothing of it and are left out.

    Args:
        readings: (passages, traits).
        people: who said each passage.
    """
    rows: dict[str, list[int]] = {}
    for row, person in enumerate(people):
        rows.setdefault(person, []).append(row)
    groups = [readings[found] for found in rows.values() if len(found) > 1]
    if len(groups) < 2:
        return np.full(readings.shape[1], ASSUMED_BETWEEN)
    sizes = np.array([len(group) for group in groups])
    total, count = sizes.sum(), len(groups)
    grand = np.concatenate(groups).mean(0)
    among = sum(len(g) * (g.mean(0) - grand) ** 2 for g in groups) / (count - 1)
    within = sum(((g - g.mean(0)) ** 2).sum(0) for g in groups) / (total - count)
    size = (total - (sizes**2).sum() / total) / (count - 1)
    variance = np.asarray(among + (size - 1) * within)
    icc = np.asarray(among - within) / np.where(variance > 0, variance, 1.0)
    return np.clip(icc, LEAST_BETWEEN, 1.0)


def _groups(length: NDArray[np.int_]) -> list[tuple[int, NDArray[np.bool_]]]:
    """Where each band begins, and which passages are in it."""
    groups: list[tuple[int, NDArray[np.bool_]]] = []
    for low, high in zip((0, *EDGES), (*EDGES, np.inf), strict=True):
        inside = (length >= low) & (length < high)
        if groups and (inside.sum() < SMALLEST_BAND or groups[-1][1].sum() < SMALLEST_BAND):
            groups[-1] = (groups[-1][0], groups[-1][1] | inside)
        else:
            groups.append((low, inside))
    if len(groups) > 1 and groups[-1][1].sum() < SMALLEST_BAND:
        _, inside = groups.pop()
        groups[-1] = (groups[-1][0], groups[-1][1] | inside)
    return groups


def _band(low: int, logprobs: Floats, contrast: Floats) -> Band:
    mean, spread = logprobs.mean(0), positive(logprobs.std(0))
    raw = ((logprobs - mean) / spread) @ contrast.T
    return Band(
        low,
        len(logprobs),
        mean.tolist(),
        spread.tolist(),
        raw.mean(0).tolist(),
        positive(raw.std(0)).tolist(),
    )


def positive(values: Floats) -> Floats:
    """Spreads, with 1 where nothing varies."""
    return np.where(values > 1e-9, values, 1.0)
