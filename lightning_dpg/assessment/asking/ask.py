"""Prompts in, answers out: from the store where they are there, else from the model."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from lightning_dpg.assessment.asking.budget import Budget
from lightning_dpg.assessment.asking.endpoint import Endpoint
from lightning_dpg.assessment.asking.prompt import Answer, Prompt
from lightning_dpg.assessment.asking.run import Run
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.config import ApiConfig
from lightning_dpg.progress import Advance


class Committed(Protocol):
    """Whoever spends of the same budget."""

    @property
    def committed(self) -> float:
        """Dollars that are spent, or may be."""
        ...


class Asker:
    """Asks one model, and asks nothing that is answered in the store.

    Args:
        api: the model, its settings and limits. The budget holds for the life of this object.
        store: keeps completions as they arrive, and answers.
        beside: others whose dollars count in the budget: those that they have spent, or may have,
            before this one asks for the first time.
    """

    def __init__(
        self, api: ApiConfig, store: AnswerStore, beside: Sequence[Committed] = ()
    ) -> None:
        self.api, self.store, self.beside = api, store, beside
        self._opened: tuple[Endpoint, Budget] | None = None

    @property
    def identity(self) -> str:
        """The model and the settings that change its answers; no key, no address."""
        api = self.api
        return f"{api.model}/temperature={api.temperature:g}/max_tokens={api.max_tokens}"

    @property
    def spent(self) -> float | None:
        """Dollars so far, up to date whenever `advance` is called; None without known prices."""
        return self._opened[1].spent if self._opened else 0.0

    @property
    def committed(self) -> float:
        """Dollars spent so far, and the most that requests may have cost whose answer was lost."""
        return self._opened[1].committed if self._opened else 0.0

    def ask(self, prompts: Sequence[Prompt], advance: Advance | None = None) -> list[Answer]:
        """One answer for each prompt, in order; like prompts are asked once.

        Not to be called inside a running event loop. May be interrupted: requests under way are
        given up, and what has arrived is kept.

        Args:
            prompts: the questions.
            advance: told how many more prompts are answered, from the store too.

        Raises:
            BudgetReached: the rest might cost more than the budget.
            UserError: no request can go well: the key, the model, the server, the store.
        """
        keys = [self._key(prompt) for prompt in prompts]
        alike = Counter(keys)
        answers = {k: a for k, a in self.store.answers(list(alike)).items() if a.final}
        unanswered = {k: p for k, p in zip(keys, prompts, strict=True) if k not in answers}

        def answered(key: str) -> None:
            if advance:
                advance(alike[key])

        for key in answers:
            answered(key)
        if unanswered:
            run = Run(self.api, self.store, *self._open(), unanswered, answered)
            asyncio.run(run.run())
            answers |= run.answers
        return [answers[key] for key in keys]

    def _key(self, prompt: Prompt) -> str:
        return prompt.key(self.api.model, self.api.temperature, self.api.max_tokens)

    def _open(self) -> tuple[Endpoint, Budget]:
        """The model, found when it is first needed: finding it loads litellm."""
        if self._opened is None:
            endpoint = Endpoint(self.api)
            before = sum(other.committed for other in self.beside)
            budget = Budget(self.api.budget, endpoint.prices, self.api.max_tokens, before)
            self._opened = endpoint, budget
        return self._opened
