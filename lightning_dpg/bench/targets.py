"""DESIGN's targets of speed, and whether what was measured meets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lightning_dpg.bench.cases import Work
from lightning_dpg.bench.contenders import FROZEN, MIXED, OURS, PEFT, STATIC

Results = Mapping[str, Any]
PERSONAS = 8
"""Samples of the batch that the targets of decoding speak of."""


@dataclass(frozen=True)
class Target:
    """A ratio of two contenders and its bound.

    Attributes:
        title: for people.
        work: of which cases.
        above: whose time is divided.
        below: by whose.
        bound: of the ratio.
        side: `most` or `least`.
        batch: of which cases; None for all.
    """

    title: str
    work: Work
    above: str
    below: str
    bound: float
    side: Literal["most", "least"] = "most"
    batch: int | None = None


def targets(device: str) -> list[Target]:
    """The targets on a device such as `cpu` or `cuda:0`."""
    decoding = 1.15 if device == "cpu" else 1.20
    return [
        Target("hooked forward over the frozen forward", "prefill", OURS, FROZEN, 1.05),
        Target(
            "training step, one LoRA a sample, over PEFT's static", "training", OURS, PEFT, 1.10
        ),
        Target(
            "training step, one LoRA for all, over PEFT's static", "training", STATIC, PEFT, 1.10
        ),
        Target(
            f"decoding with {PERSONAS} personas over the frozen model",
            "decoding",
            OURS,
            FROZEN,
            decoding,
            batch=PERSONAS,
        ),
        Target(
            f"decoding with {PERSONAS} personas, times faster than PEFT's adapter_names",
            "decoding",
            MIXED,
            OURS,
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
        For each `target`, `bound`, `measured` (None where no case speaks of it), `where`, `met`,
        and in how many of how many cases it is met.
    """
    found = [_verdict(t, results["cases"]) for t in targets(results["machine"]["device"])]
    return [*found, _persona(results["persona"])]


def _verdict(target: Target, cases: Sequence[Results]) -> dict[str, Any]:
    ratios = list(_ratios(target, cases))
    sign = "≤" if target.side == "most" else "≥"
    said = {"target": target.title, "bound": f"{sign} {target.bound:.2f}"}
    if not ratios:
        return {**said, "measured": None, "where": None, "met": None, "good": 0, "cases": 0}
    worst = (max if target.side == "most" else min)(ratios, key=lambda pair: pair[0])
    good = sum(_holds(target, value) for value, _ in ratios)
    return {
        **said,
        "measured": worst[0],
        "where": worst[1],
        "met": good == len(ratios),
        "good": good,
        "cases": len(ratios),
    }


def _ratios(target: Target, cases: Sequence[Results]) -> Iterable[tuple[float, str]]:
    for case in cases:
        if case["work"] != target.work or target.batch not in (None, case["batch"]):
            continue
        p50 = {c["name"]: c["p50"] for c in case["contenders"]}
        if target.above in p50 and target.below in p50:
            yield p50[target.above] / p50[target.below], place(case)


def place(case: Results) -> str:
    """Precision and size of a case, such as `nf4/bfloat16, B 8, T 512`."""
    end = ", checkpointing" if case["checkpointing"] else ""
    return f"{case['precision']}, B {case['batch']}, T {case['tokens']}{end}"


def _holds(target: Target, value: float) -> bool:
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
