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

    Padding is on the right, where a causal model never looks, so no mask is needed. Only positions
    that predict a token of a reply pass through the output layer: on a small model with a large
    vocabulary that layer costs a third of the forward pass.

    Args:
        model: causal language model with `get_decoder` and `get_output_embeddings`.
        input_ids: (B, T), padded on the right.
        labels: (B, T), -100 outside replies.
        branches: how many times the scope of adapters repeats the batch.
    """
    hidden = model.get_decoder()(input_ids=input_ids, use_cache=False).last_hidden_state
    targets = labels[:, 1:].repeat(branches, 1)
    inside = targets != IGNORED
    nll = token_nll(model.get_output_embeddings(), hidden[:, :-1][inside], targets[inside])
    row = torch.arange(len(targets), device=targets.device)[:, None].expand_as(targets)[inside]
    total = torch.zeros(len(targets), device=targets.device).index_add(0, row, nll)
    return total, inside.sum(1)


def token_nll(output_layer: nn.Module, hidden: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of target tokens, (tokens,) in float32.

    A plain frozen layer is not called: its weights are used, and its hooks do not run. The one
    that a backbone has there (`_freeze`) makes the input contiguous, as the tokens picked here are.

    Args:
        output_layer: from hidden states to logits.
        hidden: (tokens, width), before the output layer.
        targets: (tokens,).
    """
    plain = type(output_layer) is nn.Linear and output_layer.bias is None
    if plain and not output_layer.weight.requires_grad:
        nll: Tensor = _FusedNLL.apply(hidden, output_layer.weight, targets)
        return nll
    return F.cross_entropy(output_layer(hidden).float(), targets, reduction="none")


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
