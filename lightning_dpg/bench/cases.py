"""What is measured: the grid of cases, and which of them a machine leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from lightning_dpg.bench import budget, floor
from lightning_dpg.bench.floor import Shapes
from lightning_dpg.models.lora import Site

Work = Literal["prefill", "decoding", "training"]
WORKS: tuple[Work, ...] = ("prefill", "decoding", "training")
NEW_TOKENS = 32
SAFETY = 1.3
"""What memory takes beyond the arithmetic: fragments, and what the libraries hold."""


@dataclass(frozen=True)
class Case:
    """One cell of the grid.

    Attributes:
        work: `prefill`: a forward pass without gradients; `training`: a forward and a backward
            pass; `decoding`: tokens one by one with a cache.
        batch: B, each sample with a persona of its own.
        tokens: T; in decoding those that are in the cache to begin with.
        checkpointing: whether training computes layers again in the backward pass.
        new_tokens: how many decoding adds.
    """

    work: Work
    batch: int
    tokens: int
    checkpointing: bool = False
    new_tokens: int = NEW_TOKENS

    @property
    def title(self) -> str:
        """For people, such as `training, B 8, T 512, checkpointing`."""
        end = ", checkpointing" if self.checkpointing else ""
        return f"{self.work}, B {self.batch}, T {self.tokens}{end}"


@dataclass(frozen=True)
class Preset:
    """A grid and how long it may take.

    Attributes:
        batches: values of B.
        tokens: values of T.
        repeats: repetitions of a case at most.
        seconds: of the whole benchmark.
        new_tokens: of decoding.
        works: what is measured.
    """

    batches: tuple[int, ...]
    tokens: tuple[int, ...]
    repeats: int
    seconds: float
    new_tokens: int = NEW_TOKENS
    works: tuple[Work, ...] = WORKS


QUICK = Preset((8,), (128,), 7, 300.0)
FULL = Preset((1, 8, 32), (128, 512, 2048), 15, 7200.0)


def grid(
    batches: Iterable[int],
    tokens: Iterable[int],
    new_tokens: int = NEW_TOKENS,
    works: Sequence[Work] = WORKS,
) -> list[Case]:
    """All cases, small ones first: they tell how long the large ones would take."""
    cases = [
        Case(work, b, t, checkpointing, new_tokens)
        for work, b, t in product(works, batches, tokens)
        for checkpointing in ([False, True] if work == "training" else [False])
    ]
    return sorted(cases, key=lambda c: (c.batch * c.tokens, WORKS.index(c.work), c.checkpointing))


@dataclass(frozen=True)
class Setting:
    """What all cases of one loaded model share.

    Attributes:
        shapes: of the model.
        sites: where adapters go.
        rank: r.
        dtype: `bfloat16` or `float32`.
        quantization: `nf4` or `none`.
    """

    shapes: Shapes
    sites: Sequence[Site]
    rank: int
    dtype: str
    quantization: str

    @property
    def precision(self) -> str:
        """For people, such as `nf4/bfloat16`."""
        return self.dtype if self.quantization == "none" else f"{self.quantization}/{self.dtype}"

    def operations(self, case: Case) -> float:
        """What a case's time grows with, in any unit."""
        args = (self.shapes, self.sites, self.rank, case.batch)
        if case.work == "training":
            return floor.training_operations(*args, case.tokens, case.checkpointing).frozen
        if case.work == "prefill":
            return floor.forward_operations(*args, case.tokens).frozen
        return case.new_tokens * self.decoding(case).frozen

    def decoding(self, case: Case) -> floor.Cost:
        """Bytes read for one token of each sample."""
        return floor.decoding_bytes(
            self.shapes,
            self.sites,
            self.rank,
            case.batch,
            case.tokens,
            self.dtype,
            self.quantization,
        )

    def least_ratio(self, case: Case) -> float:
        """The floor of ours over the baseline of that work (`contenders.BASELINE`)."""
        if case.work == "training":
            return 1.0  # PEFT's static LoRA does the same sums
        if case.work == "decoding":
            return self.decoding(case).ratio
        args = (self.shapes, self.sites, self.rank, case.batch, case.tokens)
        return floor.forward_operations(*args).ratio

    def memory(self, case: Case, repeated: bool = False) -> float:
        """Bytes that a case needs beside weights.

        Args:
            case: which.
            repeated: whether A and B are repeated for every token.
        """
        batch, tokens = case.batch, case.tokens
        run = 1 if case.work == "decoding" else tokens
        own = budget.adapter_bytes(self.sites, self.rank, batch, self.dtype)
        if repeated:
            # With checkpointing the sites of one layer at a time; a layer has two of them or more.
            kept = case.work == "training" and not case.checkpointing
            own += budget.repeated_bytes(self.sites, self.rank, batch, run, self.dtype, kept)
        if case.work == "decoding":
            return SAFETY * (own + budget.decoding_memory(self.shapes, batch, tokens, self.dtype))
        if case.work == "prefill":
            need = budget.forward_memory(self.shapes, batch, tokens, self.dtype, self.quantization)
            return SAFETY * (own + need)
        parts = budget.training_memory(
            self.shapes,
            self.sites,
            self.rank,
            batch,
            tokens,
            checkpointing=case.checkpointing,
            dtype=self.dtype,
            quantization=self.quantization,
            trained=0,
        )
        return SAFETY * (own + sum(parts.values()) - parts["weights"])


@dataclass
class Pace:
    """How long cases take, learned from those that were measured.

    Attributes:
        setting: what they share.
        gpu: whether small cases wait for launches, so that time grows with operations only from
            some size on: then the line through the two largest tells how, never steeper than in
            proportion, and one alone that the next takes as long.
        known: the seconds that one round of a case took, all its contenders together.
    """

    setting: Setting
    gpu: bool = False
    known: dict[Case, float] = field(default_factory=dict)

    def seconds(self, case: Case) -> float | None:
        """Seconds of one round, by the largest cases of the same work; None before the first."""
        work = [known for known in self.known if known.work == case.work]
        same = [known for known in work if known.checkpointing == case.checkpointing]
        alike = sorted((self.setting.operations(k), self.known[k]) for k in same or work)
        if not alike:
            return None
        size, time = alike[-1]
        slope = time / size
        if self.gpu:
            smaller, before = alike[-2] if len(alike) > 1 else (0.0, time)
            slope = min(slope, max(0.0, time - before) / (size - smaller))
        return time + slope * (self.setting.operations(case) - size)


def too_large(needed: float, free: float, what: str) -> str | None:
    """Why something is left out for its memory; None where it fits.

    Args:
        needed: bytes.
        free: bytes.
        what: in words.
    """
    if needed <= free:
        return None
    return f"{what} needs about {_gib(needed)} GiB, and {_gib(free)} GiB are free"


def too_long(seconds: float | None, rounds: int, left: float, what: str) -> str | None:
    """Why a case is left out for its time; None where it fits.

    Args:
        seconds: of a round; None where nobody knows yet, which is tried while any time is left.
        rounds: at least so many are run.
        left: seconds that are left.
        what: in words.
    """
    if left <= 0:
        return f"{what}: the time (--seconds) is spent"
    if seconds is None or seconds * rounds <= left:
        return None
    return (
        f"{what} takes about {seconds * rounds:.0f} s, and {left:.0f} s of the time (--seconds) "
        "are left"
    )


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f}"
