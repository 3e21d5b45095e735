"""Copies of a frozen model that share its weights, so that each contender has hooks of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import nn


def sharing(model: Any) -> Any:
    """A copy of a model with modules of its own and the very same tensors.

    Take it before anything is installed: hooks are copied as they are.
    """
    memo: dict[int, Any] = {}
    for tensor in [*model.parameters(), *model.buffers()]:
        memo[id(tensor)] = tensor
    for module in model.modules():
        state = getattr(module, "quant_state", None)  # of a 4-bit layer: its scales
        if state is not None:
            memo[id(state)] = state
    return copy.deepcopy(model, memo)


def set_mode(model: Any, checkpointing: bool, context_fn: Callable[[], Any] | None = None) -> None:
    """Turn gradient checkpointing on, for which layers must be in training mode, or off.

    4-bit layers stay in training mode, as the backbone leaves them: in eval mode they are repacked
    on some CPUs into what has no backward pass.

    Args:
        model: of transformers.
        checkpointing: on or off.
        context_fn: of `torch.utils.checkpoint`, where adapters live in a scope.
    """
    if checkpointing:
        settings: dict[str, Any] = {"use_reentrant": False}
        if context_fn is not None:
            settings["context_fn"] = context_fn
        model.gradient_checkpointing_enable(settings)
    else:
        model.gradient_checkpointing_disable()
    model.train(checkpointing)
    keep_unpacked(model)


def keep_unpacked(model: nn.Module) -> None:
    """Put 4-bit layers into training mode, which changes nothing else in them."""
    for module in model.modules():
        if type(module).__name__ == "Linear4bit":
            module.train()
