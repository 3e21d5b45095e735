"""The closing evaluation of frozen arms on the tiny backbone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from lightning_dpg.assessment.scripted import ScriptedAssessor, digest_scores
from lightning_dpg.config import Config
from lightning_dpg.evaluation import speech
from lightning_dpg.evaluation.arms.speaker import LocalSpeaker
from lightning_dpg.evaluation.questions import CLOSING
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.records import TRAITS, Rating

Evaluate = Callable[..., tuple[dict[str, Any], list[dict[str, str]]]]


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many replies were generated, call by call."""
    counts: list[int] = []
    speak = LocalSpeaker.speak

    def count(self: LocalSpeaker, requests: Sequence[Request], *rest: Any) -> list[str]:
        counts.append(len(requests))
        return speak(self, requests, *rest)

    monkeypatch.setattr(LocalSpeaker, "speak", count)
    return counts


def test_the_replies_of_a_persona_are_rated_together(evaluate: Evaluate) -> None:
    found, lines = evaluate()
    assert len(lines) == 2 * 4 * 2  # arms, personas, replies
    assert {line["task"] for line in lines} == {"questions"} == set(found["tasks"])
    task = found["tasks"]["questions"]
    people = [p["id"] for p in task["personas"]]
    assert [p.split("/")[0] for p in people] == ["held_out", "drawn", "drawn", "drawn"]
    for arm in ("unadapted", "prompted"):
        for person in people:
            said = [ln["reply"] for ln in lines if ln["arm"] == arm and ln["persona"] == person]
            measured = task["arms"][arm]["measured"][person]
            if measured is None:
                assert task["arms"][arm]["reasons"][person].startswith("insufficient evidence")
            else:
                assert measured == pytest.approx(digest_scores("\n".join(said)), abs=1e-3)
    assert task["prompts"] == [text for _, text in CLOSING[:2]]
    assert found["dose_response"] == {} == found["descriptions"]  # they are asked of DPG


def test_what_is_kept_is_not_generated_again(evaluate: Evaluate, spoken: list[int]) -> None:
    first = evaluate()
    assert spoken == [8, 8]
    assert evaluate() == first
    assert spoken == [8, 8]


def test_another_judge_rates_the_same_replies(evaluate: Evaluate, spoken: list[int]) -> None:
    class Always(ScriptedAssessor):
        """Sees the same in everybody."""

        identity = "always"

        def rate(self, persons: Sequence[Sequence[str]], *rest: Any, **more: Any) -> list[Rating]:
            return [Rating((1.0, 2.0, 3.0, 4.0, 5.0)) for _ in persons]

    (first, lines), (other, again) = evaluate(), evaluate(judge=Always())
    assert spoken == [8, 8] and lines == again
    arms = [found["tasks"]["questions"]["arms"]["prompted"] for found in (first, other)]
    assert arms[0]["measured"] != arms[1]["measured"]
    assert set(map(tuple, arms[1]["measured"].values())) == {(1, 2, 3, 4, 5)}


def test_other_decoding_is_generated_anew(
    evaluate: Evaluate, small: Config, spoken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate()
    small.evaluation.temperature = 0.3
    evaluate()
    assert spoken == [8] * 4
    small.evaluation.bootstrap = 30  # no reply depends on it
    evaluate()
    assert spoken == [8] * 4
    monkeypatch.setattr(speech, "PROMPT_VERSION", "another wording")
    evaluate()
    assert spoken == [8] * 6


def test_an_interrupted_evaluation_goes_on(
    evaluate: Evaluate, spoken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    speak = LocalSpeaker.speak

    def fail(self: LocalSpeaker, requests: Sequence[Request], *rest: Any) -> list[str]:
        if len(spoken) == 1:
            raise KeyboardInterrupt
        return speak(self, requests, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(LocalSpeaker, "speak", fail)
        with pytest.raises(KeyboardInterrupt):
            evaluate()
    assert spoken == [8]
    evaluate()
    assert spoken == [8, 8]


def test_all_tasks_stand_side_by_side(evaluate: Evaluate, small: Config) -> None:
    small.evaluation.tasks = ["scripted", "questions", "newcomers", "seen"]
    found, lines = evaluate()
    assert list(found["tasks"]) == small.evaluation.tasks and found["headline"] == "questions"
    kinds = {name: {p["kind"] for p in t["personas"]} for name, t in found["tasks"].items()}
    assert kinds == {
        "scripted": {"held_out"},
        "questions": {"held_out", "drawn"},
        "newcomers": {"drawn", "contradictory"},
        "seen": {"seen"},
    }
    scripted = found["tasks"]["scripted"]
    assert scripted["prompts"] == []  # each hears its own scene
    gold = scripted["references"]["gold"]
    assert set(gold["measured"]) == {p["id"] for p in scripted["personas"]}
    assert gold["quality"]["nll"]["mean"] > 0
    assert set(found["overfitting"]) == {"unadapted", "prompted"}
    assert {line["task"] for line in lines} == set(small.evaluation.tasks)


def test_each_arm_has_its_quality_and_a_second_opinion(evaluate: Evaluate) -> None:
    found, lines = evaluate()
    for arm in ("unadapted", "prompted"):
        result = found["tasks"]["questions"]["arms"][arm]
        said = [ln["reply"] for ln in lines if ln["arm"] == arm]
        assert result["quality"]["nll"]["mean"] > 0 and 0 < result["quality"]["distinct_2"] <= 1
        assert result["quality"]["words"] == pytest.approx(np.mean([len(t.split()) for t in said]))
        assert result["second"]["instrument"] == "scripted/digest_scores/min_words=3"
        assert set(result["second"]["trait_r"]) == set(TRAITS)
        assert set(result["traits"]) == set(TRAITS)
    assert {"shuffled_words", "other_question"} <= set(found["controls"])
