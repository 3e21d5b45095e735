"""Workers, pauses, `Retry-After` and backoff; at the server: bounds and rate limits."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from lightning_dpg.assessment.asking import pacing
from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.pacing import JobQueue, backoff, retry_after
from lightning_dpg.errors import UserError
from tests.assessment.asking.openai_server import Asked, always, first, serve
from tests.assessment.asking.prompts import prompts

Make = Callable[..., Asker]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_retry_after_a_date_to_come() -> None:
    seconds = retry_after(formatdate(time.time() + 100, usegmt=True))
    assert seconds is not None and 90 < seconds <= 100


def test_backoff_doubles_with_jitter_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "FIRST_WAIT", 1.0)
    for sent, longest in ((1, 1.0), (2, 2.0), (4, 8.0), (20, 60.0)):
        waits = [backoff(sent) for _ in range(200)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
        assert max(waits) - min(waits) > longest / 4, "they must not come back together"


def test_jobs_put_off_leave_the_worker_free_and_come_first_once_due() -> None:
    async def scene() -> list[int]:
        queue, seen, again = JobQueue(iter(range(4))), list[int](), {0}
        while (job := await queue.next()) is not None:
            seen.append(job)
            if job in again:
                again.remove(job)
                queue.put_off(job, 0.02)
            if job == 2:
                await asyncio.sleep(0.05)
            queue.done()
        return seen

    assert asyncio.run(scene()) == [0, 1, 2, 0, 3]


def test_a_pause_holds_everyone_and_a_stop_ends_everyone() -> None:
    async def scene() -> None:
        queue = JobQueue(iter(range(100)))
        queue.pause(0.05)
        start = time.monotonic()
        assert await queue.next() == 0
        assert time.monotonic() - start >= 0.05
        waiting = asyncio.create_task(queue.next())
        assert await waiting == 1
        queue.pause(1000)
        waiting = asyncio.create_task(queue.next())
        await asyncio.sleep(0)
        queue.stop()
        assert await waiting is None and await queue.next() is None

    asyncio.run(scene())


def test_the_last_worker_to_finish_releases_the_others() -> None:
    async def scene() -> None:
        queue = JobQueue(iter([1]))
        assert await queue.next() == 1
        other = asyncio.create_task(queue.next())
        await asyncio.sleep(0)
        queue.put_off(1)
        queue.done()
        assert await other == 1
        other = asyncio.create_task(queue.next())
        await asyncio.sleep(0)
        assert not other.done(), "the job under way may still be put off"
        queue.done()
        assert await other is None

    asyncio.run(scene())


@pytest.mark.parametrize("concurrency", [1, 4])
def test_no_more_requests_at_a_time_than_allowed_and_no_fewer(
    make_asker: Make, concurrency: int
) -> None:
    with serve(gather=concurrency, patience=3.0) as server:
        make_asker(server, concurrency=concurrency).ask(prompts(concurrency * 5))
        assert server.most == concurrency
        assert server.full >= concurrency * 4, "answered only while all were under way"


def test_a_rate_limit_holds_the_others_too(make_asker: Make) -> None:
    times: list[float] = []

    def once(asked: Asked) -> str:
        times.append(time.monotonic())
        return "rate_limit" if len(times) == 3 else ""

    with serve(faults=once, retry_after="0.4") as server:
        make_asker(server, concurrency=1).ask(prompts(6))
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(gaps) == 6 and gaps[2] >= 0.4, "the other prompts waited with the one refused"
    assert server.kinds["rate_limit"] == 1


def test_a_limit_without_a_time_backs_off(make_asker: Make) -> None:
    with serve(faults=first("rate_limit"), retry_after=None) as server:
        assert all(answer.value for answer in make_asker(server).ask(prompts(3)))
        assert sum(server.seen.values()) == 6


def test_a_pause_of_hours_is_said_instead_of_waited_for(make_asker: Make) -> None:
    with (
        serve(faults=always("rate_limit"), retry_after="7200") as server,
        pytest.raises(UserError, match=r"asks to wait 120 minutes.*what was answered is kept"),
    ):
        make_asker(server).ask(prompts(3))
