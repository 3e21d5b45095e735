"""Kill -9 at any moment, and the same call: the same corpus, and nothing done twice.

Builds run in forked processes, which start at once, and are killed by the clock.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lightning_dpg.config import DataConfig, FilterConfig
from lightning_dpg.corpus.build import build_corpus
from lightning_dpg.corpus.stages import rate
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.progress import Steps
from lightning_dpg.records import Dialogue
from tests.corpus.stages.test_rate import Reading
from tests.corpus.test_build import contents

SCENES, SPEECHES = 6, 10
WORDS = "you are late again and the tide waits for nobody so count the ropes".split()


class Slow(Reading):
    """Takes its time, and writes down each chunk that it begins."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self.log = log

    def logprobs(self, texts: Sequence[str], advance: Any = None) -> Any:
        with self.log.open("a") as file:
            file.write(f"{hash(tuple(texts))}\n")  # strings hash alike in forked processes
        time.sleep(0.03)
        return super().logprobs(texts, advance)


class Judge:
    """Takes its time, too."""

    identity = "scripted judge"

    def judge(self, dialogues: Sequence[Dialogue], advance: Any = None) -> list[Any]:
        time.sleep(0.05)
        return [
            SimpleNamespace(coherence=1.0 + 4 * (i > 0), integrity=4.0, reason="")
            for i, _ in enumerate(dialogues)
        ]


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rate, "CHUNK", 8)
    draw = random.Random(0)
    path = tmp_path / "ferry.txt"
    lines = [
        f"{('ANNA', 'BEN', 'CARLA')[i % 3]}: {' '.join(draw.choices(WORDS, k=4 + i % 9))}.\n"
        + ("\n【Later】\n" if i % SPEECHES == SPEECHES - 1 else "")
        for i in range(SCENES * SPEECHES)
    ]
    path.write_text("【Now】\n" + "".join(lines), encoding="utf-8")
    return path


def build(texts: Path, folder: Path) -> Corpus:
    config = DataConfig(sources=[str(texts)], filters=FilterConfig(2.5, 3))
    assessor = Slow(folder.with_suffix(".log"))
    corpus = build_corpus(config, assessor, folder, Steps(), Judge())
    corpus.save(folder.with_suffix(".out"))
    return corpus


def killed(texts: Path, folder: Path, after: float) -> bool:
    """Whether a build in a process of its own was still under way when it was killed."""
    process = multiprocessing.get_context("fork").Process(target=build, args=(texts, folder))
    process.start()
    process.join(after)
    process.kill()
    process.join()
    return process.exitcode != 0


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_a_killed_build_ends_as_one_that_was_not(texts: Path, tmp_path: Path, kills: int) -> None:
    start = time.perf_counter()
    whole = build(texts, tmp_path / "whole")
    seconds = time.perf_counter() - start
    draw, folder = random.Random(kills), tmp_path / "killed"
    most = 4 * seconds / kills  # the more kills, the earlier: else the first few builds finish
    under_way = sum(killed(texts, folder, draw.uniform(0, most)) for _ in range(kills))
    assert under_way > 0
    corpus = build(texts, folder)
    assert corpus.card == whole.card
    assert whole.card["dropped"]["coherence"]["dialogues"] == 1
    assert whole.card["dropped"]["distance"]["parts"] > 0
    assert contents(folder.with_suffix(".out")) == contents(
        (tmp_path / "whole").with_suffix(".out")
    )
    for file, content in contents(tmp_path / "whole").items():
        assert (folder / file).read_bytes() == content, file
    once = (tmp_path / "whole.log").read_text().splitlines()
    begun = folder.with_suffix(".log").read_text().splitlines()
    assert len(set(once)) == len(once) == 8
    assert set(begun) == set(once)
    assert len(begun) <= len(once) + under_way  # what was under way when it was killed
