"""Dollars: the most that a request may cost is set aside before it is sent."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

from lightning_dpg.assessment.asking.prompt import Messages
from lightning_dpg.errors import UserError

MILLION = 1_000_000
AROUND_A_MESSAGE = 16
"""Tokens that chat templates put around a message, generously."""
AROUND_A_SCHEMA = 600
"""Tokens that a provider may add to say how to answer by a schema (Anthropic documents up to 530
for its tools)."""

Prices = tuple[float, float]
"""Dollars for a token of the prompt and for one of the answer."""


class BudgetReached(UserError):
    """The next request might cost more than is left; what was rated is kept."""


class BudgetSpent(Exception):
    """No request is under way, and still the next one does not fit."""


class Budget:
    """What one run has spent and may spend.

    Args:
        limit: dollars, or None for no limit.
        prices: None where they are not known, with which only no limit goes.
        max_tokens: longest answer.
        before: dollars that others have spent of the same limit, and may have.

    Raises:
        UserError: a limit or a price that is no finite number: nothing would be beyond it.

    Attributes:
        spent: dollars for what was answered; None without prices.
        doubtful: the most that requests may have cost whose answer was lost on the way: the
            provider may charge for them. It counts against the limit.
    """

    def __init__(
        self, limit: float | None, prices: Prices | None, max_tokens: int, before: float = 0.0
    ) -> None:
        if not math.isfinite(limit or 0.0):
            raise UserError(
                f"A budget must be a finite number of dollars, got {limit:g}: give one, or none "
                "for no limit (api.budget=null)"
            )
        if not all(map(math.isfinite, prices or ())):
            raise UserError(
                "Prices must be finite numbers: set api.prices to dollars for a million tokens of "
                "prompt and of answer, such as [0.15,0.60]"
            )
        self.limit, self.prices, self.max_tokens = limit, prices, max_tokens
        self.before = before
        self.spent: float | None = 0.0 if prices else None
        self.doubtful = 0.0
        self._reserved = 0.0
        self._under_way = 0
        self._settled = asyncio.Event()

    @property
    def committed(self) -> float:
        """Dollars that are spent, or may be: what counts in a limit shared with others."""
        return (self.spent or 0.0) + self.doubtful

    def worst(self, messages: Messages, schema: dict[str, Any] | None) -> float:
        """The most that a request may cost, in dollars; without a schema, that of a plain text.

        No tokeniser that falls back on bytes makes more tokens than there are bytes.
        """
        if self.prices is None:
            return 0.0
        size = 0
        if schema is not None:
            size = len(json.dumps(schema, ensure_ascii=False).encode()) + AROUND_A_SCHEMA
        for role, content in messages:
            size += len(role) + len(content.encode(errors="replace")) + AROUND_A_MESSAGE
        return self.cost(size, self.max_tokens)

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Dollars for so many tokens; prices must be known."""
        assert self.prices is not None
        return prompt_tokens * self.prices[0] + completion_tokens * self.prices[1]

    async def reserve(self, worst: float) -> None:
        """Set dollars aside; waits while requests under way may turn out cheaper than feared.

        Raises:
            BudgetSpent: nothing is under way and they are not there.
        """
        while self.limit is not None and self._total() + worst > self.limit:
            if not self._under_way:
                raise BudgetSpent
            await self._settled.wait()
        self._reserved += worst
        self._under_way += 1

    def settle(self, worst: float, cost: float | None = None, *, doubtful: bool = False) -> None:
        """A request has ended.

        Args:
            worst: what was set aside for it.
            cost: dollars that it did cost.
            doubtful: no answer came, and yet it may have been charged.
        """
        self._reserved -= worst
        self._under_way -= 1
        if self.spent is not None and cost is not None:
            self.spent += cost
        if doubtful:
            self.doubtful += worst
        settled, self._settled = self._settled, asyncio.Event()
        settled.set()

    def _total(self) -> float:
        # Summing leaves dust that must not hold up a request when none is under way.
        reserved = self._reserved if self._under_way else 0.0
        return self.before + self.committed + reserved

    def told(self) -> str:
        """What was spent, for a message."""
        told = f"${self.before + (self.spent or 0.0):.4f} of ${self.limit or 0.0:.4f} are spent"
        if self.doubtful:
            told += f", and up to ${self.doubtful:.4f} on requests whose answers were lost"
        return told
