"""Many prompts against a server of which three requests in ten go wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.store import AnswerStore
from tests.assessment.asking.openai_server import PAID, UNPAID, serve, share
from tests.assessment.asking.prompts import prompts

KINDS = dict.fromkeys((*UNPAID, *PAID), 1.0) | {"hang": 0.1}
"""Each hang holds a request for the whole timeout."""


def ask_many(
    make_asker: Callable[..., Asker], store: AnswerStore, number: int, concurrency: int
) -> None:
    with serve(faults=share(0.3, 2, KINDS), gather=concurrency, patience=1.0) as server:
        asker = make_asker(server, concurrency=concurrency, attempts=8, timeout=3.0)
        answers = asker.ask(prompts(number))
    assert len(answers) == number
    assert all((answer.value is None) == bool(answer.reason) for answer in answers)
    assert all(answer.final for answer in answers), "eight sends are enough at such a rate"
    # A request was answered only while as many as allowed were under way, or after a wait in
    # vain: in the end, when few are left, or while one hangs.
    # The server notices a moment late that somebody stopped waiting for one that hangs.
    assert concurrency <= server.most <= concurrency + server.kinds["hang"]
    assert server.full >= 0.9 * (server.full + server.short)
    asked = sum(server.kinds.values())
    assert 0.2 < 1 - server.kinds[""] / asked < 0.4
    assert set(server.kinds) >= {"", *KINDS}, "every kind of fault came up"
    db = sqlite3.connect(store.path)
    rows = "SELECT count(*), count(DISTINCT key), sum(final) FROM answers"
    assert db.execute(rows).fetchone() == (number, number, number)
    paid = sum(server.paid.values())
    assert db.execute("SELECT count(*) FROM completions").fetchone() == (paid,)
    assert max(server.paid.values()) == 1, "nothing is paid for twice"
    refused = sum(answer.reason.startswith("refused") for answer in answers)
    assert refused == server.kinds["refusal"]


def test_every_prompt_of_many_is_answered_or_has_a_reason(
    make_asker: Callable[..., Asker], store: AnswerStore
) -> None:
    ask_many(make_asker, store, number=250, concurrency=8)


@pytest.mark.slow
def test_every_prompt_of_two_thousand_is_answered_or_has_a_reason(
    make_asker: Callable[..., Asker], store: AnswerStore
) -> None:
    ask_many(make_asker, store, number=2000, concurrency=16)
