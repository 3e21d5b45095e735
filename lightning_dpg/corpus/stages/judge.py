"""Second stage: whether a dialogue hangs together and stands on its own (the paper's GPT-3.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.base import knowing, spending
from lightning_dpg.config import DialogueJudgeSettings
from lightning_dpg.corpus.stages.read import Row, names_by_work
from lightning_dpg.progress import Advance, Steps
from lightning_dpg.records import Dialogue


class Judgement(Protocol):
    """What a judge says of a dialogue."""

    @property
    def coherence(self) -> float | None:
        """How well its speeches follow from each other, 1 to 5; None where it was not judged."""

    @property
    def integrity(self) -> float | None:
        """How well it can be understood without what surrounds it, 1 to 5, or None."""

    @property
    def reason(self) -> str:
        """Why a score is missing, or what the judge says of the dialogue."""


class DialogueJudge(Protocol):
    """Judges dialogues."""

    @property
    def identity(self) -> str:
        """Name and version of the judge."""

    def judge(
        self, dialogues: Sequence[Dialogue], advance: Advance | None = None
    ) -> Sequence[Judgement]:
        """One judgement a dialogue, in order; `advance` is told how many are done."""


def judge_dialogues(
    rows: Sequence[Row],
    dialogues: Sequence[Dialogue],
    judge: DialogueJudge | None,
    kept: Artefacts,
    steps: Steps,
) -> tuple[list[Row], dict[str, int]]:
    """The rows with `coherence` and `integrity`, and how many could not be judged, by reason.

    Both columns stay empty where nobody judges. Thresholds are none of this stage's business:
    changing one judges nothing again.
    """
    if judge is None:
        return list(rows), {}

    by_work = names_by_work(rows)

    def make() -> list[list[Any]]:
        with steps.bar("Judging dialogues", len(dialogues), spending(judge)) as advance:
            return [
                [dialogue.id, judgement.coherence, judgement.integrity, judgement.reason]
                for work in dict.fromkeys(dialogue.work for dialogue in dialogues)
                for dialogue, judgement in _judged(
                    judge, dialogues, work, by_work.get(work, []), advance
                )
            ]

    given = [judge.identity, [asdict(dialogue) for dialogue in dialogues]]
    judged = kept.get("judged", given, make, _missing)
    by_id = {id: {"coherence": c, "integrity": i} for id, c, i, _ in judged}
    unjudged = dict(sorted(Counter(_missing(judged)).items()))
    return [{**row, **by_id[row["dialogue"]]} for row in rows], unjudged


def _judged(
    judge: DialogueJudge,
    dialogues: Sequence[Dialogue],
    work: str,
    names: Sequence[Sequence[str]],
    advance: Advance,
) -> Iterable[tuple[Dialogue, Judgement]]:
    """The dialogues of one work, by a judge that knows the names of its characters."""
    own = [dialogue for dialogue in dialogues if dialogue.work == work]
    return zip(own, knowing(judge, names).judge(own, advance), strict=True)


def _missing(judged: Sequence[Sequence[Any]]) -> list[str]:
    return [reason for _, *scores, reason in judged if None in scores]


def drop_incoherent(rows: Sequence[Row], least: DialogueJudgeSettings) -> list[Row]:
    """The rows with `dropped` where the dialogue was judged lower than it should be.

    What was not judged is kept.
    """
    return [{**row, "dropped": _too_low(row, least)} if row["character"] else row for row in rows]


def _too_low(row: Row, least: DialogueJudgeSettings) -> str:
    for name, needed in (
        ("coherence", least.least_coherence),
        ("integrity", least.least_integrity),
    ):
        if row[name] is not None and row[name] < needed:
            return f"{name}: {row[name]:g}, {needed:g} is needed"
    return ""
