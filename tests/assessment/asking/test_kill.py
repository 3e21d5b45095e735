"""kill -9 and Ctrl-C at any moment: nothing is lost and nothing is paid for twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.store import AnswerStore
from tests.assessment.asking.child import start
from tests.assessment.asking.openai_server import Server, serve, share
from tests.assessment.asking.prompts import prompts

FAULTS = {"rate_limit": 1, "error": 1, "cut": 1, "html": 1, "wrong_values": 6, "refusal": 2}


def finished(path: Path, number: int, server: Server, concurrency: int) -> None:
    """Run the command until it ends by itself."""
    process = start(path, number, model="openai/tiny", base_url=server.url, concurrency=concurrency)
    process.join()
    assert process.exitcode == 0


def final_answers(path: Path) -> list[tuple[object, ...]]:
    query = "SELECT key, value, reason, final FROM answers ORDER BY key"
    return sqlite3.connect(path).execute(query).fetchall()


def test_kill_a_few_times(tmp_path: Path) -> None:
    kill_and_finish(tmp_path, number=60, kills=3)


@pytest.mark.slow
def test_kill_twenty_times(tmp_path: Path) -> None:
    kill_and_finish(tmp_path, number=300, kills=20)


def kill_and_finish(folder: Path, number: int, kills: int) -> None:
    """Kill runs after a random number of answers each, finish, compare with a run left alone."""
    concurrency, own = 4, random.Random(7)
    settings: dict[str, Any] = {"faults": share(0.4, 0, FAULTS), "latency": 0.02}
    with serve(**settings) as server:
        finished(folder / "whole.sqlite", number, server, concurrency)
    whole = final_answers(folder / "whole.sqlite")
    assert len(whole) == number and all(final for *_, final in whole)
    reasons = {str(reason).split(":")[0] for _, _, reason, _ in whole}
    assert reasons == {"", "refused", "no valid answer"}

    path = folder / "killed.sqlite"
    with serve(**settings) as server:
        for kill in range(kills):
            process = start(
                path, number, model="openai/tiny", base_url=server.url, concurrency=concurrency
            )
            paid_before = sum(server.paid.values())
            # Somewhere between the answers of this share of the work, at a random moment.
            enough = paid_before + own.randrange(1, max(2, number // kills))
            while sum(server.paid.values()) < enough and process.is_alive():
                time.sleep(0.001)
            time.sleep(own.uniform(0.0, 0.03))
            assert process.is_alive(), "it was done before it could be killed"
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
            # What was under way is answered, and counted, without anybody there.
            while server.under_way:
                time.sleep(0.005)
            repeated = sum(count - 1 for count in server.paid.values())
            assert repeated <= concurrency * (kill + 1)
        finished(path, number, server, concurrency)
        assert sum(count - 1 for count in server.paid.values()) <= concurrency * kills
        lost = sum(server.paid.values()) - completions(path)
        assert 0 <= lost <= concurrency * kills, "only what was under way at a kill"
    assert final_answers(path) == whole


def completions(path: Path) -> int:
    (count,) = sqlite3.connect(path).execute("SELECT count(*) FROM completions").fetchone()
    return int(count)


def test_two_processes_on_one_store(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with serve(latency=0.005) as server:
        both = [start(path, 40, model="openai/tiny", base_url=server.url) for _ in range(2)]
        for process in both:
            process.join()
        assert [process.exitcode for process in both] == [0, 0]
    assert len(final_answers(path)) == 40


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own handler, which a process that was started in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_keeps_what_arrived_and_the_same_process_goes_on(
    make_asker: Callable[..., Asker], store: AnswerStore
) -> None:
    with serve(latency=0.02) as server:
        asker, told = make_asker(server, concurrency=4), list[int]()

        def interrupt(done: int) -> None:
            told.append(done)
            if len(told) == 10:
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            asker.ask(prompts(60), interrupt)
        kept = len(final_answers(store.path))
        assert 10 <= kept < 60
        while server.under_way:
            time.sleep(0.005)
        answers = asker.ask(prompts(60))
        assert all(answer.value for answer in answers)
        assert 60 <= sum(server.paid.values()) <= 60 + 4
        assert len(server.paid) == 60


def test_a_first_completion_of_a_killed_run_is_read_and_not_paid_for_again(
    make_asker: Callable[..., Asker], store: AnswerStore
) -> None:
    """As if the process had been killed between the two tries."""
    with serve(answer=lambda asked: '{"score": 2}' if asked.turn else "two") as server:
        asker = make_asker(server)
        asker.ask(prompts(1))
        with sqlite3.connect(store.path) as db:
            db.execute("DELETE FROM answers")
            db.execute("DELETE FROM completions WHERE id = 2")
        assert asker.ask(prompts(1))[0].value == {"score": 2}
        assert sorted(server.paid.values()) == [1, 2]
        with sqlite3.connect(store.path) as db:
            db.execute("DELETE FROM answers")
        assert asker.ask(prompts(1))[0].value == {"score": 2}
        assert sorted(server.paid.values()) == [1, 2], "both were there"
