"""Ratings: readings survive a kill, in chunks that are the same whatever was done already."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.corpus.stages import rate
from lightning_dpg.corpus.stages.rate import rate_speeches, read_off
from lightning_dpg.progress import Steps
from lightning_dpg.records import Rating
from tests.assessment.test_local import word_tokenizer
from tests.corpus.test_build import tiny_llama

WORDS = "you are late again and the tide waits for nobody so count the ropes".split()


class Reading(LocalAssessor):
    """Remembers the batches of texts that it read, and may be killed at a later one."""

    def __init__(self, batch_size: int = 4, killed_at: int | None = None) -> None:
        super().__init__(tiny_llama(), word_tokenizer(), "tiny", min_words=2, batch_size=batch_size)
        self.read: list[list[str]] = []
        self.killed_at = killed_at

    def logprobs(self, texts: Sequence[str], advance: Any = None) -> Any:
        if len(self.read) == self.killed_at:
            raise KeyboardInterrupt
        self.read.append(list(texts))
        return super().logprobs(texts, advance)


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(rate, "CHUNK", 10)
    draw = random.Random(0)
    return [" ".join(draw.choices(WORDS, k=draw.randrange(1, 40))) for _ in range(30)]


def ignore(_: int) -> None:
    """No bar."""


def test_chunks_give_what_one_reading_gives(texts: list[str], kept: Artefacts) -> None:
    reader = Reading()
    found = read_off(reader, texts, kept, ignore)
    assert [len(chunk) for chunk in reader.read] == [8, 8, 8, 6]  # whole batches of 4
    assert np.array_equal(found, Reading().logprobs(texts))


def test_a_killed_reading_ends_with_the_same_numbers(texts: list[str], kept: Artefacts) -> None:
    whole = Reading()
    expected = read_off(whole, texts, Artefacts(kept.folder / "apart"), ignore)
    first, second, third = Reading(killed_at=2), Reading(killed_at=1), Reading()
    for killed in (first, second):
        with pytest.raises(KeyboardInterrupt):
            read_off(killed, texts, kept, ignore)
    assert np.array_equal(read_off(third, texts, kept, ignore), expected)
    assert first.read + second.read + third.read == whole.read


def test_the_bar_counts_every_text_once(texts: list[str], kept: Artefacts) -> None:
    for _ in range(2):
        told: list[int] = []
        read_off(Reading(), texts, kept, told.append)
        assert sum(told) == len(texts)


def test_another_size_of_batch_reads_again(texts: list[str], kept: Artefacts) -> None:
    read_off(Reading(4), texts, kept, ignore)
    other = Reading(8)
    read_off(other, texts, kept, ignore)
    assert sum(map(len, other.read)) == len(texts)


@pytest.fixture
def rows(texts: list[str], row: Callable[..., Any]) -> list[Any]:
    """Three characters in five dialogues, and one who is no character."""
    people = ("w/anna", "w/ben", "w/carla", "")
    return [row(f"w/{i // 6}", people[i % 4], text) for i, text in enumerate(texts)]


def test_norms_are_of_what_was_not_dropped_and_readings_of_all(
    rows: list[Any], kept: Artefacts
) -> None:
    reader = Reading()
    everybody, norms = rate_speeches(rows, reader, kept, Steps())
    some = [
        {**r, "dropped": "coherence: 1, 3 is needed"} if r["dialogue"] == "w/0" else r for r in rows
    ]
    some = [r if r["character"] else {**r, "dropped": ""} for r in some]
    reader.read.clear()
    fewer, other = rate_speeches(some, reader, kept, Steps())
    assert reader.read == []
    assert norms["en"] != other["en"]
    alone = [r for r in rows if r["dialogue"] != "w/0"]
    spoken = [r["text"] for r in alone if r["character"]]
    # The same readings, whichever they were batched with: the tiny model computes in 32 bits.
    expected, _ = rate_speeches(alone, Reading(), Artefacts(kept.folder / "b"), Steps())
    kept_rows = [r for r in fewer if r["dialogue"] != "w/0"]
    assert len(spoken) == 18
    for got, want in zip(kept_rows, expected, strict=True):
        assert (got["reply_scores"] is None) == (want["reply_scores"] is None)
        if got["reply_scores"]:
            assert got["reply_scores"] == pytest.approx(want["reply_scores"], abs=1e-3)
            assert got["dialogue_scores"] == pytest.approx(want["dialogue_scores"], abs=1e-3)
    for got in fewer[:6]:
        assert got["reply_scores"] is None and got["dialogue_scores"] is None
        assert got["reason"].startswith("not rated: coherence" if got["character"] else "")
    assert sum(r["reply_scores"] is not None for r in everybody) > 18


class Faulty(ScriptedAssessor):
    """Fails at the first of what it is asked in one of its calls: of speeches, then of parts."""

    def __init__(self, failing: int | None) -> None:
        super().__init__()
        self.failing, self.calls = failing, 0

    def rate(self, persons: Sequence[Sequence[str]], *args: Any, **kwargs: Any) -> list[Rating]:
        ratings = super().rate(persons, *args, **kwargs)
        if self.calls == self.failing:
            ratings[0] = Rating.unscored("the server failed 6 times: HTTP 500")
        self.calls += 1
        return ratings


@pytest.mark.parametrize("failing", [0, 1])
def test_what_the_server_failed_at_is_asked_again(
    rows: list[Any], kept: Artefacts, failing: int
) -> None:
    result, _ = rate_speeches(rows, Faulty(failing), kept, Steps())
    column = ("reply_scores", "dialogue_scores")[failing]
    assert result[0][column] is None
    assert (result[0]["reason"] == "") == (failing == 1)
    again, after = Faulty(None), Faulty(None)
    result, _ = rate_speeches(rows, again, kept, Steps())
    assert (again.calls, result[0]["reason"]) == (2, "")
    assert result[0][column] is not None
    assert rate_speeches(rows, after, kept, Steps())[0] == result
    assert after.calls == 0
