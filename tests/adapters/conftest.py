"""Fixtures for the tests of exported and blended adapters: trained modules, personas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from lightning_dpg.adapters.parts import Blend, Part
from lightning_dpg.config import Config
from lightning_dpg.models.checkpoint import KEY
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile
from tests.models.conftest import MakeModule, make_module, stir

__all__ = ["make_module"]

Train = Callable[..., PersonalityModule]

ANNA = Part(Profile((4.0, -2.0, 3.0, 0.0, -4.0)), "A captain of a ferry, blunt and quick.")
BEN = Part(Profile((-3.0, 5.0, -1.0, 2.0, 1.0)))
CARLA = Part(Profile((0.0, 0.0, 0.0, 5.0, -1.0)), "A baker who shares her bread.")

SOURCES = ["dial", "core", "full", "imprint", "linear", "static"]
"""Heads of the hypernetwork (`imprint`: the dial with an imprint), and the other sources."""


@pytest.fixture
def train(make_module: MakeModule, config: Config) -> Train:
    """A module of a source whose adapters are far from zero and whose dial was turned."""

    def make(source: str = "imprint", **settings: object) -> PersonalityModule:
        kind = source if source in ("linear", "static") else "hypernetwork"
        h = config.hypernetwork
        h.output = "dial" if kind != "hypernetwork" or source == "imprint" else source  # type: ignore[assignment]
        h.imprint, h.guidance = (0.5, 3.0) if source == "imprint" else (0.0, 1.0)
        module = make_module(kind, **settings)
        module.know_descriptions([ANNA.description, CARLA.description])
        stir(module)
        module.dial.offset.copy_(torch.tensor([0.5, -0.5, 0.25, 0.0, 1.0]))
        return module.eval()

    return make


def single(part: Part, name: str = "one", strength: float = 1.0) -> Blend:
    return Blend(name, (part,), strength)


def save_checkpoint(module: PersonalityModule, path: Path) -> Path:
    """What Lightning saves of a module, as far as this project reads it."""
    assert module.identity is not None
    torch.save({KEY: asdict(module.identity), "state_dict": module.state_dict()}, path)
    return path
