"""An asker in a process of its own, to be killed; forked from one that has loaded litellm."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from lightning_dpg.assessment.asking import pacing
from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.endpoint import load_litellm
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.config import ApiConfig
from tests.assessment.asking.prompts import prompts

load_litellm()  # takes seconds: once, in the process that the others are forked from


def ask(path: Path, number: int, settings: dict[str, Any]) -> None:
    """Ask so many prompts, as a command would."""
    pacing.FIRST_WAIT = 0.002
    with AnswerStore(path) as store:
        Asker(ApiConfig(**settings), store).ask(prompts(number))


def start(path: Path, number: int, **settings: Any) -> ForkServerProcess:
    """The same in a process of its own."""
    context: ForkServerContext = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=ask, args=(path, number, settings))
    process.start()
    return process
