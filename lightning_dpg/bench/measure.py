"""One case: its contenders checked against each other, then timed in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from lightning_dpg.bench import agreement, cases, references, timing
from lightning_dpg.bench.agreement import Answer
from lightning_dpg.bench.cases import Case
from lightning_dpg.bench.contenders import BASELINE, DPG, LABELS, MIXED, NAIVE, OURS, Contender
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
    errors, peaks = _checked(stand, case, taking, runs)
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
    need = {
        NAIVE: stand.setting.memory(case, repeated=True),
        DPG: stand.setting.memory(replace(case, batch=2 * case.batch)),  # two profiles a sample
    }
    free = free_bytes(stand.device)
    taking, left_out = [], []
    for contender in stand.contenders(case):
        name = contender.name
        why = cases.too_large(need.get(name, 0.0), free, LABELS[name])
        if why is None:
            taking.append(contender)
        else:
            left_out.append({"name": name, "label": LABELS[name], "why": why})
    return taking, left_out


def _checked(
    stand: Stand, case: Case, taking: Sequence[Contender], runs: dict[str, Callable[[], Answer]]
) -> tuple[dict[str, float], dict[str, int]]:
    """Errors and peaks of memory, of contenders that agree."""
    answers: dict[str, Answer] = {}
    peaks: dict[str, int] = {}
    for name, run in runs.items():
        answers[name], peaks[name] = with_peak(run, stand.device)
    exact: Mapping[str, Answer]
    if case.work == "training":
        exact = references.gradients(stand, taking, *_texts(stand, case))
    else:
        exact = references.as_generated(stand, runs[MIXED])
    return agreement.check(answers, stand.setting.dtype, case.title, exact), peaks


def _texts(stand: Stand, case: Case) -> tuple[Tensor, Tensor]:
    """Tokens and labels of a training step, (B, T): the first half is the prompt."""
    ids, _ = stand.inputs(case)
    labels = ids.clone()
    labels[:, : case.tokens // 2] = IGNORED
    return ids, labels


def _runs(stand: Stand, case: Case, taking: Sequence[Contender]) -> dict[str, Callable[[], Answer]]:
    """A function for each contender that does the case's work once."""
    ids, new = stand.inputs(case)
    for contender in taking:
        contender.prepare(case.checkpointing)
    if case.work == "prefill":
        return {c.name: partial(c.prefill, ids) for c in taking}
    if case.work == "training":
        return {c.name: partial(c.train, *_texts(stand, case)) for c in taking}
    with torch.no_grad():  # what the cache holds does not change the time: one serves all
        cache = taking[0].model(input_ids=ids, use_cache=True, logits_to_keep=1).cache
    return {c.name: partial(c.decode, new, cache) for c in taking}
