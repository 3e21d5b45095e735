"""Turns, percentiles, ratios and peaks of memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lightning_dpg.bench import timing
from lightning_dpg.bench.memory import free_bytes, with_peak

CPU = torch.device("cpu")


class Clock:
    """Time that passes only where somebody works."""

    def __init__(self) -> None:
        self.now, self.order, self.waited = 0.0, "", 0

    def __call__(self) -> float:
        return self.now

    def work(self, name: str, seconds: float) -> None:
        self.order += name
        self.now += seconds

    def wait(self) -> None:
        self.waited += 1


def test_everybody_runs_once_before_anybody_runs_again_with_changing_neighbours() -> None:
    clock = Clock()
    runs = {
        "a": lambda: clock.work("a", 1.0),
        "b": lambda: clock.work("b", 2.0),
        "c": lambda: clock.work("c", 4.0 + len(clock.order)),  # the machine grows slower
    }
    times = timing.interleaved(runs, 12, clock.wait, clock)
    rounds = [clock.order[i : i + 3] for i in range(0, 36, 3)]
    assert {"".join(sorted(one)) for one in rounds} == {"abc"}
    pairs = {pair for one in rounds for pair in (one[:2], one[1:])}
    assert pairs == {"ab", "ac", "ba", "bc", "ca", "cb"}  # turns that rotate have three of them
    late = [4.0 + 3 * i + one.index("c") for i, one in enumerate(rounds)]
    assert times == {"a": [1.0] * 12, "b": [2.0] * 12, "c": late}
    assert clock.waited == 2 * 36  # before and after each
    clock.order = ""
    timing.interleaved(runs, 12, clock.wait, clock)
    assert clock.order == "".join(rounds)  # the same for everyone who measures


def test_percentiles_are_numpys() -> None:
    seconds = [0.3, 0.1, 0.7, 0.2, 5.0, 0.4]
    found = timing.spread(seconds)
    assert found["p50"] == pytest.approx(np.median(seconds))
    assert found["p95"] == pytest.approx(np.percentile(seconds, 95))


def test_a_ratio_is_that_of_medians_and_pairs_stay_together() -> None:
    """Drift that meets both alike widens no interval."""
    below = np.array([1.0, 2.0, 4.0, 8.0, 3.0, 3.0])
    found = timing.ratio(list(1.5 * below), list(below))
    assert found["ratio"] == pytest.approx(1.5)
    assert found["low"] == pytest.approx(1.5) and found["high"] == pytest.approx(1.5)
    unpaired = timing.ratio(list(1.5 * below[::-1]), list(below))
    assert unpaired["ratio"] == pytest.approx(1.5)
    assert unpaired["low"] < 1.2 and unpaired["high"] > 1.8  # type: ignore[operator]
    assert timing.ratio([3.0] * 5, [2.0] * 5) == {"ratio": 1.5, "low": None, "high": None}


def test_the_peak_is_the_most_that_is_held_at_a_time() -> None:
    mebi = 2**20

    def run() -> torch.Tensor:
        first = torch.empty(8 * mebi, dtype=torch.uint8)
        del first
        second, third = (torch.empty(5 * mebi, dtype=torch.uint8) for _ in range(2))
        del second
        return third

    result, peak = with_peak(run, CPU)
    assert result.numel() == 5 * mebi
    assert 10 * mebi <= peak < 11 * mebi


def test_memory_that_backward_needs_is_in_the_peak() -> None:
    x = torch.randn(2**18, requires_grad=True)  # 1 MiB

    def run() -> None:
        x.exp().exp().sum().backward()

    _, peak = with_peak(run, CPU)
    assert 3 * 2**20 <= peak < 7 * 2**20


def test_memory_that_is_free_is_what_the_kernel_says() -> None:
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        pytest.skip("not on Linux")
    lines = dict(line.split(":") for line in meminfo.read_text().splitlines())
    said = 1024 * int(lines["MemAvailable"].split()[0])
    assert free_bytes(CPU) == pytest.approx(said, rel=0.2)
