"""Peak memory of a run, and what a device has free."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary


def with_peak(run: Callable[[], Any], device: torch.device) -> tuple[Any, int]:
    """What a run gives, and the most bytes of tensors that it held beyond those at its start.

    On a GPU torch's allocator counts. On a CPU the process's own peak would not do, since memory of
    freed tensors is kept for the next ones (`models.memory`): there every operation's results are
    counted for as long as they live, but not what a kernel needs while it runs.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        result = run()
        torch.cuda.synchronize(device)
        return result, torch.cuda.max_memory_allocated(device) - before
    with _Counting() as held:
        result = run()
    return result, held.highest


def free_bytes(device: torch.device) -> int:
    """Bytes that can still be allocated."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


class _Counting(TorchDispatchMode):
    """Sees the results of every operation, those of backward passes too, until they are freed.

    Attributes:
        now: bytes of all storages that were made here and live.
        highest: the most that `now` was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.highest = 0
        self._known = WeakIdKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and count what it makes."""
        del types
        kwargs = kwargs or {}
        for tensor in _tensors((args, kwargs)):  # those of before: a result may be a view of them
            self._known.setdefault(tensor.untyped_storage(), 0)
        result = func(*args, **kwargs)
        for tensor in _tensors(result):
            storage = tensor.untyped_storage()
            if storage not in self._known:
                self._known[storage] = storage.nbytes()
                self._add(storage.nbytes())
                weakref.finalize(storage, self._add, -storage.nbytes())
        return result

    def _add(self, size: int) -> None:
        self.now += size
        self.highest = max(self.highest, self.now)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
