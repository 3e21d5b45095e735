"""When the next request goes out: bounded workers, pauses for rate limits, backoff."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import random
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

FIRST_WAIT = 0.5
"""Seconds before a request is sent again; twice as many after each further failure."""
LONGEST_WAIT = 60.0
LONGEST_PAUSE = 600.0
"""A server that asks for a longer pause has no more for today: that is the user's to know."""

Job = TypeVar("Job")


class JobQueue(Generic[Job]):
    """Jobs for a fixed number of workers.

    A job that was put off leaves its worker free and comes before fresh ones once it is due.
    Made and used inside one event loop.
    """

    def __init__(self, fresh: Iterator[Job]) -> None:
        self._fresh: Iterator[Job] | None = fresh
        self._late: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._under_way = 0
        self._pause_ends = 0.0
        self._stopped = False
        self._changed = asyncio.Event()

    async def next(self) -> Job | None:
        """The next job as soon as it may start; None when there are and will be no more.

        `done` must be called after each job.
        """
        while not self._stopped:
            now = time.monotonic()
            if now >= self._pause_ends and (job := self._ready(now)) is not None:
                self._under_way += 1
                return job
            if self._fresh is None and not self._late and not self._under_way:
                break
            await self._wait(now)
        return None

    def done(self) -> None:
        """A job has ended, or was put off."""
        self._under_way -= 1
        self._wake()

    def put_off(self, job: Job, seconds: float = 0.0) -> None:
        """Give a job back, to be taken up again in some seconds."""
        heapq.heappush(self._late, (time.monotonic() + seconds, next(self._order), job))

    def pause(self, seconds: float) -> None:
        """Start no job for some seconds."""
        self._pause_ends = max(self._pause_ends, time.monotonic() + seconds)

    def stop(self) -> None:
        """Start no job any more."""
        self._stopped = True
        self._wake()

    def _ready(self, now: float) -> Job | None:
        if self._late and self._late[0][0] <= now:
            return heapq.heappop(self._late)[2]
        if self._fresh is not None:
            for job in self._fresh:
                return job
            self._fresh = None
        return None

    async def _wait(self, now: float) -> None:
        """Until something changes, or a pause ends or a job is due."""
        due = [self._pause_ends] if self._pause_ends > now else []
        if not due and self._late:
            due.append(self._late[0][0])
        try:
            async with asyncio.timeout(due[0] - now if due else None):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def backoff(sent: int) -> float:
    """Seconds to wait after a request was sent in vain for the `sent`-th time.

    Doubles, with jitter: requests that failed together must not come back together.
    """
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (sent - 1)) * random.uniform(0.5, 1.0)


def retry_after(value: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for, given as seconds or as a date (RFC 9110)."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
