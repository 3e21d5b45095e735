"""Dollars: never more than the budget, by the server's own count; prices; what is said."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest

from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.budget import (
    AROUND_A_SCHEMA,
    Budget,
    BudgetReached,
    BudgetSpent,
)
from lightning_dpg.assessment.asking.endpoint import load_litellm
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.config import ApiConfig
from lightning_dpg.errors import UserError
from tests.assessment.asking.openai_server import Server, always, first, serve
from tests.assessment.asking.prompts import SCHEMA, prompt, prompts

Make = Callable[..., Asker]
PRICES = [1000.0, 5000.0]  # a thousandth and five thousandths of a dollar a token


def charged(server: Server) -> float:
    return (server.tokens[0] * PRICES[0] + server.tokens[1] * PRICES[1]) / 1e6


@pytest.mark.parametrize("concurrency", [1, 6])
def test_it_stops_before_the_budget_and_goes_on_with_a_larger_one(
    make_asker: Make, concurrency: int
) -> None:
    settings = {"prices": PRICES, "max_tokens": 20, "concurrency": concurrency}
    with serve(latency=0.005) as server:
        asker = make_asker(server, budget=2.0, **settings)
        with pytest.raises(BudgetReached) as told:
            asker.ask(prompts(60))
        assert 0.5 < charged(server) <= 2.0, "no overrun, and most of it is used"
        assert asker.spent == pytest.approx(charged(server))
        answered = sum(server.paid.values())
        assert f"${charged(server):.4f} of $2.0000 are spent" in str(told.value)
        assert f"{answered} were rated, 0 could not be, and {60 - answered} are left" in str(
            told.value
        )
        with pytest.raises(BudgetReached, match=r"0 were rated"):
            asker.ask(prompts(60))
        answers = make_asker(server, budget=100.0, **settings).ask(prompts(60))
        assert all(answer.value for answer in answers)
        assert sum(server.paid.values()) == 60, "nothing is paid for twice"


def test_no_budget_is_too_small_to_say_so(make_asker: Make) -> None:
    with serve() as server:
        with pytest.raises(BudgetReached, match=r"\$0\.0000 of \$0\.0100 are spent.*5 are left"):
            make_asker(server, budget=0.01, prices=PRICES).ask(prompts(5))
        assert not server.seen


def test_the_second_try_needs_the_budget_too(make_asker: Make) -> None:
    with serve(faults=always("wrong_values")) as server:
        asker = make_asker(server, budget=1.0, prices=[1000.0, 0.0], max_tokens=20)
        with pytest.raises(BudgetReached, match="0 were rated, 0 could not be, and 1 are left"):
            asker.ask([prompt("text " * 6)])
        assert sum(server.seen.values()) == 1


def test_a_lost_answer_counts_as_if_charged(make_asker: Make) -> None:
    settings = {"prices": PRICES, "max_tokens": 20, "concurrency": 1, "attempts": 1}
    with serve(faults=always("cut")) as server:
        with pytest.raises(BudgetReached, match=r"up to \$\d\.\d+ on requests whose answers were"):
            make_asker(server, budget=2.0, **settings).ask(prompts(4))
        assert sum(server.seen.values()) == 2, "a third one might have gone beyond the budget"
    with serve(faults=first("error")) as server:
        make_asker(server, budget=2.0, **settings).ask(prompts(4))
        assert sum(server.seen.values()) == 4, "an error of the server's costs nothing"


def test_a_budget_needs_prices(make_asker: Make) -> None:
    with serve() as server:
        with pytest.raises(UserError, match=r"set api\.prices"):
            make_asker(server, budget=1.0).ask(prompts(2))
        assert not server.seen
        asker = make_asker(server)
        asker.ask(prompts(2))
        assert asker.spent is None, "unknown, not nothing"


def test_prices_come_from_the_local_list(make_asker: Make, store: AnswerStore) -> None:
    with serve() as server:
        asker = make_asker(server, model="openai/gpt-4o")
        assert asker.spent == 0.0
        asker.ask(prompts(1))
    # OpenAI's list price of gpt-4o: $2.50 and $10.00 a million tokens.
    expected = server.tokens[0] * 2.5e-6 + server.tokens[1] * 10e-6
    assert asker.spent == pytest.approx(expected)
    db = sqlite3.connect(store.path)
    assert db.execute("SELECT cost FROM completions").fetchone()[0] == pytest.approx(expected)


@pytest.mark.parametrize("text", ["plain words", "你好，世界", "🜚🜛🜜 \u200b\u200c", "a\n" * 50])
def test_the_worst_case_is_more_than_tokenisers_count(text: str) -> None:
    tokens = len(load_litellm().encode(model="gpt-4o", text=text))
    budget = Budget(None, (1.0, 0.0), 10)
    nothing, something = budget.worst((("user", ""),), {}), budget.worst((("user", text),), {})
    assert something - nothing >= tokens
    assert nothing > 500, "room for what a provider adds"


def test_answers_count_with_their_longest(store: AnswerStore) -> None:
    assert Budget(None, (0.0, 0.5), 10).worst((("user", "x"),), {}) == 5.0


def test_a_reservation_waits_for_what_is_under_way() -> None:
    async def scene() -> list[str]:
        seen: list[str] = []
        budget = Budget(10.0, (1.0, 1.0), 1)
        await budget.reserve(8.0)

        async def second() -> None:
            await budget.reserve(8.0)
            seen.append("reserved")

        task = asyncio.create_task(second())
        await asyncio.sleep(0)
        seen.append("settled")
        budget.settle(8.0, 1.0)
        await task
        budget.settle(8.0, 2.5)
        with pytest.raises(BudgetSpent):
            await budget.reserve(8.0)
        await budget.reserve(6.5)
        return seen

    assert asyncio.run(scene()) == ["settled", "reserved"]


def test_who_waits_for_dollars_sends_nothing_once_the_run_has_ended(make_asker: Make) -> None:
    worst = Budget(None, (1e-3, 5e-3), 20).worst(prompt("text number 1").messages, SCHEMA)
    settings = {"prices": PRICES, "max_tokens": 20, "concurrency": 4, "budget": 1.5 * worst}
    with serve(faults=always("unauthorised"), latency=0.05) as server:
        with pytest.raises(UserError, match="OPENAI_API_KEY"):
            make_asker(server, **settings).ask(prompts(20))
        assert sum(server.seen.values()) == 1


def test_what_others_spent_and_may_have_spent_counts(make_asker: Make, store: AnswerStore) -> None:
    """As the labels' budget counts what the judge of dialogues has cost."""
    settings = {"prices": PRICES, "max_tokens": 20, "concurrency": 1, "attempts": 1}
    with serve(faults=lambda asked: "cut" if "number 0" in asked.content else "") as server:
        judge = make_asker(server, **settings)
        assert judge.committed == 0.0
        judge.ask(prompts(3))
        assert judge.spent == pytest.approx(charged(server))
        assert judge.committed > charged(server) + 0.5, "one answer was lost"
        api = replace(judge.api, budget=judge.committed + 0.5)
        with pytest.raises(BudgetReached, match=rf"\${judge.committed:.4f} of"):
            Asker(api, store, [judge]).ask([prompt("another")])
        assert Asker(api, store).ask([prompt("another")])[0].value


def test_a_budget_begins_with_what_was_spent_before() -> None:
    async def scene() -> None:
        budget = Budget(10.0, (1.0, 1.0), 1, before=6.0)
        await budget.reserve(4.0)
        budget.settle(4.0, 1.0)
        assert budget.spent == budget.committed == 1.0, "its own alone"
        with pytest.raises(BudgetSpent):
            await budget.reserve(3.5)
        assert "$7.0000 of $10.0000" in budget.told()

    asyncio.run(scene())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_budget_and_prices_are_finite(make_asker: Make, bad: float) -> None:
    with serve() as server:
        with pytest.raises(UserError, match=r"finite number of dollars, got (nan|inf)"):
            make_asker(server, budget=bad, prices=PRICES).ask(prompts(1))
        with pytest.raises(UserError, match=r"finite numbers: set api\.prices"):
            make_asker(server, budget=1.0, prices=[bad, 1.0]).ask(prompts(1))
        assert not server.seen


def test_a_server_that_does_not_say_what_it_used(store: AnswerStore, make_asker: Make) -> None:
    class Silent(Server):
        def _completion(self, kind, asked):  # type: ignore[no-untyped-def]
            whole = super()._completion(kind, asked)
            return {name: value for name, value in whole.items() if name != "usage"}

    with serve(Silent) as server:
        asker = make_asker(server, prices=[0.0, 1e6], max_tokens=7)
        asker.ask(prompts(1))
    assert asker.spent == 7.0, "taken for the most that it can be"
    assert ApiConfig().budget is None


def test_a_plain_text_costs_its_messages_and_no_schema() -> None:
    budget = Budget(None, (1.0, 0.0), 10)
    plain, judged = (budget.worst((("user", "text"),), schema) for schema in (None, SCHEMA))
    assert len("usertext") < plain < 100 < AROUND_A_SCHEMA < judged - plain
