"""The instruments of an evaluation, and whether a second one sees the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from lightning_dpg.assessment.base import Assessor
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.results import ratings_tensor, trait_r
from lightning_dpg.metrics.functional import scored


@dataclass(frozen=True)
class Instruments:
    """Who rates what.

    Attributes:
        judge: rates personas by all their replies; its scores are the P.S.D.C.'s.
        reader: rates single replies, as they were labelled.
        second: an instrument that neither labelled nor judges.
    """

    judge: Assessor
    reader: Assessor
    second: Assessor


def agreement(
    personas: Sequence[Persona], said: Sequence[Sequence[str]], second: Assessor
) -> dict[str, Any]:
    """What a second instrument makes of the same replies: correlation with what was asked."""
    measured = ratings_tensor(second.rate(said))
    targets = torch.tensor([p.target.scores for p in personas])
    return {
        "instrument": second.identity,
        "trait_r": trait_r(targets, measured),
        "scored": int(scored(measured).sum()),
    }
