"""Personas of several runs as one sample: deviations, and whose they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lightning_dpg.evaluation.statistics import Floats, Interval
from lightning_dpg.report.reading import Arm, Estimate, Persona, Task
from lightning_dpg.report.reading.task import GOLD

RESAMPLES = 2000
ZERO = "constant_zero"


@dataclass(frozen=True)
class Pooled:
    """Deviations (L2) of an arm.

    Attributes:
        by_seed: of the scored personas, a list for each run.
        clusters: whose each of them is, over all runs.
    """

    by_seed: list[list[float]]
    clusters: list[str]

    @property
    def values(self) -> Floats:
        """Over all runs, (personas,)."""
        return array([value for values in self.by_seed for value in values])


def cluster_of(persona: Persona) -> str:
    """What statistics over several runs resample.

    A character that is held out in several runs is one; so is a profile that is nobody's and was
    asked for in several, which is told by its scores: other seeds draw others under the same id.
    """
    if persona.cluster != persona.id:
        return persona.cluster
    return f"{persona.id} {persona.target}"


def deviations(name: str, task: Task, kind: str = "") -> dict[str, float]:
    """L2 by persona id, of an arm, of the answer that is always zero, or of the gold lines.

    Args:
        name: of the arm, `constant_zero` or `gold`.
        task: whose personas.
        kind: only those of this kind; empty for all.
    """
    personas = [persona for persona in task.personas if kind in ("", persona.kind)]
    if name == ZERO:
        return {persona.id: math.hypot(*persona.target) for persona in personas}
    arm: Arm | None = task.gold if name == GOLD else task.arm(name)
    if arm is None:
        return {}
    found = {persona.id: arm.deviation(persona) for persona in personas}
    return {persona: value for persona, value in found.items() if value is not None}


def pool(name: str, tasks: Sequence[Task], kind: str = "") -> Pooled:
    """The same task in several runs."""
    by_seed, clusters = [], []
    for task in tasks:
        found = deviations(name, task, kind)
        by_seed.append(list(found.values()))
        clusters += _clusters(task, found)
    return Pooled(by_seed, clusters)


def pool_both(first: str, second: str, tasks: Sequence[Task]) -> tuple[Pooled, Pooled]:
    """Two arms on the personas that both have scored."""
    pairs = [(deviations(first, task), deviations(second, task)) for task in tasks]
    shared = [[persona for persona in one if persona in other] for one, other in pairs]
    clusters = [
        cluster
        for task, kept in zip(tasks, shared, strict=True)
        for cluster in _clusters(task, dict.fromkeys(kept, 0.0))
    ]
    above, below = (
        [[pair[side][p] for p in kept] for pair, kept in zip(pairs, shared, strict=True)]
        for side in (0, 1)
    )
    return Pooled(above, clusters), Pooled(below, clusters)


def array(values: Sequence[float]) -> Floats:
    """As numbers to compute with, (values,)."""
    return np.array(values, dtype=np.float64)


def as_estimate(found: Interval) -> Estimate | None:
    """An interval of `evaluation.statistics` as the report shows one."""
    mean = found["mean"]
    return None if mean is None else Estimate(mean, found["low"], found["high"])


def _clusters(task: Task, found: Mapping[str, float]) -> list[str]:
    personas = {persona.id: persona for persona in task.personas}
    return [cluster_of(personas[name]) for name in found]
