"""What was not measured, and why: personas of tasks, gold lines, studies, and absent controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lightning_dpg.report.reading import Arm, RunFolder, Task
from lightning_dpg.report.style import label
from lightning_dpg.report.words import control_title, counted, reasons

_STUDIES = {"dose": "One dial at a time", "described": "Descriptions alone"}
_ABSENT = {
    "shuffled_words": "no reply has words that can be put in another order",
    "other_question": "all were asked the same, so that no reply can be handed to another question",
    "mixed": "it takes three personas with a score for both halves, and others to take from",
}
"""Controls, and what they could not be made for."""


@dataclass(frozen=True)
class Reason:
    """Why some have no score; `ids` says which ones, where that was written down."""

    text: str
    count: int
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What one arm was measured for in one task or study.

    Attributes:
        name: of the task or study; `title` as a reader sees it.
        unit: what has a score or none: persona, or reply.
        unscored: how many have none, of so many.
        reasons: the most frequent first.
    """

    name: str
    title: str
    arm: str
    unit: str
    unscored: int
    of: int
    reasons: tuple[Reason, ...]


def unscored_parts(run: RunFolder) -> list[Part]:
    """Arms and gold lines of each task, then the studies, whether something is missing or not."""
    parts = [
        _of_task(task, arm)
        for task in run.tasks
        for arm in (*task.arms, *([task.gold] if task.gold else []))
    ]
    for one in run.unscored:
        ranked = sorted(one.reasons.items(), key=lambda item: -item[1])
        why = tuple(Reason(text or "no reason was written down", n) for text, n in ranked)
        title = study_title(one.study)
        parts.append(Part(one.study, title, one.arm, one.unit, one.unscored, one.of, why))
    return parts


def by_title(parts: Sequence[Part]) -> dict[str, list[Part]]:
    """Parts under the heading of their task or study."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.title, []).append(part)
    return found


def study_title(name: str) -> str:
    """`dose/1` → `One dial at a time, background 1`."""
    study, _, place = name.partition("/")
    title = _STUDIES.get(study) or label(study)
    return f"{title}, background {place}" if place else title


def said(part: Part) -> str:
    """`3 of 45 personas unscored`."""
    return f"{part.unscored} of {counted(part.of, part.unit)} unscored"


def absent_controls(run: RunFolder) -> dict[str, str]:
    """Why a control of the quality measures is not there; nothing where none were asked for."""
    if "controls" not in run.facts or not any(arm.quality for arm in run.headline.arms):
        return {}
    made = {one.name for one in run.controls}
    if all(task.name != "questions" for task in run.tasks):
        why = "controls are made of replies to open-ended questions, which nobody was asked"
        return {control_title(name): why for name in _ABSENT if name not in made}
    return {control_title(name): why for name, why in _ABSENT.items() if name not in made}


def _of_task(task: Task, arm: Arm) -> Part:
    why = tuple(Reason(text, len(ids), tuple(ids)) for text, ids in reasons(arm))
    total = arm.scored + arm.unscored
    return Part(task.name, task.title, arm.name, "persona", arm.unscored, total, why)
