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
        By trait: `doses`, `profiles` (all five measured scores at each) and `measured` of its own
        trait (None where unscored), `spearman`, `slopes` of all five (measured points a point
        asked), `slope` of its own, `off_slope` (the steepest of another, signed) and `off_trait`
        (which one), and `second_r` (the doses' correlation with what the second instrument measures
        of the trait). None with fewer than three scored doses, or where nothing varies.
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
            **_slopes([(d, s) for d, s in pairs if None not in s], i),
            "second_r": trait_r(targets[mine], seen[mine])[trait],
        }
    return found


def _slopes(pairs: Sequence[tuple[float, Sequence[float | None]]], own: int) -> dict[str, Any]:
    if len(pairs) < FEWEST:
        return dict.fromkeys(("spearman", "slopes", "slope", "off_slope", "off_trait"))
    doses = np.array([dose for dose, _ in pairs])
    scores: Floats = np.array([row for _, row in pairs], dtype=np.float64)
    slopes = np.polyfit(doses, scores, 1)[0]
    others = [i for i in range(len(TRAITS)) if i != own]
    steepest = max(others, key=lambda i: abs(slopes[i]))
    varies = float(np.ptp(scores[:, own])) > 0
    return {
        "spearman": float(spearmanr(doses, scores[:, own]).statistic) if varies else None,
        "slopes": slopes.tolist(),
        "slope": float(slopes[own]),
        "off_slope": float(slopes[steepest]),
        "off_trait": TRAITS[steepest],
    }
