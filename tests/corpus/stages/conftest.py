"""Rows as stages hand them on, and a place for what stages leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.corpus.stages.read import EMPTY, Row


@pytest.fixture
def kept(tmp_path: Path) -> Artefacts:
    return Artefacts(tmp_path / "stages")


@pytest.fixture
def row() -> Callable[..., Row]:
    """A speech of a character in a dialogue, with further columns as given."""

    def make(dialogue: str, character: str, text: str = "Well.", **columns: Any) -> Row:
        return {
            **EMPTY,
            "dialogue": dialogue,
            "work": dialogue.split("/")[0],
            "language": "en",
            "character": character,
            "name": character,
            "text": text,
            **columns,
        }

    return make
