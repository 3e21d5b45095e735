"""Attention by plain matrix products: on the CPU, several times as fast as torch's kernels.

Nine heads in bfloat16 on two cores, milliseconds a layer: 113 tokens forward and backward at a
batch of 16 take 11, and 47 with torch's flash kernel for CPUs; one token against 65 in the cache at
a batch of 192 takes 0.5, and 8 with that kernel.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask

NAME = "dpg_grouped"
LONGEST = 256
"""Keys up to which the matrix of all scores is kept: it grows with their square."""
UNKNOWN = ("position_bias", "softcap", "s_aux")
"""What some models ask of their attention beyond a plain one."""


def use_grouped_attention(model: PreTrainedModel) -> None:
    """Let a model attend by `grouped_attention` where it would by SDPA; masks are made as for SDPA.

    A model that SDPA does not serve (soft-capped scores, attention sinks) keeps its own attention.
    """
    if model.config._attn_implementation != "sdpa":
        return
    AttentionInterface.register(NAME, grouped_attention)
    # A name without a function for masks would get none at all, not even for padding.
    ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def grouped_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention of transformers' interface: plain attention to few keys; all else goes to SDPA.

    Args:
        module: the attention layer.
        query: (batch, heads, tokens, width).
        key: (batch, key heads, keys, width); heads is a multiple of key heads.
        value: (batch, key heads, keys, width of values).
        attention_mask: True where a token may look, (batch, 1 or heads, tokens, keys); None for
            causal attention, or for one token that sees all keys.
        dropout: of attention.
        scaling: of scores; None for 1/sqrt(width).
        options: what else the model's layers pass on.

    Returns:
        (batch, tokens, heads, width of values), and no weights.
    """
    if dropout or not _plain(module, query, key, attention_mask, options):
        output, _ = sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            dropout=dropout,
            scaling=scaling,
            **options,
        )
        return output, None
    (batch, heads, tokens, width), keys = query.shape, key.shape[2]
    groups = batch * key.shape[1]  # of heads that share a key head: their queries in one matrix
    scores = torch.bmm(query.reshape(groups, -1, width), key.reshape(groups, keys, width).mT)
    scores = scores * (width**-0.5 if scaling is None else scaling)
    scores = scores.view(batch, heads, tokens, keys)
    if attention_mask is not None:
        # Not -inf: padding that may look nowhere would be NaN, and so would all that multiplies it.
        scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
    elif tokens > 1:
        scores = scores + _future(tokens, query.dtype, query.device)
    # In half precision torch's softmax adds up in float32, and so does its matrix product.
    weights = scores.softmax(-1).view(groups, -1, keys)
    output = torch.bmm(weights, value.reshape(groups, keys, -1))
    return output.view(batch, heads, tokens, -1).transpose(1, 2).contiguous(), None


def _plain(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    options: dict[str, Any],
) -> bool:
    """Whether a layer asks for attention by scores alone, and few enough of them to keep."""
    tokens, keys = query.shape[2], key.shape[2]
    plain = (
        query.is_cpu
        and query.shape[0] == key.shape[0]
        and (tokens == 1 or keys <= LONGEST)
        and all(options.get(option) is None for option in UNKNOWN)
    )
    if mask is not None:  # it says all about who looks where
        return plain and mask.dtype == torch.bool
    window = options.get("sliding_window")
    return (
        plain
        and (tokens == 1 or (tokens == keys and _causal(module, options)))
        and (window is None or window >= keys)
    )


def _causal(module: nn.Module, options: dict[str, Any]) -> bool:
    asked = options.get("is_causal")
    return bool(getattr(module, "is_causal", True) if asked is None else asked)  # as SDPA takes it


@lru_cache(maxsize=512)
def _future(tokens: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """-inf where a token would look ahead, (tokens, tokens)."""
    with torch.inference_mode(False):  # kept, and used with gradients later
        blank = torch.full((tokens, tokens), float("-inf"), dtype=dtype, device=device)
        return blank.triu(1)
