"""Fluency, coherency and consistency as torchmetrics.

The classes keep states, `likelihood` and `split_half` do the arithmetic.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric

from lightning_dpg.metrics.likelihood import context_gain, token_nll
from lightning_dpg.metrics.rows import OfRows
from lightning_dpg.metrics.split_half import consistency
from lightning_dpg.records import TRAITS


class TokenNLL(Metric):
    """Mean negative log-likelihood a token (`likelihood.token_nll`): low for fluent replies.

    Reduced over processes by sums of nats and tokens.
    """

    full_state_update = False
    higher_is_better = False
    nats: Tensor
    tokens: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("nats", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("tokens", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, nats: Tensor, tokens: Tensor) -> None:
        """Add replies: -log p and number of tokens of each, both (replies,)."""
        self.nats += nats.double().sum()
        self.tokens += tokens.sum()

    def compute(self) -> Tensor:
        """Nats a token, a scalar; NaN without tokens."""
        return token_nll(self.nats, self.tokens).float()


class ContextGain(Metric):
    """How much contexts raise the likelihood of replies (`likelihood.context_gain`): coherency.

    Reduced over processes by sums of nats and tokens.
    """

    full_state_update = False
    higher_is_better = True
    alone: Tensor
    given: Tensor
    tokens: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("alone", "given"):
            self.add_state(name, torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("tokens", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, alone: Tensor, given: Tensor, tokens: Tensor) -> None:
        """Add replies: -log p without and with context, and tokens, each (replies,)."""
        self.alone += alone.double().sum()
        self.given += given.double().sum()
        self.tokens += tokens.sum()

    def compute(self) -> Tensor:
        """Nats a token, a scalar; NaN without tokens."""
        return context_gain(self.alone, self.given, self.tokens).float()


class Consistency(OfRows):
    """Agreement of disjoint halves of personas' replies (`split_half.consistency`).

    Keeps the ratings, ten numbers a persona.
    """

    higher_is_better = True
    first: list[Tensor]
    second: list[Tensor]

    def __init__(self) -> None:
        super().__init__(("first", "second"), (len(TRAITS),))

    def update(self, first: Tensor, second: Tensor) -> None:
        """Add personas: ratings of either half, both (personas, 5); NaN where unscored."""
        self.add(first=first, second=second)

    def compute(self) -> Tensor:
        """Mean over traits, a scalar in [-1, 1]; NaN where it is not defined."""
        return consistency(self.rows("first"), self.rows("second")).float()
