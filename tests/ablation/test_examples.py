"""The same persona and the same question under each cell."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.ablation.examples import choose, examples
from lightning_dpg.ablation.measured import Measured, read_measured
from tests.ablation.fake_runs import QUESTIONS, fake_results, write_run

Runs = dict[str, tuple[Path, Measured]]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    found = {}
    for cell, scores in (("both", 0.8), ("blind", 0.0)):
        write_run(tmp_path / cell, fake_results(scores=scores))
        found[cell] = (tmp_path / cell, read_measured(tmp_path / cell))
    return found


def test_the_two_that_differ_most_of_each_kind(runs: Runs) -> None:
    personas = runs["both"][1].personas
    found = choose([personas, personas])
    assert [bool(p.description) for p in found] == [True, True, False, False]
    for pair, kind in ((found[:2], "held_out"), (found[2:], "drawn")):
        farthest = max(
            math.dist(a.target, b.target)
            for a, b in itertools.combinations([p for p in personas if p.kind == kind], 2)
        )
        assert math.dist(pair[0].target, pair[1].target) == farthest


def test_only_those_for_whom_every_cell_spoke(runs: Runs) -> None:
    personas = runs["both"][1].personas
    first = choose([personas])
    others = [p for p in personas if p.id != first[0].id]
    assert first[0] not in choose([personas, others])
    assert choose([personas, personas[:1]]) == [personas[0]]
    assert choose([personas, [replace(personas[0], id="x")]]) == []
    assert choose([]) == []


def test_replies_of_the_main_arm_to_the_same_questions_stand_side_by_side(runs: Runs) -> None:
    found = examples(runs)
    assert len(found) == 4
    asked = [[q["question"] for q in example["questions"]] for example in found]
    assert asked == [
        [QUESTIONS[0], QUESTIONS[1]],
        [QUESTIONS[2], QUESTIONS[0]],
        [QUESTIONS[1], QUESTIONS[2]],
        [QUESTIONS[0], QUESTIONS[1]],
    ]
    for example in found:
        assert list(example["measured"]) == ["both", "blind"]
        measured = example["measured"].values()
        assert all(scores is None for scores in measured) or len({*measured}) == 2
        for question in example["questions"]:
            expected = f"dpg as {example['persona']} to {question['question'][:12]}, seed 0"
            assert question["replies"] == {"both": expected, "blind": expected}


def test_a_question_that_a_cell_was_not_asked_is_not_shown(runs: Runs) -> None:
    path = runs["blind"][0] / "replies.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(li for li in lines if QUESTIONS[0] not in li), encoding="utf-8")
    for example in examples(runs):
        assert {q["question"] for q in example["questions"]} == set(QUESTIONS[1:])
    path.unlink()
    assert all(example["questions"] == [] for example in examples(runs))


def test_replies_of_other_tasks_and_arms_are_not_shown(runs: Runs) -> None:
    for folder, _ in runs.values():
        path = folder / "replies.jsonl"
        records: list[dict[str, Any]] = [json.loads(li) for li in path.read_text().splitlines()]
        more = [record | {"task": "scripted", "reply": "another task"} for record in records]
        path.write_text("\n".join(json.dumps(record) for record in more + records))
    shown = json.dumps(examples(runs))
    assert "another task" not in shown
    assert "unadapted" not in shown
