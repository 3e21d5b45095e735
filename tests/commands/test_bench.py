"""`dpg bench`: options arrive in the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_dpg.run import bench as measuring
from lightning_dpg.run.bench import Plan
from tests.commands.conftest import Dpg

Asked = list[tuple[Plan, Path]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found: Asked = []

    def bench(plan: Plan, out: Path) -> Path:
        found.append((plan, out))
        return out / "bench.md"

    monkeypatch.setattr(measuring, "bench", bench)
    return found


def test_options_arrive_in_the_plan(dpg: Dpg, asked: Asked) -> None:
    given = "--model tiny --dtype float32 --dtype bfloat16 --quantization nf4 --batch 8 --batch 2"
    given += " --tokens 16 --tokens 32 --repeats 5 --seconds 77 --quick --device cpu --out there"
    assert dpg("bench", *given.split()) == f"Results: {Path('there', 'bench.md')}\n"
    [(plan, out)] = asked
    assert (plan.model, plan.device, plan.quick, out) == ("tiny", "cpu", True, Path("there"))
    assert list(plan.dtypes) == ["float32", "bfloat16"] and list(plan.quantizations) == ["nf4"]
    assert (list(plan.batches), list(plan.tokens)) == ([8, 2], [16, 32])
    assert (plan.repeats, plan.seconds) == (5, 77.0)


def test_what_is_not_given_is_the_plans_own(dpg: Dpg, asked: Asked) -> None:
    dpg("bench")
    assert asked == [(Plan(), Path("runs/bench"))]
