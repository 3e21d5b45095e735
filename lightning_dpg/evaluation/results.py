"""Ratings as tensors, and tensors as the plain values of `results.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.statistics import Floats
from lightning_dpg.metrics.functional import scored, trait_correlation
from lightning_dpg.records import TRAITS, Rating


def ratings_tensor(ratings: Sequence[Rating]) -> Tensor:
    """Ratings as (personas, 5), NaN where there is no score."""
    rows = [[np.nan if s is None else s for s in rating.scores] for rating in ratings]
    return torch.tensor(rows, dtype=torch.float32).reshape(len(rows), len(TRAITS))


def trait_r(targets: Tensor, measured: Tensor) -> dict[str, float | None]:
    """Correlation of asked and measured per trait; None where there is none to compute."""
    return dict(zip(TRAITS, _nullable(trait_correlation(targets, measured)), strict=True))


def floats(values: Tensor) -> Floats:
    """As the statistics take them."""
    return values.double().numpy()


def by_persona(personas: Sequence[Persona], values: Tensor) -> dict[str, list[float] | None]:
    """Measured profiles (personas, 5) by the persona's id; None where one is not complete."""
    known = scored(values).tolist()
    return {
        persona.id: [round(float(v), 4) for v in row] if ok else None
        for persona, row, ok in zip(personas, values.tolist(), known, strict=True)
    }


def plain(persona: Persona) -> dict[str, Any]:
    """A persona as it stands in the results."""
    return {
        "id": persona.id,
        "kind": persona.kind,
        "name": persona.name,
        "description": persona.description,
        "target": list(persona.target.scores),
        "language": persona.language,
        "cluster": persona.cluster,
    }


def _nullable(values: Tensor) -> list[float | None]:
    """JSON knows no NaN."""
    return [None if value != value else float(value) for value in values.tolist()]
