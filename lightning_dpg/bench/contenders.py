"""Who is measured: the frozen model, PEFT, the naive injection, and ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lightning_dpg.bench.cases import Work
from lightning_dpg.bench.copies import set_mode
from lightning_dpg.models.likelihood import reply_nll

FROZEN, PEFT, MIXED = "frozen", "peft_static", "peft_mixed"
NAIVE, STATIC, OURS = "repeating", "ours_static", "ours"
GENERATED = "ours_generated"
HYPERNETWORK, DPG = "ours_hypernetwork", "ours_dpg"
LABELS = {
    FROZEN: "frozen model",
    PEFT: "PEFT, one for all",
    MIXED: "PEFT, mixed batch",
    NAIVE: "repeated per token",
    STATIC: "ours, one for all",
    OURS: "ours, one a sample",
    GENERATED: "ours, as generated",
    HYPERNETWORK: "ours, hypernetwork",
    DPG: "ours, whole of DPG",
}
"""Mixed is PEFT's `adapter_names`. A hypernetwork gives each sample a B, and one A to all: such are
the adapters of `ours, as generated`, while `ours, one a sample` has an A for each. The whole of DPG
has the contrast, so twice the samples."""
BASELINE: dict[Work, str] = {"prefill": FROZEN, "decoding": FROZEN, "training": PEFT}
"""Over whom ratios are taken."""
REFERENCES = {STATIC: [PEFT], OURS: [MIXED], NAIVE: [MIXED]}
"""Who has the same adapters and must say the same: the first of them that is there. In training
PEFT has no mixed batch: `references` makes its gradients sample by sample. It also lends the
adapters of `GENERATED`, which nobody else has, to PEFT's mixed batch."""


@dataclass
class Contender:
    """A model with whatever makes it speak as several personas.

    Attributes:
        name: one of `LABELS`.
        model: is called for logits.
        inner: the transformers model in it.
        scope: adapters in force, where they live in one.
        gradients: what a training step takes gradients of; none for one that does not train.
        sampled: whether these have samples as their first axis.
        context_fn: of gradient checkpointing.
        loss: of a step, in place of the sum of the replies' NLL.
    """

    name: str
    model: Any
    inner: Any
    scope: Callable[[], AbstractContextManager[None]] = nullcontext
    gradients: Sequence[Tensor] = ()
    sampled: bool = False
    context_fn: Callable[[], Any] | None = None
    loss: Callable[[Tensor, Tensor], Tensor] | None = None

    def prepare(self, checkpointing: bool) -> None:
        """Set the model for a case."""
        set_mode(self.inner, checkpointing, self.context_fn)

    @torch.no_grad()
    def prefill(self, ids: Tensor) -> list[Tensor]:
        """Logits after the last of the tokens `ids`, (B, T): one tensor, (B, vocabulary)."""
        with self.scope():
            return [self._logits(ids, use_cache=False)]

    @torch.no_grad()
    def decode(self, ids: Tensor, cache: Any) -> list[Tensor]:
        """Read new tokens one by one and take them off the cache again.

        Args:
            ids: (B, new tokens).
            cache: of the tokens before them, for each sample.

        Returns:
            Logits after the last, one tensor, (B, vocabulary).
        """
        with self.scope():
            for place in range(ids.shape[1]):
                logits = self._logits(ids[:, place : place + 1], use_cache=True, cache=cache)
        cache.crop(-ids.shape[1])
        return [logits]

    def train(self, ids: Tensor, labels: Tensor) -> list[Tensor]:
        """Gradients of one step, by `gradients`; with an axis before where not `sampled`.

        Args:
            ids: (B, T).
            labels: (B, T), -100 outside replies.

        Raises:
            RuntimeError: something that is to be trained has no gradient.
        """
        for tensor in self.gradients:
            tensor.grad = None
        with self.scope():
            self._loss(ids, labels).backward()
        return [self._gradient(tensor) for tensor in self.gradients]

    def _gradient(self, tensor: Tensor) -> Tensor:
        if tensor.grad is None:
            raise RuntimeError(
                f"{LABELS[self.name]}: a tensor of {tuple(tensor.shape)} is not reached"
            )
        return tensor.grad if self.sampled else tensor.grad[None]

    def _loss(self, ids: Tensor, labels: Tensor) -> Tensor:
        if self.loss is not None:
            return self.loss(ids, labels)
        return reply_nll(self.inner, ids, labels)[0].sum()

    def _logits(self, ids: Tensor, **settings: Any) -> Tensor:
        output = self.model(input_ids=ids, logits_to_keep=1, **settings)
        logits: Tensor = output.logits[:, -1]
        return logits
