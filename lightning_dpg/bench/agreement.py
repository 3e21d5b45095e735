"""Correct before fast: contenders with the same adapters must say the same, and not the base's."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from lightning_dpg.bench.contenders import FROZEN, LABELS, REFERENCES

LIMIT = {"float32": 1e-3, "bfloat16": 0.25}
"""Largest error over the adapters' own effect. Another persona's adapter is off by 1 or more, twice
the scale by about 1; rounding in bfloat16 over 32 layers takes some hundredths."""
LEAST_EFFECT = 0.05
"""Of the frozen model's answer: less would hide an injection that does nothing."""


class DisagreementError(RuntimeError):
    """A contender computes something else than the one that it is measured against."""


def check(answers: Mapping[str, Tensor], dtype: str, case: str) -> dict[str, float]:
    """Compare answers of contenders that have the same adapters.

    Args:
        answers: logits or gradients of each contender, of the same shape for the same adapters; the
            frozen model's, where it is there, is what adapters are to change.
        dtype: `bfloat16` or `float32`.
        case: for the error message.

    Returns:
        Each checked contender's error over the adapters' effect, ‖own - reference‖ over
        ‖reference - frozen‖.

    Raises:
        DisagreementError: an error above `LIMIT`, numbers that are not finite, or no effect.
    """
    base = answers.get(FROZEN)
    errors: dict[str, float] = {}
    for name, answer in answers.items():
        if not answer.isfinite().all() or not answer.abs().sum() > 0:
            raise DisagreementError(f"{case}: {LABELS[name]} gives zeros, infinities or NaN")
        reference = _reference(name, answers)
        if reference is None:
            continue
        effect = _effect(reference, base)
        if base is not None and effect < LEAST_EFFECT * float(base.float().norm()):
            raise DisagreementError(f"{case}: {LABELS[name]} says what the frozen model says")
        errors[name] = float((answer.float() - reference.float()).norm()) / effect
        if errors[name] > LIMIT[dtype]:
            raise DisagreementError(
                f"{case}: {LABELS[name]} is off its reference by {errors[name]:.2g} of what the "
                f"adapters change; at most {LIMIT[dtype]:g} was expected in {dtype}"
            )
    return errors


def _reference(name: str, answers: Mapping[str, Tensor]) -> Tensor | None:
    return next((answers[n] for n in REFERENCES.get(name, []) if n in answers), None)


def _effect(reference: Tensor, base: Tensor | None) -> float:
    changed = reference.float() if base is None else reference.float() - base.float()
    return float(changed.norm())
