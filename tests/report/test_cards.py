"""Which personas are shown: best and worst by number, the rest by place, never by reply."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning_dpg.report.cards import beside, choose, failures, samples
from lightning_dpg.report.reading import read_run
from tests.report.conftest import write_fake_run
from tests.report.fake import LINES, WIDE

MakeRun = Callable[..., Path]


def test_best_and_worst_come_first_and_both_kinds_are_shown(make_run: MakeRun) -> None:
    run = read_run(make_run())
    personas = run.headline.personas
    chosen = choose(personas, run.main)
    deviations = [run.main.deviation(persona) for persona in personas]
    known = [value for value in deviations if value is not None]
    assert [choice.badge for choice in chosen[:3]] == ["best of this run", "worst of this run", ""]
    assert run.main.deviation(chosen[0].persona) == min(known)
    assert run.main.deviation(chosen[1].persona) == max(known)
    assert len({choice.persona.id for choice in chosen}) == 8
    kinds = [choice.persona.kind for choice in chosen]
    assert kinds.count("held_out") == kinds.count("drawn") == 4


def test_arms_answer_the_same_prompt_side_by_side(make_run: MakeRun) -> None:
    run = read_run(make_run())
    for replies in samples(run, run.headline.personas[0], turn=1):
        assert [reply.arm for reply in replies if reply] == list(run.arm_names)
        assert len({reply.prompt for reply in replies if reply}) == 1
        assert {reply.task for reply in replies if reply} == {"questions"}


def test_neighbours_answer_different_prompts(make_run: MakeRun) -> None:
    run = read_run(make_run())
    pairs = [samples(run, persona, turn) for turn, persona in enumerate(run.headline.personas[:2])]
    asked = [{r.prompt for replies in pair for r in replies if r} for pair in pairs]
    assert not asked[0] & asked[1]


def test_unscored_main_arm_still_shows_people(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        results["tasks"]["questions"]["arms"]["dpg"]["measured"] = {}

    run = read_run(make_run(change))
    assert len(choose(run.headline.personas, run.main)) == 8
    assert failures(run) == []


def test_of_many_arms_five_stand_beside_each_other_in_their_order(tmp_path: Path) -> None:
    task = read_run(write_fake_run(tmp_path / "wide", arms=WIDE)).headline
    names = [arm.name for arm in beside(task)]
    assert names == ["unadapted", "prompted", "lora_sft", "lora_sft_contrast", "dpg"]
    assert [arm.name for arm in beside(task, 2)] == ["lora_sft", "dpg"]


def test_the_worst_ten_are_the_farthest_with_all_that_they_said(make_run: MakeRun) -> None:
    run = read_run(make_run())
    found = failures(run)
    deviations = [run.main.deviation(persona) for persona in run.headline.personas]
    expected = sorted((d for d in deviations if d is not None), reverse=True)[:10]
    assert [failure.deviation for failure in found] == expected
    for failure in found:
        assert failure.measured == run.main.measured[failure.persona.id]
        assert [reply.prompt for reply in failure.replies] == list(run.headline.prompts)
        assert {reply.text for reply in failure.replies} == {LINES["dpg"]}
