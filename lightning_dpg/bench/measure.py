"""One case: its contenders checked against each other, then timed in turn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from lightning_dpg.bench import agreement, cases, timing
from lightning_dpg.bench.cases import Case
from lightning_dpg.bench.contenders import BASELINE, LABELS, NAIVE, OURS, Contender
from lightning_dpg.bench.machine import seconds, wait_for
from lightning_dpg.bench.memory import free_bytes, with_peak
from lightning_dpg.bench.stand import Stand
from lightning_dpg.data.collate import IGNORED

LEAST_REPEATS = 3
CHECKING = 3
"""Rounds that the check takes: it is the warm-up too, and counting memory slows it down."""


def measure(stand: Stand, case: Case, repeats: int, share: float) -> dict[str, Any]:
    """Check and time a case.

    Args:
        stand: with the model.
        case: which.
        repeats: at most.
        share: seconds that it may take; three repetitions are made in any case.

    Returns:
        What JSON has of it.

    Raises:
        DisagreementError: contenders that should say the same do not.
    """
    taking, left_out = _taking_part(stand, case)
    runs = _runs(stand, case, taking)
    answers: dict[str, Tensor] = {}
    peaks: dict[str, int] = {}
    for name, run in runs.items():
        answers[name], peaks[name] = with_peak(run, stand.device)
    errors = agreement.check(answers, stand.setting.dtype, case.title)
    answers.clear()
    round_ = sum(seconds(run, stand.device) for run in runs.values())
    most = max(LEAST_REPEATS, min(repeats, int(share / round_) - CHECKING - 1))
    times = timing.interleaved(runs, most, partial(wait_for, stand.device))
    base = BASELINE[case.work]
    return {
        "work": case.work,
        "batch": case.batch,
        "tokens": case.tokens,
        "checkpointing": case.checkpointing,
        "new_tokens": case.new_tokens if case.work == "decoding" else 0,
        "precision": stand.setting.precision,
        "baseline": base,
        "floor": stand.setting.least_ratio(case),
        "round_seconds": round_,
        "left_out": left_out,
        "contenders": [
            {
                "name": name,
                "label": LABELS[name],
                **timing.spread(taken),
                "peak_bytes": peaks[name],
                "over_baseline": timing.ratio(taken, times[base]),
                "over_ours": timing.ratio(taken, times[OURS]),
                "error": errors.get(name),
                "seconds": taken,
            }
            for name, taken in times.items()
        ],
    }


def _taking_part(stand: Stand, case: Case) -> tuple[list[Contender], list[dict[str, str]]]:
    """The contenders that fit into memory, and why others do not."""
    why = cases.too_large(
        stand.setting.memory(case, repeated=True), free_bytes(stand.device), LABELS[NAIVE]
    )
    taking = stand.contenders(case)
    if why is None:
        return taking, []
    left_out = [{"name": NAIVE, "label": LABELS[NAIVE], "why": why}]
    return [contender for contender in taking if contender.name != NAIVE], left_out


def _runs(stand: Stand, case: Case, taking: list[Contender]) -> dict[str, Callable[[], Tensor]]:
    """A function for each contender that does the case's work once."""
    ids, new = stand.inputs(case)
    for contender in taking:
        contender.prepare(case.checkpointing)
    if case.work == "prefill":
        return {c.name: partial(c.prefill, ids) for c in taking}
    if case.work == "training":
        labels = ids.clone()
        labels[:, : case.tokens // 2] = IGNORED
        return {c.name: partial(c.train, ids, labels) for c in taking}
    with torch.no_grad():  # what the cache holds does not change the time: one serves all
        cache = taking[0].model(input_ids=ids, use_cache=True, logits_to_keep=1).cache
    return {c.name: partial(c.decode, new, cache) for c in taking}
