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
from tests.ablation.fake_runs import QUESTIONS, SCENES, fake_results, write_run, write_scenes

Runs = dict[str, tuple[Path, Measured]]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    found = {}
    for cell, scores in (("both", 0.8), ("blind", 0.0)):
        write_run(tmp_path / cell, fake_results(scores=scores))
        found[cell] = (tmp_path / cell, read_measured(tmp_path / cell))
    return found


def questions(example: dict[str, Any]) -> list[str]:
    return [a["heard"][0][1] for a in example["answered"] if not a["own"]]


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
    asked = [questions(example) for example in found]
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
        for answered in example["answered"]:
            expected = f"dpg as {example['persona']} to {answered['heard'][0][1][:12]}, seed 0"
            assert answered["replies"] == {"both": expected, "blind": expected}
            assert answered["own"] == ""


def test_a_question_that_a_cell_was_not_asked_is_not_shown(runs: Runs) -> None:
    path = runs["blind"][0] / "replies.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(li for li in lines if QUESTIONS[0] not in li), encoding="utf-8")
    for example in examples(runs):
        assert set(questions(example)) == set(QUESTIONS[1:])
    path.unlink()
    assert all(example["answered"] == [] for example in examples(runs))


def test_replies_of_other_tasks_and_arms_are_not_shown(runs: Runs) -> None:
    for folder, _ in runs.values():
        path = folder / "replies.jsonl"
        records: list[dict[str, Any]] = [json.loads(li) for li in path.read_text().splitlines()]
        more = [record | {"task": "newcomers", "reply": "another task"} for record in records]
        path.write_text("\n".join(json.dumps(record) for record in more + records))
    shown = json.dumps(examples(runs))
    assert "another task" not in shown
    assert "unadapted" not in shown


@pytest.fixture
def staged(runs: Runs) -> Runs:
    for folder, _ in runs.values():
        write_scenes(folder, fake_results())
    return runs


def test_described_characters_stand_in_their_scenes_beside_their_own_lines(staged: Runs) -> None:
    found = examples(staged)
    assert [bool(example["description"]) for example in found] == [True, True, False, False]
    for example in found:
        scenes = [answered for answered in example["answered"] if answered["own"]]
        assert len(questions(example)) == 2
        shown = [([list(turn) for turn in scene["heard"]], scene["own"]) for scene in scenes]
        assert shown == (list(SCENES[1:]) if example["description"] else [])
        said = [f"dpg as {example['persona']} in {i}" for i in (1, 2)]
        for scene, reply in zip(scenes, said, strict=False):
            assert scene["replies"] == {"both": reply, "blind": reply}


def test_scenes_that_end_alike_are_told_apart(staged: Runs) -> None:
    path = staged["blind"][0] / "replies.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(li for li in lines if "The boat is gone" not in li))
    for example in examples(staged)[:2]:
        scenes = [answered["heard"][0][1] for answered in example["answered"] if answered["own"]]
        assert scenes == ["You are late.", "(a knock)"]


def test_those_go_first_whom_every_cell_brings_on_stage(staged: Runs) -> None:
    personas = staged["both"][1].personas
    away = {person.id for person in choose([personas])[:2]}
    path = staged["blind"][0] / "replies.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join(li for li in lines if "heard" not in li or json.loads(li)["persona"] not in away)
    )
    shown = {example["persona"] for example in examples(staged)[:2]}
    assert len(shown) == 2
    assert not shown & {person.name for person in personas if person.id in away}


def test_where_the_headline_is_scenes_they_are_shown_once(staged: Runs) -> None:
    scripted = {
        cell: (folder, replace(measured, task="scripted"))
        for cell, (folder, measured) in staged.items()
    }
    for example in examples(scripted)[:2]:
        assert [answered["own"] for answered in example["answered"]] == [s[1] for s in SCENES[1:]]
