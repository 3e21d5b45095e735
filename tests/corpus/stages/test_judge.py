"""Dialogues are judged once, and dropped by thresholds that may change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.config import DialogueJudgeSettings
from lightning_dpg.corpus.stages.judge import drop_incoherent, judge_dialogues
from lightning_dpg.progress import Steps
from lightning_dpg.records import Dialogue, Utterance


@dataclass(frozen=True)
class Verdict:
    coherence: float | None
    integrity: float | None
    reason: str = ""


class Scripted:
    """Says what it is told to of each dialogue, and remembers which it was asked about."""

    def __init__(self, **verdicts: Verdict) -> None:
        self.verdicts, self.asked, self.identity = verdicts, list[str](), "scripted/1"

    def judge(self, dialogues: Sequence[Dialogue], advance: Any = None) -> list[Verdict]:
        self.asked += [dialogue.id for dialogue in dialogues]
        advance(len(dialogues))
        return [self.verdicts[dialogue.id] for dialogue in dialogues]


VERDICTS = {
    "a": Verdict(5.0, 4.0, "it reads well; the server failed nobody"),
    "b": Verdict(2.5, 5.0),
    "c": Verdict(4.0, 1.0),
    "d": Verdict(None, None, "refused: no"),
    "e": Verdict(None, 1.0, "no valid answer: no coherence"),
}


def dialogue(id: str) -> Dialogue:
    return Dialogue(id, "w", "", "en", "w.txt", (Utterance("anna", "ANNA", f"Here is {id}."),))


@pytest.fixture
def rows(row: Callable[..., Any]) -> list[Any]:
    return [row(id, who) for id in VERDICTS for who in ("w/anna", "")]


def judged(rows: list[Any], judge: Any, kept: Artefacts) -> tuple[list[Any], dict[str, int]]:
    return judge_dialogues(rows, [dialogue(id) for id in VERDICTS], judge, kept, Steps())


def test_rows_carry_the_judgement_of_their_dialogue(rows: list[Any], kept: Artefacts) -> None:
    result, unjudged = judged(rows, Scripted(**VERDICTS), kept)
    found = [(r["coherence"], r["integrity"]) for r in result]
    assert found == [(v.coherence, v.integrity) for v in VERDICTS.values() for _ in range(2)]
    assert unjudged == {"no valid answer: no coherence": 1, "refused: no": 1}
    assert [r["text"] for r in result] == [r["text"] for r in rows]


def test_low_dialogues_are_dropped_and_unjudged_ones_kept(rows: list[Any], kept: Artefacts) -> None:
    result, _ = judged(rows, Scripted(**VERDICTS), kept)
    why = {r["dialogue"]: r["dropped"] for r in drop_incoherent(result, DialogueJudgeSettings())}
    dropped = [r["dropped"] for r in drop_incoherent(result, DialogueJudgeSettings())]
    assert dropped[1::2] == [""] * 5  # what a crowd says has no label that could be dropped
    assert dropped[::2] == [
        "",
        "coherence: 2.5, 3 is needed",
        "integrity: 1, 3 is needed",
        "",
        "integrity: 1, 3 is needed",
    ]
    assert set(why) == set(VERDICTS)
    lenient = DialogueJudgeSettings(least_coherence=2.5, least_integrity=1.0)
    assert not any(r["dropped"] for r in drop_incoherent(result, lenient))


def test_a_dialogue_is_judged_once(rows: list[Any], kept: Artefacts) -> None:
    first, second, other = Scripted(**VERDICTS), Scripted(**VERDICTS), Scripted(**VERDICTS)
    before = judged(rows, first, kept)
    assert judged(rows, second, kept) == before
    assert (first.asked, second.asked) == (list(VERDICTS), [])
    other.identity = "scripted/2"
    judged(rows, other, kept)
    assert other.asked == list(VERDICTS)


def test_what_the_server_failed_at_is_asked_again(rows: list[Any], kept: Artefacts) -> None:
    down = Scripted(**{**VERDICTS, "d": Verdict(None, None, "the server failed 6 times: 500")})
    assert judged(rows, down, kept)[1]["the server failed 6 times: 500"] == 1
    up = Scripted(**{**VERDICTS, "d": Verdict(4.0, 4.0)})
    result, unjudged = judged(rows, up, kept)
    assert up.asked and (result[6]["coherence"], len(unjudged)) == (4.0, 1)


def test_without_a_judge_all_pass(rows: list[Any], kept: Artefacts) -> None:
    assert judged(rows, None, kept) == (rows, {})
    assert drop_incoherent(rows, DialogueJudgeSettings()) == rows
    assert not kept.folder.exists()
