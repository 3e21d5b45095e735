"""Several seeds in one table."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.statistics import correlation_interval
from lightning_dpg.report.reading import read_run
from lightning_dpg.report.seeds import seed_table
from tests.report.conftest import write_fake_run


def with_seed(seed: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(results: dict[str, Any]) -> None:
        results["seed"] = seed
        results.update(changes)
        if seed:  # the second run measures DPG a little off the first
            for scores in results["arms"]["dpg"]["measured"].values():
                if scores:
                    scores[0] += 1.0

    return change


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    return [write_fake_run(tmp_path / str(seed), with_seed(seed)) for seed in (0, 1)]


def cells(table: str, head: str, start: str) -> list[str]:
    """A row of the table whose first heading is `head`."""
    (part,) = [part for part in table.split("\n\n") if part.startswith(f"| {head} |")]
    (line,) = [line for line in part.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_personas_of_all_seeds_are_one_sample(two: list[Path]) -> None:
    table = seed_table(two)
    assert table.startswith("dpg_smollm2: seeds 0, 1, 64 personas in all")
    every, by_seed, zero = [], [], []
    for folder in two:
        run = read_run(folder)
        arm = run.arm("dpg")
        assert arm is not None
        found = [
            math.dist(p.target, arm.measured[p.id]) for p in run.personas if p.id in arm.measured
        ]
        zero += [math.hypot(*p.target) for p in run.personas if p.id in arm.measured]
        every += found
        by_seed.append(np.mean(found))
    parts = cells(table, "arm", "DPG")
    assert parts[1] == f"{np.mean(every):.2f}"
    assert parts[3] == ", ".join(f"{mean:.2f}" for mean in by_seed)
    assert by_seed[0] != by_seed[1]
    assert cells(table, "DPG over", "Constant zero")[1] == f"{np.mean(every) / np.mean(zero):.2f}"
    assert cells(table, "DPG over", "LoRA-SFT")[2].startswith("[")
    half = len(zero) // 2
    zeros = [np.mean(zero[:half]), np.mean(zero[half:])]
    ratios = ", ".join(f"{one / other:.2f}" for one, other in zip(by_seed, zeros, strict=True))
    assert cells(table, "DPG over", "Constant zero")[3] == ratios
    known = [
        next(t for t in read_run(folder).trivial if t.name == "constant_zero") for folder in two
    ]
    expected = ", ".join(f"{arm.psdc['l2'].mean:.2f}" for arm in known)
    assert cells(table, "arm", "*Constant zero*")[3] == expected


def test_runs_that_do_not_belong_together_are_refused(two: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No run was given"):
        seed_table([])
    with pytest.raises(UserError, match="a seed of its own, got seeds 0, 0"):
        seed_table([two[0], two[0]])
    asked = write_fake_run(tmp_path / "asked", with_seed(3, prompts=["Another question?"]))
    with pytest.raises(UserError, match="asked the same questions"):
        seed_table([two[0], asked])
    other = write_fake_run(tmp_path / "other", with_seed(2, experiment="smoke"))
    with pytest.raises(
        UserError, match="one experiment can be put together, got dpg_smollm2, smoke"
    ):
        seed_table([two[0], other])


def test_correlations_over_the_personas_of_all_seeds(two: list[Path]) -> None:
    runs = [read_run(folder) for folder in two]
    found = cells(seed_table(two), "DPG, asked and measured", "openness")
    pairs = [
        (persona.target[0], arm.measured[persona.id][0])
        for run in runs
        for persona in run.personas
        if (arm := run.arm("dpg")) and persona.id in arm.measured
    ]
    asked, measured = zip(*pairs, strict=True)
    assert found[2] == f"{np.corrcoef(asked, measured)[0, 1]:+.2f}".replace("-", "\N{MINUS SIGN}")
    expected = correlation_interval(np.array(asked), np.array(measured), 2000, 0)
    low, high = (float(end.replace("\N{MINUS SIGN}", "-")) for end in found[3][1:-1].split(", "))
    assert (low, high) == pytest.approx((expected["low"], expected["high"]), abs=0.006)
    assert len(found[1].split(", ")) == 2
