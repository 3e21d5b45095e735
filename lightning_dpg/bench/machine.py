"""The machine that numbers come from, by name."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
import torch

from lightning_dpg import __version__

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes")


def machine(device: torch.device) -> dict[str, Any]:
    """Processor, cores, threads, memory, device and versions, as JSON has them."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "device": str(device),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "cpu": _cpu(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": _cores(),
        "threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_before": load,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "lightning_dpg": __version__,
        "versions": {name: _version(name) for name in PACKAGES},
    }


def bandwidth(device: torch.device, size: int = 2**28, repeats: int = 5) -> float:
    """Bytes a second that the device reads, by the best of some sums over a large tensor.

    Args:
        device: whose memory.
        size: bytes, more than caches hold.
        repeats: how often.
    """
    numbers = torch.ones(size // 4, device=device)
    numbers.sum()  # the first pass may still be mapping pages
    return size / min(seconds(lambda: numbers.sum(), device) for _ in range(repeats))


def seconds(run: Callable[[], Any], device: torch.device) -> float:
    """Wall time of one run."""
    wait_for(device)
    start = time.perf_counter()
    run()
    wait_for(device)
    return time.perf_counter() - start


def wait_for(device: torch.device) -> None:
    """Until the device has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
