"""Instruments for tests: a judge that reads scores out of the replies, and nothing that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.evaluation.instruments import Instruments, Panel
from lightning_dpg.records import Rating


class Reader:
    """Rates by the numbers in replies: the mean over those of a person; a silent one is unscored.

    Attributes:
        seen: whom it was asked about.
    """

    identity = "reader"

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def rate(self, persons: Sequence[Sequence[str]], *rest: Any, **more: Any) -> list[Rating]:
        self.seen += [list(person) for person in persons]
        return [self._read(" ".join(person).split()) for person in persons]

    def _read(self, words: Sequence[str]) -> Rating:
        numbers = [float(word) for word in words if word.lstrip("-").replace(".", "").isdigit()]
        if not numbers:
            return Rating.unscored("insufficient evidence")
        return Rating(tuple(np.reshape(numbers, (-1, 5)).mean(0).tolist()))


class Forgetful(Artefacts):
    """Makes everything anew."""

    def __init__(self) -> None:
        super().__init__(Path())

    def get(self, stage: str, given: Any, make: Any, reasons: Any = None) -> Any:
        return make()


def panel_of(judge: Any) -> Panel:
    """The same judge for every language, and nobody else."""
    return lambda language: Instruments(judge, judge, judge)


def saying(scores: Sequence[float]) -> str:
    """A reply that the reader reads these scores out of."""
    return " ".join(f"{score:.3f}" for score in scores)
