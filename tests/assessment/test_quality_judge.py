"""The judge of quality: over a stand-in, and against a real server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.assessment.asking import pacing
from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.budget import BudgetReached
from lightning_dpg.assessment.asking.prompt import Prompt
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.assessment.quality_judge import (
    SILENT,
    TOO_FEW,
    Exchange,
    Judged,
    Performance,
    QualityJudge,
)
from lightning_dpg.config import ApiConfig, QualityJudgeSettings
from tests.assessment.asking.openai_server import Asked, Server, serve
from tests.assessment.rubric.standin import Rule, StandIn
from tests.assessment.rubric.test_injection import taken_apart

SETTINGS = QualityJudgeSettings(kind="litellm")


def judge(rule: Rule, names: Any = ()) -> tuple[QualityJudge, StandIn]:
    asker: Any = StandIn(rule)
    return QualityJudge(asker, SETTINGS, names), asker


def scores(prompt: Prompt) -> dict[str, Any]:
    """As high as the reply or the replies have words `good`, and 1."""
    count = 1 + prompt.messages[-1][1].count("good")
    fields = prompt.schema["required"] if prompt.schema else []
    return {field: min(5, count) for field in fields if field != "reason"} | {"reason": "so"}


def performance(*replies: str, **more: Any) -> Performance:
    context = (("Waiter", "Tea or coffee?"),)
    return Performance(tuple(Exchange(context, reply) for reply in replies), **more)


def test_replies_are_judged_one_by_one_and_together() -> None:
    rater, asker = judge(scores)
    given = [performance("good", "Tea.", "good good"), performance("Hm.", "good")]
    assert rater.judge(given) == [
        Judged((2.0, 1.0, 3.0), (2.0, 1.0, 3.0), 4.0, ()),
        Judged((1.0, 2.0), (1.0, 2.0), 2.0, ()),
    ]
    names = [prompt.name for prompt in asker.asked]
    assert names == ["quality_judgement"] * 3 + ["consistency_judgement"] + [
        "quality_judgement",
        "quality_judgement",
        "consistency_judgement",
    ]
    assert rater.judge([]) == []


def test_what_is_not_judged_has_a_reason_and_no_score() -> None:
    def rule(prompt: Prompt) -> dict[str, Any] | str:
        return "refused: no" if "secret" in prompt.messages[-1][1] else scores(prompt)

    rater, asker = judge(rule)
    told: list[int] = []
    found = rater.judge(
        [performance("", "good"), performance(" ", "secret", "Tea."), performance()], told.append
    )
    assert found == [
        Judged((None, 2.0), (None, 2.0), None, (SILENT, TOO_FEW)),
        Judged((None, None, 1.0), (None, None, 1.0), None, (SILENT, "refused: no", "refused: no")),
        Judged((), (), None, (TOO_FEW,)),
    ]
    assert sum(told) == 2 + 1 + 3 + 1 + 1 and len(asker.asked) == 1 + 3


def test_all_names_are_replaced() -> None:
    context = (("HORATIO", "Hamlet, Yorick is dead."), ("HAMLET", "Dead, Horatio?"))
    exchanges = (Exchange(context, "Alas, Yorick!"), Exchange(context[:1], "I am Hamlet."))
    rater, asker = judge(scores, [["Yorick"]])
    rater.judge([Performance(exchanges, "Hamlet is sad.", names=("Hamlet",))])
    outside, lines = taken_apart(asker.asked[0])
    assert lines == [
        ("Person B", "Speaker A, Person C is dead."),
        ("Speaker A", "Dead, Person B?"),
        ("reply", "Alas, Person C!"),
    ]
    assert "which Speaker A gives" in outside
    _, lines = taken_apart(asker.asked[2])
    assert lines == [
        ("character", "Speaker A is sad."),
        ("1 hears", "Dead, Person B?"),
        ("1 answers", "Alas, Person C!"),
        ("2 hears", "Speaker A, Person C is dead."),
        ("2 answers", "I am Speaker A."),
    ]


def test_who_is_called_by_a_role_is_a_person_too() -> None:
    turns = (("Nurse", "Sit down."), ("Waiter", "Tea?"), ("Nurse", "No tea."))
    rater, asker = judge(scores)
    rater.judge([Performance((Exchange(turns, "Yes."),), names=("Nurse",))])
    assert [label for label, _ in taken_apart(asker.asked[0])[1]] == [
        "Speaker A",
        "Person B",
        "Speaker A",
        "reply",
    ]
    rater.judge([Performance((Exchange(turns, "Yes."),))])
    labels = [label for label, _ in taken_apart(asker.asked[1])[1]]
    assert labels == ["Person B", "Person C", "Person B", "reply"]


def test_chinese_is_asked_about_in_chinese() -> None:
    rater, asker = judge(scores)
    turns = (("黛玉", "宝玉来了吗？"),)
    exchanges = (Exchange(turns, "来了。"), Exchange(turns, "没有。"))
    rater.judge([Performance(exchanges, language="zh", names=("贾宝玉",))])
    versions = [prompt.version for prompt in asker.asked]
    assert versions == ["quality-zh-1.1", "quality-zh-1.1", "consistency-zh-1.1"]
    assert taken_apart(asker.asked[0])[1] == [("人物B", "说话人A来了吗？"), ("reply", "来了。")]


def test_the_identity_says_what_changes_judgements() -> None:
    rater, _ = judge(scores)
    assert rater.identity == "litellm/openai/gpt-test/temperature=0/quality-1.1/replies=3"
    knowing = rater.knowing([["Hamlet"]])
    assert knowing.identity.startswith(f"{rater.identity}/names=")
    assert knowing.anonymiser.known(["Hamlet"]) and not rater.anonymiser.known(["Hamlet"])


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AnswerStore]:
    monkeypatch.setattr(pacing, "FIRST_WAIT", 0.002)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        yield store


def asking(server: Server, store: AnswerStore, **settings: Any) -> QualityJudge:
    api = ApiConfig(model="openai/tiny", base_url=server.url, attempts=3, **settings)
    return QualityJudge(Asker(api, store), SETTINGS)


def answer(asked: Asked) -> str:
    """What a model says that thinks aloud, and writes JSON as models do."""
    fields = asked.body["response_format"]["json_schema"]["schema"]["required"]
    count = 1 + asked.body["messages"][1]["content"].count("good")
    given = ", ".join(f"'{field}': {count}" for field in fields if field != "reason")
    return f"Let me see.\n```json\n{{'reason': 'so', {given},}}\n```"


GIVEN = [performance("good", "Tea."), performance("good good", "so good", "No.")]
EXPECTED = [
    Judged((2.0, 1.0), (2.0, 1.0), 2.0, ()),
    Judged((3.0, 2.0, 1.0), (3.0, 2.0, 1.0), 4.0, ()),
]


def test_a_server_is_asked_once(store: AnswerStore) -> None:
    told: list[int] = []
    with serve(answer=answer) as server:
        assert asking(server, store).judge(GIVEN, told.append) == EXPECTED
        assert sum(told) == 7 and sum(server.seen.values()) == 7
        assert asking(server, store).judge(GIVEN) == EXPECTED
        assert sum(server.seen.values()) == 7, "what is stored is not asked again"


def test_answers_that_cannot_be_used_are_unscored(store: AnswerStore) -> None:
    def poor(asked: Asked) -> str:
        text = asked.body["messages"][1]["content"]
        return '{"fluency": 9, "coherency": 1}' if "Tea." in text else answer(asked)

    def faults(asked: Asked) -> str:
        return "refusal" if '"No."' in asked.body["messages"][1]["content"] else ""

    with serve(answer=poor, faults=faults) as server:
        first, second = asking(server, store).judge(GIVEN)
    assert first.fluency == (2.0, None) and first.consistency is None
    assert first.reasons[0].startswith(
        "no valid answer: fluency must be a whole number from 1 to 5"
    )
    assert "consistency is missing" in first.reasons[1]
    assert second == Judged((3.0, 2.0, None), (3.0, 2.0, None), None, second.reasons)
    assert all(reason.startswith("refused") for reason in second.reasons)
    assert len(second.reasons) == 2


def test_the_budget_holds(store: AnswerStore) -> None:
    with serve(answer=answer) as server:
        rater = asking(server, store, prices=[1000.0, 1000.0], budget=0.5, concurrency=1)
        with pytest.raises(BudgetReached):
            rater.judge(GIVEN)
        assert rater.spent is not None and rater.spent <= 0.5
        assert json.dumps(rater.spent)
