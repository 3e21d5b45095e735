"""Commands in an empty folder, and a checkpoint for those that let one speak."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightning_dpg.__main__ import app
from lightning_dpg.errors import UserError
from lightning_dpg.models.module import PersonalityModule
from tests.adapters.conftest import Train, make_module, save_checkpoint, train

__all__ = ["make_module", "train"]

Dpg = Callable[..., str]


@pytest.fixture
def dpg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dpg:
    """Runs `dpg …`, and gives what it printed; a mistake of the user's is raised."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("lightning_dpg.adapters.cache.CACHE", tmp_path / "cache")

    def run(*arguments: str, lines: str = "") -> str:
        done = CliRunner().invoke(app, list(arguments), input=lines)
        if isinstance(done.exception, UserError):
            raise done.exception
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    return run


@pytest.fixture
def module(train: Train) -> PersonalityModule:
    return train("imprint")


@pytest.fixture
def checkpoint(module: PersonalityModule, tmp_path: Path) -> str:
    return str(save_checkpoint(module, tmp_path / "model.ckpt"))
