"""Ablation files and plans to test with."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from lightning_dpg.ablation.grid import read_ablation
from lightning_dpg.ablation.plan import Plan, plan

TWO = """\
# What the scores do.
experiment: smoke
settings: {evaluation.arms: [dpg]}
cells:
  both: {}
  blind: {hypernetwork.reads_scores: false}
"""
"""A small ablation: the first cell is the reference."""
PLANS: dict[tuple[str, str, tuple[str, ...]], Plan] = {}
"""Those of tests before: settings are slow to lay over each other."""


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    """Writes an ablation file; gives its path."""

    def write(text: str = TWO, name: str = "mine") -> str:
        path = tmp_path / f"{name}.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def planned(written: Callable[..., str]) -> Callable[..., Plan]:
    """Reads an ablation and lays it over an experiment; the same one only once."""

    def make(*overrides: str, text: str = TWO, experiment: str = "") -> Plan:
        key = (text, experiment, overrides)
        if key not in PLANS:
            PLANS[key] = plan(read_ablation(written(text)), experiment, overrides)
        return PLANS[key]

    return make


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
