"""The likelihood of replies against a loop over all logits."""

from __future__ import annotations

import torch
from torch import Tensor

from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.likelihood import reply_nll
from lightning_dpg.models.lora import find_sites
from tests.models.conftest import random_adapters

LENGTHS = ((3, 9), (5, 7), (1, 12))
"""Where each reply begins and ends."""


def batch(pad_to: int = 12, pad: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    ids = torch.full((len(LENGTHS), pad_to), pad)
    labels = torch.full_like(ids, -100)
    for i, (start, end) in enumerate(LENGTHS):
        ids[i, :end] = torch.randint(3, 259, (end,), generator=generator)
        labels[i, start:end] = ids[i, start:end]
    return ids, labels


def by_hand(backbone: Backbone, ids: Tensor) -> list[float]:
    """Each reply alone and without padding: the sum of -log p(token | all before it)."""
    totals = []
    for i, (start, end) in enumerate(LENGTHS):
        logits = backbone.model(input_ids=ids[i : i + 1, :end]).logits[0].double()
        total = 0.0
        for position in range(start, end):
            total -= float(logits[position - 1].log_softmax(-1)[ids[i, position]])
        totals.append(total)
    return totals


@torch.no_grad()
def test_equals_a_loop_over_the_full_logits(backbone: Backbone) -> None:
    ids, labels = batch()
    nll, tokens = reply_nll(backbone.model, ids, labels)
    torch.testing.assert_close(nll, torch.tensor(by_hand(backbone, ids)))
    assert tokens.tolist() == [6, 2, 11]


@torch.no_grad()
def test_equals_the_loop_under_adapters_too_and_differs_from_the_base(backbone: Backbone) -> None:
    sites = find_sites(backbone.model, ["q", "v"])
    install(backbone.model, sites)
    ids, labels = batch()
    adapters = random_adapters(sites, 1)
    base, _ = reply_nll(backbone.model, ids, labels)
    with injected(backbone.model, adapters):
        nll, _ = reply_nll(backbone.model, ids, labels)
        expected = torch.tensor(by_hand(backbone, ids))
    torch.testing.assert_close(nll, expected)
    assert (nll - base).abs().min() > 1e-3


@torch.no_grad()
def test_padding_counts_for_nothing(backbone: Backbone) -> None:
    expected = reply_nll(backbone.model, *batch())
    for pad_to, pad in ((12, 77), (20, 0), (20, 77)):
        nll, tokens = reply_nll(backbone.model, *batch(pad_to, pad))
        torch.testing.assert_close(nll, expected[0])
        assert torch.equal(tokens, expected[1])


@torch.no_grad()
def test_prompts_are_read_but_not_counted(backbone: Backbone) -> None:
    ids, labels = batch()
    nll, tokens = reply_nll(backbone.model, ids, labels)
    ids[0, 1] = (ids[0, 1] + 1) % 256 + 3
    changed, same = reply_nll(backbone.model, ids, labels)
    assert changed[0] != nll[0] and torch.equal(changed[1:], nll[1:])
    assert torch.equal(tokens, same)


@torch.no_grad()
def test_branches_repeat_the_replies(backbone: Backbone) -> None:
    sites = find_sites(backbone.model, ["q", "v"])
    install(backbone.model, sites)
    ids, labels = batch()
    adapters = random_adapters(sites, 6)
    with injected(backbone.model, adapters, branches=2):
        nll, tokens = reply_nll(backbone.model, ids, labels, branches=2)
    with injected(backbone.model, adapters):
        expected, _ = reply_nll(backbone.model, ids.repeat(2, 1), labels.repeat(2, 1))
    torch.testing.assert_close(nll, expected)
    assert tokens.tolist() == [6, 2, 11] * 2
    assert (nll[:3] - nll[3:]).abs().min() > 1e-3


@torch.no_grad()
def test_a_row_without_a_reply_has_no_likelihood(backbone: Backbone) -> None:
    ids, labels = batch()
    labels[1] = -100
    nll, tokens = reply_nll(backbone.model, ids, labels)
    assert nll[1] == 0 and tokens.tolist() == [6, 0, 11]


def test_gives_float32_from_a_bfloat16_model(make_backbone) -> None:  # type: ignore[no-untyped-def]
    nll, _ = reply_nll(make_backbone(dtype="bfloat16").model, *batch())
    assert nll.dtype == torch.float32
