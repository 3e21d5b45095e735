"""Prompts, an asker against a server on loopback, and waits short enough for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lightning_dpg.assessment.asking import pacing
from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.config import ApiConfig
from tests.assessment.asking.openai_server import Server

KEY = "sk-test-0123456789-SECRET"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, and one key of our own in the environment."""
    monkeypatch.setattr(pacing, "FIRST_WAIT", 0.002)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        yield store


@pytest.fixture
def make_asker(store: AnswerStore) -> Callable[..., Asker]:
    """An asker of the given server, with other settings by name."""

    def make(server: Server, **settings: object) -> Asker:
        given = {"model": "openai/tiny", "base_url": server.url, "attempts": 3} | settings
        return Asker(ApiConfig(**given), store)  # type: ignore[arg-type]

    return make
