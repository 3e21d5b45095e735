"""The naive injection: A and B of each sample repeated for each of its tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lightning_dpg.models.lora import Adapters, LoRA, Site


class Repeating:
    """Hooks that treat every token as a sample of its own, to be measured against.

    Args:
        model: where hooks are installed.
        sites: at which layers.
    """

    def __init__(self, model: nn.Module, sites: Sequence[Site]) -> None:
        self._active: dict[str, LoRA] | None = None
        self._dtype = next(p.dtype for p in model.parameters() if p.is_floating_point())
        for site in sites:
            model.get_submodule(site.name).register_forward_hook(self._hook(site.name))

    @contextmanager
    def scope(self, adapters: Adapters) -> Iterator[None]:
        """Adapters of a batch in force until the block ends; a backward pass belongs inside."""
        self._active = {name: lora.to(self._dtype) for name, lora in adapters.items()}
        try:
            yield
        finally:
            self._active = None

    def _hook(self, name: str):  # type: ignore[no-untyped-def]
        def add_delta(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            del module
            if self._active is None:
                return output
            return output + repeated_delta(inputs[0].to(output.dtype), self._active[name])

        return add_delta


def repeated_delta(x: Tensor, lora: LoRA) -> Tensor:
    """B(Ax) of every token with matrices of its own.

    Args:
        x: (batch, tokens, in_features).
        lora: of scale 1, with A and B for each sample.

    Returns:
        (batch, tokens, out_features).
    """
    tokens = x.shape[1]
    a = lora.a.repeat_interleave(tokens, dim=0)  # (batch · tokens, r, in_features)
    b = lora.b.repeat_interleave(tokens, dim=0)
    low = torch.bmm(a, x.reshape(-1, x.shape[-1], 1))
    return torch.bmm(b, low).reshape(*x.shape[:2], -1)
