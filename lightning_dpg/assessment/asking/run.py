"""One run over open prompts: workers that send, store, read and put off until all is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from lightning_dpg.assessment.asking.budget import Budget, BudgetReached, BudgetSpent
from lightning_dpg.assessment.asking.endpoint import Endpoint
from lightning_dpg.assessment.asking.failures import Failure, Rejected, place
from lightning_dpg.assessment.asking.pacing import JobQueue, backoff
from lightning_dpg.assessment.asking.prompt import Answer, Completion, Messages, Prompt
from lightning_dpg.assessment.asking.reading import next_step
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.config import ApiConfig
from lightning_dpg.errors import UserError

FEWEST_FAILURES = 5
"""So many prompts must fail one after the other before a run is given up, or as many as are under
way at a time where those are more."""


@dataclass
class Job:
    """A prompt on its way to an answer.

    Attributes:
        sent: how often the request that is due now was sent.
    """

    prompt: Prompt
    key: str
    sent: int = 0


@dataclass
class Run:
    """Gets prompts answered; for one use.

    Attributes:
        api: the settings.
        store: keeps what arrives.
        endpoint: the model.
        budget: what may be spent.
        prompts: by key.
        answered: told the key of each prompt that has its answer.
        answers: by key.
    """

    api: ApiConfig
    store: AnswerStore
    endpoint: Endpoint
    budget: Budget
    prompts: Mapping[str, Prompt]
    answered: Callable[[str], None]
    answers: dict[str, Answer] = field(default_factory=dict)
    _ending: Exception | None = None
    _reached: bool = False
    _failed_in_a_row: int = 0

    async def run(self) -> None:
        """Answer all prompts.

        When the run cannot go on, requests under way are waited for and kept; when it is
        cancelled, they are given up.

        Raises:
            UserError: why the run cannot go on.
        """
        self._queue = JobQueue(self._jobs())
        number = min(self.api.concurrency, len(self.prompts))
        workers = [asyncio.create_task(self._work()) for _ in range(number)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self.endpoint.close()
        if isinstance(self._ending, BudgetSpent):
            raise BudgetReached(self._budget_reached())
        if self._ending is not None:
            raise self._ending

    def _jobs(self) -> Iterator[Job]:
        for key, prompt in self.prompts.items():
            yield Job(prompt, key)

    async def _work(self) -> None:
        while (job := await self._queue.next()) is not None:
            try:
                await self._take(job)
            except (UserError, BudgetSpent) as error:
                self._end(error)
            finally:
                self._queue.done()

    def _end(self, error: Exception) -> None:
        """Start no further request; the first reason counts."""
        self._ending = self._ending or error
        self._queue.stop()

    async def _take(self, job: Job) -> None:
        """Bring a job one request further."""
        # Read just before sending: another process on this store may have paid meanwhile.
        known = self.store.completions(job.key)
        step = next_step(job.prompt, known)
        if not isinstance(step, Answer):
            try:
                completion = await self._send(job, step)
            except Failure as failure:
                if not (answer := self._failed(job, failure)):
                    return
                step = answer
            except Rejected as rejected:
                step = Answer(None, rejected.reason, rejected.final)
                if not rejected.final:
                    self._give_up_on(rejected.reason)
            else:
                job.sent, self._failed_in_a_row, self._reached = 0, 0, True
                step = next_step(job.prompt, [*known, completion])
        if isinstance(step, Answer):
            self.store.answer(job.key, step)
            # As it reads from the store: another process may have been first.
            self.answers |= self.store.answers([job.key])
            self.answered(job.key)
        else:
            self._queue.put_off(job)

    async def _send(self, job: Job, messages: Messages) -> Completion:
        """One request, within the budget, its completion stored before anything else happens."""
        worst = self.budget.worst(messages, job.prompt.schema)
        await self.budget.reserve(worst)
        if self._ending is not None:  # while this one waited for dollars
            self.budget.settle(worst)
            raise self._ending
        job.sent += 1
        cost, doubtful = None, True  # of a request that is cancelled
        try:
            completion = await self.endpoint.complete(job.prompt, messages, self.budget)
            cost, doubtful = completion.cost, False
            self.store.add(
                job.key,
                messages,
                completion,
                model=self.api.model,
                version=job.prompt.version,
                settings={
                    "temperature": self.api.temperature,
                    "max_tokens": self.api.max_tokens,
                    "sample": job.prompt.sample,
                },
            )
        except Failure as failure:
            doubtful = failure.doubtful
            raise
        except (Rejected, UserError):
            doubtful = False
            raise
        finally:
            self.budget.settle(worst, cost, doubtful=doubtful)
        return completion

    def _failed(self, job: Job, failure: Failure) -> Answer | None:
        """Put the job off, or give it up."""
        self._reached |= failure.reached
        if job.sent < self.api.attempts:
            wait = backoff(job.sent) if failure.wait is None else failure.wait
            if failure.limited:
                self._queue.pause(wait)
            self._queue.put_off(job, wait)
            return None
        if not self._reached:
            self._end(
                UserError(
                    f"No server was reached at {place(self.api)} in {job.sent} attempts: start it, "
                    "or set api.base_url to where it is"
                )
            )
        times = "once" if job.sent == 1 else f"{job.sent} times"
        self._give_up_on(failure.reason)
        return Answer(None, f"the server failed {times}: {failure.reason}", final=False)

    def _give_up_on(self, reason: str) -> None:
        """End the run when one prompt after the other fails: two thousand would."""
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= max(FEWEST_FAILURES, self.api.concurrency):
            self._end(
                UserError(
                    f"{self._failed_in_a_row} prompts in a row had no answer from "
                    f"{self.api.model}, the last one: {reason}. What was answered is kept: mend "
                    "this, then run the same command again"
                )
            )

    def _budget_reached(self) -> str:
        unscored = sum(answer.value is None for answer in self.answers.values())
        return (
            f"Stopped before the budget is exceeded: {self.budget.told()}; in this run "
            f"{len(self.answers) - unscored} were rated, {unscored} could not be, and "
            f"{len(self.prompts) - len(self.answers)} are left. What was answered is kept: the "
            "same command with a larger budget goes on from here"
        )
