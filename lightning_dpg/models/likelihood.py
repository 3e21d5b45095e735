"""How likely a model finds the replies of a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from lightning_dpg.data.collate import IGNORED


def reply_nll(
    model: Any, input_ids: Tensor, labels: Tensor, branches: int = 1
) -> tuple[Tensor, Tensor]:
    """Negative log-likelihood of each reply, and its number of tokens; each (B · branches,).

    Args:
        model: causal language model with `get_decoder` and `get_output_embeddings`.
        input_ids: (B, T), padded on the right.
        labels: (B, T), -100 outside replies.
        branches: how many times the scope of adapters repeats the batch.
    """
    hidden, targets, inside = reply_positions(model, input_ids, labels, branches)
    nll = token_nll(model.get_output_embeddings(), hidden, targets)
    return by_reply(nll, inside), inside.sum(1)


def reply_positions(
    model: Any, input_ids: Tensor, labels: Tensor, branches: int = 1
) -> tuple[Tensor, Tensor, Tensor]:
    """Where the tokens of replies are predicted.

    Padding is on the right, where a causal model never looks, so no mask is needed. Only positions
    that predict a token of a reply pass through the output layer: on a small model with a large
    vocabulary that layer costs a third of the forward pass.

    It takes what `reply_nll` takes.

    Returns:
        Hidden states there, (tokens, width); the tokens predicted, (tokens,); and which positions
        they are, (B · branches, T - 1).
    """
    hidden = model.get_decoder()(input_ids=input_ids, use_cache=False).last_hidden_state
    targets = labels[:, 1:].repeat(branches, 1)
    inside = targets != IGNORED
    return hidden[:, :-1][inside], targets[inside], inside


def by_reply(values: Tensor, inside: Tensor) -> Tensor:
    """Sums over each reply, (replies,), of values of its tokens, (tokens,), at positions inside."""
    row = torch.arange(len(inside), device=inside.device)[:, None].expand_as(inside)[inside]
    return torch.zeros(len(inside), device=inside.device).index_add(0, row, values)


def token_nll(output_layer: nn.Module, hidden: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of target tokens, (tokens,) in float32.

    A plain frozen layer is not called: its weights are used, and its hooks do not run. The one
    that a backbone has there (`_freeze`) makes the input contiguous, as the tokens picked here are.

    Args:
        output_layer: from hidden states to logits.
        hidden: (tokens, width), before the output layer.
        targets: (tokens,).
    """
    if _is_plain(output_layer):
        nll: Tensor = _FusedNLL.apply(hidden, output_layer.weight, targets)
        return nll
    return F.cross_entropy(output_layer(hidden).float(), targets, reduction="none")


def token_implausibility(output_layer: nn.Module, hidden: Tensor, frozen: Tensor) -> Tensor:
    """How unlikely the frozen model finds what the adapted one would say, (tokens,) in float32.

    It is the expected negative log-likelihood -Σ q(v) log p(v) of the next token v, drawn from the
    adapted model's q, under the frozen model's p.

    Args:
        output_layer: from hidden states to logits.
        hidden: (tokens, width) of the adapted model.
        frozen: (tokens, width) of the frozen model at the same positions.
    """
    if _is_plain(output_layer):
        expected: Tensor = _FusedImplausibility.apply(hidden, output_layer.weight, frozen)
        return expected
    chances: Tensor = output_layer(hidden).float().softmax(-1)
    known: Tensor = output_layer(frozen).float().log_softmax(-1).detach()
    return -(chances * known).sum(-1)


def _is_plain(layer: nn.Module) -> bool:
    return type(layer) is nn.Linear and layer.bias is None and not layer.weight.requires_grad


CHUNK = 128
"""Tokens whose logits are held at a time: with 49,152 words they take 25 MB, and up to 32 MB the
allocator gives the same memory out again instead of asking the system for new pages every time."""


class _FusedNLL(torch.autograd.Function):
    """Output layer and cross-entropy in one, for a frozen layer without bias.

    The gradient of each token's NLL with respect to its hidden state is made in the forward pass,
    while the token's probabilities are at hand, so that no logits are kept: a third less time at
    800 tokens and 49,152 words. Second derivatives are not supported.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        """hidden: (tokens, width). weight: (vocabulary, width). targets: (tokens,)."""
        nll = hidden.new_empty(len(targets), dtype=torch.float32)
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(targets), CHUNK):
            part = slice(start, start + CHUNK)
            logits = F.linear(hidden[part], weight).float()
            aim = targets[part, None]
            at_aim = logits.gather(1, aim)
            high = logits.amax(1, keepdim=True)
            weights = logits.sub_(high).exp_()
            total = weights.sum(1, keepdim=True)
            nll[part] = (total.log() + high - at_aim)[:, 0]
            if gradient is not None:
                error = weights.div_(total).scatter_add_(1, aim, -torch.ones_like(at_aim))
                # The 1 is taken off before the product: of a sure token little is left, and the
                # difference of two products in half precision would be noise.
                gradient[part] = error.to(weight.dtype) @ weight
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return nll

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None]:
        """outer: gradient of each token's NLL, (tokens,)."""
        (gradient,) = ctx.saved_tensors
        return (gradient * outer[0][:, None]).to(gradient.dtype), None, None


class _FusedImplausibility(torch.autograd.Function):
    """Output layer and `token_implausibility` in one, in the manner of `_FusedNLL`.

    With E the expected value, its derivative by a logit is -q (log p + E).
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, frozen: Tensor) -> Tensor:
        """hidden, frozen: (tokens, width). weight: (vocabulary, width)."""
        expected = hidden.new_empty(len(hidden), dtype=torch.float32)
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(hidden), CHUNK):
            part = slice(start, start + CHUNK)
            known = F.linear(frozen[part], weight).float().log_softmax(-1)
            chances = F.linear(hidden[part], weight).float().softmax(-1)
            expected[part] = -torch.linalg.vecdot(chances, known)
            if gradient is not None:
                error = known.add_(expected[part, None]).mul_(chances)
                gradient[part] = -(error.to(weight.dtype) @ weight)
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return expected

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None]:
        """outer: gradient of each token's value, (tokens,)."""
        (gradient,) = ctx.saved_tensors
        return (gradient * outer[0][:, None]).to(gradient.dtype), None, None
