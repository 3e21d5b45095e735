"""Two processes for all metrics: starting them takes longer than all that they reduce."""

from __future__ import annotations

from typing import Any

import pytest

from tests.distributed.forked import run_in_two

InTwoProcesses = dict[str, list[Any]]
"""What each of two processes found, by the file that asked."""


def _reduce(rank: int) -> dict[str, Any]:
    from tests.metrics import test_classes, test_quality_classes

    return {
        "classes": test_classes.reduced_in(rank),
        "quality": test_quality_classes.reduced_in(rank),
    }


@pytest.fixture(scope="session")
def in_two_processes(tmp_path_factory: pytest.TempPathFactory) -> InTwoProcesses:
    found = run_in_two(_reduce, tmp_path_factory.mktemp("reduced"))
    return {name: [one[name] for one in found] for name in found[0]}
