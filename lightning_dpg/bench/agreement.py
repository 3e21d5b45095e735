"""Correct before fast: contenders with the same adapters must say the same, and not the base's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lightning_dpg.bench.contenders import FROZEN, LABELS, REFERENCES
from lightning_dpg.errors import UserError

Answer = Sequence[Tensor]
"""Logits, one tensor, or gradients; the first axis of each tensor are samples, or it is 1."""

LIMIT = {"float32": 1e-3, "bfloat16": 0.3}
"""Largest error over the adapters' own effect. Another persona's adapter is off by 1 or more, a
scale wrong by half by .5; rounding in bfloat16 over 32 layers by up to .2 (`docs/log.md`)."""
LEAST_EFFECT = 0.03
"""Of the frozen model's logits, without what is common to all words, which says nothing and is most
of them in SmolLM2. Less would hide an injection that does nothing."""


class DisagreementError(UserError):
    """A contender computes something else than the one that it is measured against."""


def check(
    answers: Mapping[str, Answer],
    dtype: str,
    case: str,
    exact: Mapping[str, Answer] | None = None,
) -> dict[str, float]:
    """Compare answers of contenders that have the same adapters.

    Each sample of each tensor is compared alone: one wrong sample would hide among many.

    Args:
        answers: logits or gradients of each contender, of the same shape for the same adapters; the
            frozen model's, where it is there, is what adapters are to change.
        dtype: `bfloat16` or `float32`.
        case: for the error message.
        exact: references that take no part, by the contender that is compared with them; all others
            are compared with one another (`REFERENCES`).

    Returns:
        Each checked contender's largest error over the adapters' effect, ‖own - reference‖ over
        ‖reference - frozen‖.

    Raises:
        DisagreementError: an error above `LIMIT`, numbers that are not finite, or no effect.
    """
    references = {**_others(answers), **(exact or {})}
    base = answers.get(FROZEN)
    errors: dict[str, float] = {}
    for name, answer in answers.items():
        if not all(t.isfinite().all() for t in answer) or not any(t.any() for t in answer):
            raise DisagreementError(f"{case}: {LABELS[name]} gives zeros, infinities or NaN")
        if name not in references:
            continue
        reference = references[name]
        if base is not None and not _differs(reference, base):
            raise DisagreementError(f"{case}: {LABELS[name]} says what the frozen model says")
        errors[name] = _error(answer, reference, base)
        if not errors[name] <= LIMIT[dtype]:
            raise DisagreementError(
                f"{case}: {LABELS[name]} is off its reference by {errors[name]:.2g} of what the "
                f"adapters change; at most {LIMIT[dtype]:g} was expected in {dtype}"
            )
    return errors


def _others(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """The answer of the first of each contender's `REFERENCES` that is there."""
    found = {name: [n for n in REFERENCES.get(name, []) if n in answers] for name in answers}
    return {name: answers[others[0]] for name, others in found.items() if others}


def _differs(reference: Answer, base: Answer) -> bool:
    def apart(own: Tensor, frozen: Tensor) -> bool:
        own, frozen = (t.float() - t.float().mean(-1, keepdim=True) for t in (own, frozen))
        return bool((_norms(own, frozen) >= LEAST_EFFECT * _norms(frozen)).all())

    return all(apart(own, frozen) for own, frozen in zip(reference, base, strict=True))


def _error(answer: Answer, reference: Answer, base: Answer | None) -> float:
    """The largest of all samples and tensors."""
    frozen: Sequence[Tensor | float] = base or [0.0] * len(reference)
    ratios = [
        (_norms(own, other) / _norms(other, nothing).clamp(min=1e-30)).max()
        for own, other, nothing in zip(answer, reference, frozen, strict=True)
    ]
    return float(torch.stack(ratios).max())


def _norms(one: Tensor, other: Tensor | float = 0.0) -> Tensor:
    """Of each sample's difference."""
    norms: Tensor = (one.float() - other).flatten(1).norm(dim=1)
    return norms
