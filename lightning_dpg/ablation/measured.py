"""What one run measured, read from its `results.json`: the only place that knows that file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.statistics import Interval
from lightning_dpg.records import TRAITS
from lightning_dpg.runs import RESULTS

MAIN = "dpg"
NONE = Interval(mean=None, low=None, high=None)
FACTS = ("version", "backbone", "labels", "judge", "judge_note")


@dataclass(frozen=True)
class Asked:
    """A persona of the headline task: `target` is the prompted profile; see `personas.Persona`."""

    id: str
    kind: str
    name: str
    description: str
    target: tuple[float, ...]
    language: str
    cluster: str


@dataclass(frozen=True)
class Measured:
    """The headline task of one run, as its main arm did it.

    Attributes:
        task: name of the task.
        arm: DPG, or else the last of the task's arms.
        personas: whom it spoke for.
        measured: by persona id, for those that were scored, one score per trait.
        reasons: by persona id, why the others were not; empty where nobody wrote it down.
        trivial: P.S.D.C. (L2) of answers that read no prompt, by name.
        profile_r: agreement of the shapes of profiles; see `statistics.profile_agreement`.
        descriptions: what descriptions alone explain of `words` and `traits` of replies (explained,
            expected, p); empty where they were not studied.
        quality: `nll` and `coherency` as intervals, and plain numbers, of the arm's replies.
        facts: texts that say who labelled and judged what.
        corpus: hash of the corpus.
        versions: of packages.
    """

    task: str
    arm: str
    personas: tuple[Asked, ...]
    measured: Mapping[str, tuple[float, ...]]
    reasons: Mapping[str, str]
    trivial: Mapping[str, float]
    profile_r: Interval
    descriptions: Mapping[str, Mapping[str, float | None]]
    quality: Mapping[str, Any]
    facts: Mapping[str, str]
    corpus: str
    versions: Mapping[str, str]

    def deviation(self, persona: Asked) -> float | None:
        """L2 distance from the prompted to the measured profile; None where there is none."""
        found = self.measured.get(persona.id)
        return None if found is None else math.dist(persona.target, found)


def read_measured(run: Path) -> Measured:
    """Read the results of a run.

    Raises:
        UserError: the file is not there, or is not what an evaluation writes.
    """
    file = run / RESULTS
    try:
        return _measured(json.loads(file.read_text(encoding="utf-8")))
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        StopIteration,
    ) as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(
            f"{file} is not what an evaluation of this version writes ({words}): "
            "delete its folder and run the same command again"
        ) from None


def _measured(results: Mapping[str, Any]) -> Measured:
    tasks = results["tasks"]
    name = next(name for name in (results["headline"], *tasks) if name in tasks)
    task = tasks[name]
    arms = task["arms"]
    arm = MAIN if MAIN in arms else list(arms)[-1]
    found, quality = arms[arm], arms[arm].get("quality") or {}
    psdc = {name: answer["psdc"]["l2"]["mean"] for name, answer in task["trivial"].items()}
    descriptions = results.get("descriptions") if arm == MAIN else None
    return Measured(
        task=name,
        arm=arm,
        personas=tuple(_asked(persona) for persona in task["personas"]),
        measured={
            key: _scores(scores) for key, scores in found["measured"].items() if scores is not None
        },
        reasons={
            key: str((found.get("reasons") or {}).get(key) or "")
            for key, scores in found["measured"].items()
            if scores is None
        },
        trivial={name: mean for name, mean in psdc.items() if mean is not None},
        profile_r=cast(Interval, found.get("profile_r") or NONE),
        descriptions=descriptions or {},
        quality=quality,
        facts={name: str(results[name]) for name in FACTS if results.get(name)},
        corpus=str(results["corpus"]["hash"]),
        versions=results["versions"],
    )


def _asked(persona: Mapping[str, Any]) -> Asked:
    return Asked(
        id=persona["id"],
        kind=persona["kind"],
        name=persona["name"],
        description=persona["description"],
        target=_scores(persona["target"]),
        language=persona.get("language", "en"),
        cluster=persona.get("cluster") or persona["id"],
    )


def _scores(values: list[float]) -> tuple[float, ...]:
    if len(values) != len(TRAITS):
        raise ValueError(f"expected {len(TRAITS)} scores, got {values}")
    return tuple(float(value) for value in values)
