"""Keeping freed memory is a setting of glibc, and nothing elsewhere."""

from __future__ import annotations

import platform
import resource

import pytest
import torch

from lightning_dpg.models.memory import keep_freed_memory

BLOCK = 2**26
"""Bytes; more than what malloc keeps by itself."""


def faults() -> int:
    """Pages that the system gave to this process so far, counted while a block comes and goes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        torch.zeros(BLOCK, dtype=torch.uint8).add_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone has the setting")
def test_a_freed_block_is_used_again() -> None:
    assert keep_freed_memory()
    faults()  # the first of them grows the heap
    assert faults() < BLOCK // 4096  # not once a block: 8 times as many without the setting


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not keep_freed_memory()
