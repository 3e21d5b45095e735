"""Which personas are shown: best and worst by number, the rest by place, never by reply."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning_dpg.report.cards import choose, samples
from lightning_dpg.report.reading import read_run

MakeRun = Callable[..., Path]


def test_best_and_worst_come_first_and_both_kinds_are_shown(make_run: MakeRun) -> None:
    run = read_run(make_run())
    chosen = choose(run.personas, run.main)
    deviations = [run.main.deviation(persona) for persona in run.personas]
    known = [value for value in deviations if value is not None]
    assert [choice.badge for choice in chosen[:3]] == ["best of this run", "worst of this run", ""]
    assert run.main.deviation(chosen[0].persona) == min(known)
    assert run.main.deviation(chosen[1].persona) == max(known)
    assert len({choice.persona.id for choice in chosen}) == 8
    kinds = [choice.persona.kind for choice in chosen]
    assert kinds.count("held_out") == kinds.count("drawn") == 4


def test_arms_answer_the_same_prompt_side_by_side(make_run: MakeRun) -> None:
    run = read_run(make_run())
    for replies in samples(run, run.personas[0], turn=1):
        assert [reply.arm for reply in replies if reply] == [arm.name for arm in run.arms]
        assert len({reply.prompt for reply in replies if reply}) == 1


def test_neighbours_answer_different_prompts(make_run: MakeRun) -> None:
    run = read_run(make_run())
    pairs = [samples(run, persona, turn) for turn, persona in enumerate(run.personas[:2])]
    asked = [{r.prompt for replies in pair for r in replies if r} for pair in pairs]
    assert not asked[0] & asked[1]


def test_unscored_main_arm_still_shows_people(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        results["arms"]["dpg"]["measured"] = {}

    run = read_run(make_run(change))
    assert len(choose(run.personas, run.main)) == 8
