"""The torchmetrics classes of quality: equal to the functions over updates and over processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from lightning_dpg.metrics.likelihood import context_gain, token_nll
from lightning_dpg.metrics.quality import distinct, length, loops
from lightning_dpg.metrics.refusals import refuses
from lightning_dpg.metrics.replies import Consistency, ContextGain, TokenNLL
from lightning_dpg.metrics.split_half import consistency
from lightning_dpg.metrics.text import DistinctN, Loops, Refusals, Words
from tests.metrics.conftest import InTwoProcesses

TEXTS = [
    "The cat saw the cat.",
    "no no no",
    "As an AI, I have no cat.",
    "",
    "The cat saw a dog, and the dog saw the cat.",
    "我不知道。",
    "Why?",
]
GENERATOR = torch.Generator().manual_seed(0)
TOKENS = torch.randint(1, 30, (len(TEXTS),), generator=GENERATOR)
GIVEN, ALONE = torch.rand(2, len(TEXTS), generator=GENERATOR) * 90
FIRST, SECOND = torch.randn(2, len(TEXTS), 5, generator=GENERATOR)
EXPECTED = [
    *(distinct(TEXTS, n) for n in (1, 2, 3)),
    sum(map(loops, TEXTS)) / len(TEXTS),
    sum(map(refuses, TEXTS)) / len(TEXTS),
    sum(map(length, TEXTS)) / len(TEXTS),
    token_nll(GIVEN, TOKENS).item(),
    context_gain(ALONE, GIVEN, TOKENS).item(),
    consistency(FIRST, SECOND).item(),
]
SHARES = (slice(0, 3), slice(3, 4), slice(4, 4), slice(4, 7))
"""Where the replies are cut into updates: one of silence alone, one empty."""


def values(shares: Sequence[slice]) -> list[float]:
    """All metrics over some shares of the replies."""
    texts: list[Any] = [*(DistinctN(n) for n in (1, 2, 3)), Loops(), Refusals(), Words()]
    nll, gain, agreement = TokenNLL(), ContextGain(), Consistency()
    for share in shares:
        for metric in texts:
            metric.update(TEXTS[share])
        nll.update(GIVEN[share], TOKENS[share])
        gain.update(ALONE[share], GIVEN[share], TOKENS[share])
        agreement.update(FIRST[share], SECOND[share])
    return [float(metric.compute()) for metric in (*texts, nll, gain, agreement)]


def test_over_updates_they_equal_the_functions() -> None:
    assert values(SHARES) == pytest.approx(EXPECTED, rel=1e-6)
    assert EXPECTED[3:5] == [1 / 7, 1 / 7] and EXPECTED[0] < EXPECTED[1] < 1


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_without_texts_there_is_nothing() -> None:
    assert torch.tensor(values([])).isnan().all()
    assert torch.tensor(values([slice(0, 0)])).isnan().all()
    assert DistinctN(4)(["one two three"]).isnan()


def test_runs_of_no_words_are_refused() -> None:
    with pytest.raises(ValueError, match="n expected a positive integer, got 0"):
        DistinctN(0)


RANKS = ((SHARES[:1], SHARES[1:]), (SHARES, ()), ((), SHARES))
"""What each of two processes has: once both some, then one of them nothing at all."""


def reduced_in(rank: int) -> list[list[float]]:
    """In one of two processes: all metrics of its shares, put together with the other's."""
    return [values(shares[rank]) for shares in RANKS]


def test_two_processes_reduce_to_what_one_gets(in_two_processes: InTwoProcesses) -> None:
    for found in in_two_processes["quality"]:
        assert len(found) == len(RANKS)
        for reduced in found:
            assert reduced == pytest.approx(EXPECTED, rel=1e-6)
    alone = values(RANKS[0][0])
    assert all(a != pytest.approx(e) for a, e in zip(alone, EXPECTED, strict=True))
