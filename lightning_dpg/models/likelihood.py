"""How likely a model finds the replies of a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
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
    logits = model.get_output_embeddings()(hidden[:, :-1][inside])  # (reply tokens, vocabulary)
    nll = F.cross_entropy(logits.float(), targets[inside], reduction="none")
    row = torch.arange(len(targets), device=targets.device)[:, None].expand_as(targets)[inside]
    total = torch.zeros(len(targets), device=targets.device).index_add(0, row, nll)
    return total, inside.sum(1)
