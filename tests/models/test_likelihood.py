"""The likelihood of replies against a loop over all logits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.likelihood import CHUNK, reply_nll, token_implausibility, token_nll
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


def layer(bias: bool = False, dtype: torch.dtype = torch.float64) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(8, 40, bias=bias, dtype=dtype).requires_grad_(False)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("tokens", [0, 1, CHUNK, 2 * CHUNK + 3])
def test_tokens_and_their_gradients_equal_torchs_cross_entropy(tokens: int, bias: bool) -> None:
    output = layer(bias)
    hidden = torch.randn(tokens, 8, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(40, (tokens,))
    weights = torch.linspace(-1, 2, tokens)
    nll = token_nll(output, hidden, targets)
    expected = F.cross_entropy(output(hidden), targets, reduction="none")
    torch.testing.assert_close(nll, expected.float())
    (got,) = torch.autograd.grad((nll * weights).sum(), hidden)
    (wanted,) = torch.autograd.grad((expected * weights).sum(), hidden)
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-6)


def test_in_half_precision_it_is_as_near_to_the_truth_as_torch() -> None:
    output, exact = layer(dtype=torch.bfloat16), layer()
    exact.weight.data = output.weight.double()
    hidden, targets = torch.randn(300, 8).bfloat16(), torch.randint(40, (300,))
    truth = F.cross_entropy(exact(hidden.double()), targets, reduction="none").float()
    plain = F.cross_entropy(output(hidden).float(), targets, reduction="none")
    fused = token_nll(output, hidden, targets)
    assert (fused - truth).abs().max() <= 1.2 * (plain - truth).abs().max()


def test_of_sure_tokens_the_gradient_is_as_near_to_the_truth_as_torchs() -> None:
    output, exact = layer(dtype=torch.bfloat16), layer()
    exact.weight.data = output.weight.double()
    targets = torch.randint(40, (300,))
    start = (output.weight[targets] * 20 + 0.1 * torch.randn(300, 8)).bfloat16()

    def gradient(nll: Callable[[Tensor], Tensor], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        hidden = start.to(dtype).requires_grad_()
        losses = nll(hidden)
        return losses.detach(), torch.autograd.grad(losses.sum(), hidden)[0].double()

    def torchs(chosen: nn.Linear) -> Callable[[Tensor], Tensor]:
        return lambda hidden: F.cross_entropy(chosen(hidden).float(), targets, reduction="none")

    losses, truth = gradient(torchs(exact), torch.float64)
    _, plain = gradient(torchs(output), torch.bfloat16)
    _, fused = gradient(lambda hidden: token_nll(output, hidden, targets), torch.bfloat16)
    sure = losses < 0.3
    assert sure.sum() > 50
    errors = [((got - truth).norm(dim=1) / truth.norm(dim=1))[sure] for got in (fused, plain)]
    assert errors[0].median() <= 1.2 * errors[1].median()


def test_only_the_gradient_is_kept_and_without_gradients_nothing() -> None:
    kept: list[tuple[int, ...]] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tuple(tensor.shape))
        return tensor

    hidden, targets = torch.randn(5, 8, dtype=torch.float64), torch.arange(5)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        assert token_nll(layer(), hidden, targets).grad_fn is None
        hidden.requires_grad_()
        with torch.no_grad():
            assert token_nll(layer(), hidden, targets).grad_fn is None
        assert kept == []
        assert token_nll(layer(), hidden, targets).grad_fn is not None
        assert kept == [(5, 8)]  # and no logits


def test_a_second_derivative_raises_instead_of_being_wrong() -> None:
    hidden = torch.randn(5, 8, dtype=torch.float64, requires_grad=True)
    nll = token_nll(layer(), hidden, torch.arange(5))
    (first,) = torch.autograd.grad(nll.square().sum(), hidden, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


class Doubled(nn.Linear):
    """Stands for the layers of quantisation, whose weight alone does not say what they do."""

    def forward(self, hidden: Tensor) -> Tensor:
        return 2 * super().forward(hidden)


def test_an_output_layer_of_another_kind_is_called() -> None:
    output = Doubled(8, 40, bias=False).requires_grad_(False)
    hidden, targets = torch.randn(6, 8), torch.arange(6)
    expected = F.cross_entropy(2 * hidden @ output.weight.T, targets, reduction="none")
    torch.testing.assert_close(token_nll(output, hidden, targets), expected)


def test_an_output_layer_that_is_trained_gets_its_gradient() -> None:
    output = layer().requires_grad_()
    hidden, targets = torch.randn(6, 8, dtype=torch.float64), torch.arange(6)
    token_nll(output, hidden, targets).sum().backward()
    assert output.weight.grad is not None and output.weight.grad.abs().max() > 1e-3


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("tokens", [0, 1, CHUNK, 2 * CHUNK + 3])
def test_implausibility_and_its_gradient_equal_the_definition(tokens: int, bias: bool) -> None:
    output = layer(bias)
    hidden = torch.randn(tokens, 8, dtype=torch.float64, requires_grad=True)
    frozen = torch.randn(tokens, 8, dtype=torch.float64)
    weights = torch.linspace(-1, 2, tokens)
    q, p = output(hidden).softmax(-1), output(frozen).softmax(-1)
    expected = -(q * p.log()).sum(-1)
    found = token_implausibility(output, hidden, frozen)
    torch.testing.assert_close(found, expected.float())
    (got,) = torch.autograd.grad((found * weights).sum(), hidden)
    (wanted,) = torch.autograd.grad((expected * weights).sum(), hidden)
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-6)


def test_the_frozen_model_is_not_taught_to_find_things_likely() -> None:
    hidden, frozen = (torch.randn(6, 8, dtype=torch.float64, requires_grad=True) for _ in range(2))
    for output in (layer(), layer(bias=True)):
        token_implausibility(output, hidden, frozen).sum().backward()
    assert frozen.grad is None and hidden.grad is not None
