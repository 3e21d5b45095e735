"""Nats a token, by pencil and against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lightning_dpg.metrics.likelihood import context_gain, token_nll


def test_tokens_count_alike_whatever_reply_they_stand_in() -> None:
    nats, tokens = torch.tensor([8.0, 3.0, 0.0]), torch.tensor([2, 9, 0])
    assert token_nll(nats, tokens).item() == pytest.approx(1.0)  # not (4 + 1/3) / 2
    alone = torch.tensor([10.0, 3.0, 0.0])
    assert context_gain(alone, nats, tokens).item() == pytest.approx(2 / 11)
    assert context_gain(nats, alone, tokens).item() == pytest.approx(-2 / 11)


@pytest.mark.parametrize("seed", range(3))
def test_they_equal_numpy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    given, alone = rng.exponential(50, (2, 30))
    tokens = rng.integers(0, 40, 30)
    got = token_nll(torch.tensor(given), torch.tensor(tokens)).item()
    assert got == pytest.approx(given.sum() / tokens.sum())
    gain = context_gain(torch.tensor(alone), torch.tensor(given), torch.tensor(tokens)).item()
    assert gain == pytest.approx((alone - given).sum() / tokens.sum())


def test_silence_has_no_likelihood() -> None:
    nothing = torch.zeros(2)
    assert token_nll(nothing, nothing).isnan()
    assert context_gain(nothing, nothing, nothing).isnan()
    assert token_nll(torch.zeros(0), torch.zeros(0)).isnan()


def test_shapes_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match=r"got \(3,\) and \(2,\)"):
        token_nll(torch.zeros(3), torch.zeros(2))
    with pytest.raises(ValueError, match=r"got \(3,\) and \(1,\) and \(3,\)"):  # would broadcast
        context_gain(torch.zeros(3), torch.zeros(1), torch.zeros(3))
