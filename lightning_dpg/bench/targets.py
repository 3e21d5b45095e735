"""DESIGN's targets of speed, and whether what was measured meets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lightning_dpg.bench.cases import Work
from lightning_dpg.bench.contenders import (
    FROZEN,
    GENERATED,
    HYPERNETWORK,
    MIXED,
    OURS,
    PEFT,
    STATIC,
)

Results = Mapping[str, Any]
PERSONAS = 8
"""Samples of the batch that the targets of decoding speak of."""
MANY = (OURS, GENERATED)
"""Ours with many personas: with an A for each, and with one for all."""


@dataclass(frozen=True)
class Target:
    """A ratio of two contenders and its bound.

    Where several contenders are named, the worst of them counts in each case.

    Attributes:
        title: for people.
        work: of which cases.
        above: whose time is divided.
        below: by whose.
        bound: of the ratio; None where nothing is aimed at, and it is measured for information.
        side: `most` or `least`.
        batch: of which cases; None for all.
    """

    title: str
    work: Work
    above: Sequence[str]
    below: Sequence[str]
    bound: float | None
    side: Literal["most", "least"] = "most"
    batch: int | None = None


def targets(device: str) -> list[Target]:
    """The targets on a device such as `cpu` or `cuda:0`."""
    decoding = 1.15 if device == "cpu" else 1.20
    static = "over PEFT's static"
    return [
        Target("hooked forward over the frozen forward", "prefill", MANY, [FROZEN], 1.05),
        Target(f"training step, one LoRA a sample, {static}", "training", [OURS], [PEFT], 1.10),
        Target(f"training step, one LoRA for all, {static}", "training", [STATIC], [PEFT], 1.10),
        Target(
            f"training step with the hypernetwork, {static}",
            "training",
            [HYPERNETWORK],
            [PEFT],
            bound=None,
        ),
        Target(
            f"decoding with {PERSONAS} personas over the frozen model",
            "decoding",
            MANY,
            [FROZEN],
            decoding,
            batch=PERSONAS,
        ),
        Target(
            f"decoding with {PERSONAS} personas, times faster than PEFT's adapter_names",
            "decoding",
            [MIXED],
            MANY,
            3.0,
            side="least",
            batch=PERSONAS,
        ),
    ]


def verdicts(results: Results) -> list[dict[str, Any]]:
    """Each target with what was measured, its worst case deciding.

    Args:
        results: as `run.bench.bench` makes them.

    Returns:
        For each `target`, `bound` (empty where nothing is aimed at), `measured` (None where no case
        speaks of it), `where`, `met` (None where nothing is aimed at or measured), and in how many
        of how many cases it is met.
    """
    found = [_verdict(t, results["cases"]) for t in targets(results["machine"]["device"])]
    return [*found, _persona(results["persona"])]


def _verdict(target: Target, cases: Sequence[Results]) -> dict[str, Any]:
    ratios = list(_ratios(target, cases))
    bound, sign = target.bound, "≤" if target.side == "most" else "≥"
    said = {"target": target.title, "bound": "" if bound is None else f"{sign} {bound:.2f}"}
    if not ratios:
        return {**said, "measured": None, "where": None, "met": None, "good": 0, "cases": 0}
    worst = _worst(target)(ratios, key=lambda pair: pair[0])
    good = sum(_holds(target, value) for value, _ in ratios)
    return {
        **said,
        "measured": worst[0],
        "where": worst[1],
        "met": None if bound is None else good == len(ratios),
        "good": good,
        "cases": len(ratios),
    }


def _ratios(target: Target, cases: Sequence[Results]) -> Iterable[tuple[float, str]]:
    for case in cases:
        if case["work"] != target.work or target.batch not in (None, case["batch"]):
            continue
        p50 = {c["name"]: c["p50"] for c in case["contenders"]}
        ratios = [p50[a] / p50[b] for a in target.above for b in target.below if {a, b} <= set(p50)]
        if ratios:
            yield _worst(target)(ratios), place(case)


def place(case: Results) -> str:
    """Precision and size of a case, such as `nf4/bfloat16, B 8, T 512`."""
    end = ", checkpointing" if case["checkpointing"] else ""
    return f"{case['precision']}, B {case['batch']}, T {case['tokens']}{end}"


def _worst(target: Target) -> Callable[..., Any]:
    return max if target.side == "most" else min


def _holds(target: Target, value: float) -> bool:
    if target.bound is None:
        return True
    return value <= target.bound if target.side == "most" else value >= target.bound


def _persona(persona: Results) -> dict[str, Any]:
    token = persona["token_measured"] or persona["token_seconds"]
    kind = "measured" if persona["token_measured"] else "by its bytes"
    ratio = persona["p50"] / token
    return {
        "target": f"new persona to ready adapter over one decoded token of {persona['model']}",
        "bound": "≤ 1.00",
        "measured": ratio,
        "where": f"{1e3 * persona['p50']:.1f} ms over {1e3 * token:.1f} ms, {kind}",
        "met": ratio <= 1,
        "good": int(ratio <= 1),
        "cases": 1,
    }
