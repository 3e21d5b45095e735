"""Two processes that start at once: forks of this one, which has all modules in memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from lightning.fabric.plugins.environments.lightning import find_free_network_port

LONGEST = 240.0
"""Seconds: processes that wait for each other for ever would never end by themselves."""


def run_in_two(
    action: Callable[[int], Any], folder: Path, *, grouped: bool = True
) -> tuple[Any, Any]:
    """What an action gives in the first and in the second of two processes.

    Args:
        action: given its rank; what it returns is plain values and tensors.
        folder: an empty one.
        grouped: whether they are put into torch's group before; else they find in the environment
            what a launcher says to the processes of one machine, and have not come together yet.
    """
    context = start_two(action, folder, grouped=grouped)
    end = time.monotonic() + LONGEST
    while not context.join(timeout=1.0):
        if time.monotonic() > end:
            for process in context.processes:
                process.kill()
            raise TimeoutError(f"two processes took longer than {LONGEST:g} s")
    first, second = (torch.load(folder / f"rank{rank}.pt") for rank in (0, 1))
    return first, second


def start_two(action: Callable[[int], Any], folder: Path, *, grouped: bool = True) -> Any:
    """The two processes as they begin; it takes what `run_in_two` takes."""
    return mp.start_processes(  # type: ignore[attr-defined]
        _run,
        (action, str(folder), 0 if grouped else find_free_network_port()),
        nprocs=2,
        join=False,
        start_method="fork",
    )


def _run(rank: int, action: Callable[[int], Any], folder: str, port: int) -> None:
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    if not port:
        meeting = f"file://{folder}/rendezvous"
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    else:
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ |= {"LOCAL_RANK": str(rank), "NODE_RANK": "0", **address}
    torch.save(action(rank), f"{folder}/rank{rank}.pt")
    if dist.is_initialized():
        dist.destroy_process_group()
