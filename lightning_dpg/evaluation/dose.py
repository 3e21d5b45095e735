"""Dose and response: what one dial does to its own trait, and to the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.results import ratings_tensor, trait_r
from lightning_dpg.evaluation.statistics import Floats
from lightning_dpg.records import TRAITS, Rating

FEWEST = 3


def dose_response(
    personas: Sequence[Persona], ratings: Sequence[Rating], second: Sequence[Rating]
) -> dict[str, Any]:
    """Per trait the measured scores at each dose, their rank correlation, and slopes.

    Args:
        personas: of `dose_personas`.
        ratings: one for each.
        second: those of a second instrument.

    Returns:
        By trait: `doses`, `profiles` (all five measured scores at each, for whoever reads on) and
        `measured` of its own trait, None where unscored; `slopes` of all five traits (measured
        points a point asked), None with fewer than three scored doses; `spearman`, None where
        nothing varies, too; `second_r`, the doses' correlation with what the second instrument
        measures of the trait.
    """
    targets = torch.tensor([p.target.scores for p in personas])
    seen = ratings_tensor(second)
    found: dict[str, Any] = {}
    for i, trait in enumerate(TRAITS):
        mine = [k for k, p in enumerate(personas) if p.id.startswith(f"dose/{trait}/")]
        pairs = [(personas[k].target.scores[i], ratings[k].scores) for k in mine]
        found[trait] = {
            "doses": [dose for dose, _ in pairs],
            "measured": [scores[i] for _, scores in pairs],
            "profiles": [list(scores) for _, scores in pairs],
            **_response([(d, s) for d, s in pairs if None not in s], i),
            "second_r": trait_r(targets[mine], seen[mine])[trait],
        }
    return found


def _response(pairs: Sequence[tuple[float, Sequence[float | None]]], own: int) -> dict[str, Any]:
    if len(pairs) < FEWEST:
        return {"spearman": None, "slopes": None}
    doses = np.array([dose for dose, _ in pairs])
    scores: Floats = np.array([row for _, row in pairs], dtype=np.float64)
    varies = float(np.ptp(scores[:, own])) > 0
    return {
        "spearman": float(spearmanr(doses, scores[:, own]).statistic) if varies else None,
        "slopes": np.polyfit(doses, scores, 1)[0].tolist(),
    }
