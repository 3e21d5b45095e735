"""What contenders are checked against that takes no part itself: PEFT with their adapters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lightning_dpg.bench.agreement import Answer
from lightning_dpg.bench.contenders import (
    GENERATED,
    HYPERNETWORK,
    NAIVE,
    OURS,
    PEFT,
    Contender,
)
from lightning_dpg.bench.stand import Stand, parts
from lightning_dpg.models.lora import Adapters


def as_generated(stand: Stand, mixed: Callable[[], Answer]) -> dict[str, Answer]:
    """What PEFT's mixed batch says with one A for all and each sample's own B.

    Args:
        stand: with the model.
        mixed: runs PEFT's mixed batch.
    """
    stand.give_mixed(stand.shared)
    try:
        return {GENERATED: mixed()}
    finally:  # memory may run out, and other cases follow
        stand.give_mixed(stand.adapters)


def gradients(
    stand: Stand, taking: Sequence[Contender], ids: Tensor, labels: Tensor
) -> dict[str, list[Tensor]]:
    """What contenders with an adapter for each sample must find.

    The loss is a sum over samples, so that each sample's gradient is that of a batch of its own.
    Those of a hypernetwork follow from its adapters' gradients by the chain rule.

    Args:
        stand: with the model.
        taking: contenders, prepared; PEFT's among them.
        ids: (B, T).
        labels: (B, T), -100 outside replies.

    Returns:
        By contender, in the order and shapes of `Contender.train`.
    """
    found = {contender.name: contender for contender in taking}
    own = _by_sample(stand, found[PEFT], stand.adapters, ids, labels)
    made = stand.generated(len(ids))
    ends, trained = parts(made), found[HYPERNETWORK].gradients
    passed = _by_sample(stand, found[PEFT], made, ids, labels)
    passed = [p.to(e.dtype).sum_to_size(e.shape) for p, e in zip(passed, ends, strict=True)]
    through = torch.autograd.grad(ends, list(trained), passed)
    return {OURS: own, NAIVE: own, HYPERNETWORK: [gradient[None] for gradient in through]}


def _by_sample(
    stand: Stand, peft: Contender, adapters: Adapters, ids: Tensor, labels: Tensor
) -> list[Tensor]:
    """Gradients of A and B, site by site, each with samples as its first axis."""
    rows = []
    try:
        for sample in range(len(ids)):
            stand.give_peft(adapters, sample)
            rows.append(peft.train(ids[sample : sample + 1], labels[sample : sample + 1]))
    finally:  # memory may run out, and other cases follow
        stand.give_peft(stand.adapters, 0)
    return [torch.cat(part) for part in zip(*rows, strict=True)]
