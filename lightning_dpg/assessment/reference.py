"""Norms: what markers score on a reference corpus, by length of text."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EDGES = (20, 35, 60, 150)
"""Words at which a new band of length begins. Log-probabilities of adjectives drift with the length
of the text before them, and short texts scatter more: a text is compared with its like."""
SMALLEST_BAND = 40

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Norms for texts of at least `words` words.

    Attributes:
        words: where the band begins.
        texts: how many texts it rests on.
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
    """Norms of an instrument on a corpus.

    Attributes:
        contrast: (traits, markers); a row holds 1/n for the high pole's markers, -1/n for the low
            pole's.
        bands: in order of length.
    """

    contrast: list[list[float]]
    bands: list[Band]

    @classmethod
    def fit(cls, logprobs: Floats, words: Sequence[int], contrast: Floats) -> Reference:
        """Norms from the log-probabilities (texts, markers) of texts with so many words each.

        A band with too few texts joins the one below it.

        Raises:
            ValueError: fewer than two texts.
        """
        if len(words) < 2:
            raise ValueError(f"Norms need at least two texts, got {len(words)}")
        length = np.asarray(words)
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
        return cls(
            contrast.tolist(), [_band(low, logprobs[inside], contrast) for low, inside in groups]
        )

    def scores(self, logprobs: Floats, words: Sequence[int]) -> Floats:
        """Trait scores (texts, traits) in [-5, 5]: two points a standard deviation of the norms."""
        starts = [band.words for band in self.bands]
        contrast = np.asarray(self.contrast)
        rows = []
        for row, count in zip(logprobs, words, strict=True):
            band = self.bands[max(0, bisect.bisect_right(starts, count) - 1)]
            raw = contrast @ ((row - np.asarray(band.mean)) / np.asarray(band.spread))
            rows.append(2.0 * (raw - np.asarray(band.center)) / np.asarray(band.scale))
        scores: Floats = np.clip(np.asarray(rows).reshape(len(words), len(contrast)), -5.0, 5.0)
        return scores

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Reference:
        """From JSON."""
        return cls(data["contrast"], [Band(**band) for band in data["bands"]])


def _band(low: int, logprobs: Floats, contrast: Floats) -> Band:
    mean, spread = logprobs.mean(0), _positive(logprobs.std(0))
    raw = ((logprobs - mean) / spread) @ contrast.T
    return Band(
        low,
        len(logprobs),
        mean.tolist(),
        spread.tolist(),
        raw.mean(0).tolist(),
        _positive(raw.std(0)).tolist(),
    )


def _positive(values: Floats) -> Floats:
    """Spreads, with 1 where nothing varies."""
    return np.where(values > 1e-9, values, 1.0)
