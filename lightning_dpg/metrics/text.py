"""Counts over texts as torchmetrics: the classes keep states, `quality` and `refusals` count."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from lightning_dpg.metrics.quality import length, loops, ngram_code, ngrams
from lightning_dpg.metrics.refusals import refuses
from lightning_dpg.metrics.rows import OfRows


class TextMean(Metric):
    """The mean over texts of what is counted in each; reduced over processes by sums."""

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, texts: Sequence[str]) -> None:
        """Add texts."""
        self.total += sum(self.counted(text) for text in texts)
        self.count += len(texts)

    def compute(self) -> Tensor:
        """The mean, a scalar; NaN without texts."""
        return (self.total / self.count).float()

    @abstractmethod
    def counted(self, text: str) -> float:
        """What one text counts for."""


class Loops(TextMean):
    """Share of texts that go round in circles (`quality.loops`), in [0, 1]."""

    higher_is_better = False

    def counted(self, text: str) -> float:
        """See `quality.loops`."""
        return float(loops(text))


class Refusals(TextMean):
    """Share of texts in which an assistant speaks (`refusals.refuses`), in [0, 1]."""

    higher_is_better = False

    def counted(self, text: str) -> float:
        """See `refusals.refuses`."""
        return float(refuses(text))


class Words(TextMean):
    """Mean length of texts in words (`quality.length`)."""

    def counted(self, text: str) -> float:
        """See `quality.length`."""
        return float(length(text))


class DistinctN(OfRows):
    """Distinct-n over all texts (`quality.distinct`), in [0, 1].

    How many n-grams differ cannot be summed: two processes may have met the same. So all of them
    are kept, each as a number of 64 bits that stands for it (`quality.ngram_code`), and processes
    concatenate theirs. Among a million n-grams two share a number with a chance of 3 in 10⁸.

    Args:
        n: words of a run; 1 or more.
    """

    higher_is_better = True
    codes: list[Tensor]

    def __init__(self, n: int) -> None:
        super().__init__(("codes",), (), torch.int64)
        if n < 1:
            raise ValueError(f"n expected a positive integer, got {n}")
        self.n = n

    def update(self, texts: Sequence[str]) -> None:
        """Add texts."""
        found = [ngram_code(gram) for text in texts for gram in ngrams(text, self.n)]
        self.add(codes=torch.tensor(found, dtype=torch.int64, device=self.device))

    def compute(self) -> Tensor:
        """Different n-grams over all, a scalar; NaN where no text has n words."""
        codes = self.rows("codes")
        return torch.tensor(len(codes.unique()) / len(codes) if len(codes) else torch.nan)
