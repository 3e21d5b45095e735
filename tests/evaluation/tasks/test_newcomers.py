"""New personalities: where their profiles lie, and who is described."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from lightning_dpg.config import DataConfig, EvaluationConfig
from lightning_dpg.evaluation.bank import read_bank
from lightning_dpg.evaluation.personas import Persona, drawn_personas
from lightning_dpg.evaluation.questions import closing
from lightning_dpg.evaluation.tasks.newcomers import newcomers
from lightning_dpg.evaluation.tasks.task import Task
from lightning_dpg.regions import Region


def task_of(count: int = 16, regions: tuple[str, ...] = (), seed: int = 0, **other: Any) -> Task:
    settings = EvaluationConfig(newcomers=count, replies_per_persona=3, **other)
    return newcomers(settings, DataConfig(held_out_regions=list(regions)), seed)


def of_kind(task: Task, kind: str) -> list[Persona]:
    return [persona for persona in task.personas if persona.kind == kind]


@pytest.mark.parametrize("seed", range(3))
def test_half_come_from_the_regions_and_half_are_contradictory(seed: int) -> None:
    task = task_of(16, ("O+ E+", "C- N-"), seed)
    new, rare = of_kind(task, "new_region"), of_kind(task, "contradictory")
    assert task.personas == new + rare
    assert len({p.id for p in task.personas}) == 16
    for people, regions in (
        (new, ["O+ E+", "C- N-"]),
        (rare, ["E+ N+", "A+ C-", "O+ E-", "A- N-"]),
    ):
        assert len(people) == 8
        parsed = [Region.parse(text) for text in regions]
        for i, persona in enumerate(people):
            region = parsed[i % len(parsed)]
            assert persona.target in region
            assert persona.name.endswith(f", {region}")
        assert len({p.target for p in people}) == 8


@pytest.mark.parametrize("regions", [(), ("O+ E+",), ("O+ E+", "C- N-"), ("O+", "C-", "N+")])
def test_every_second_one_is_described_in_each_region(regions: tuple[str, ...]) -> None:
    task = task_of(24, regions)
    new = "new_region" if regions else "drawn"
    for kind, count in ((new, max(1, len(regions))), ("contradictory", 4)):
        people = of_kind(task, kind)
        assert sum(bool(p.description) for p in people) == 6
        for place in range(count):
            told = [bool(p.description) for p in people[place::count]]
            assert told == [(place + turn) % 2 == 0 for turn in range(12 // count)]
    given = [p.description for p in task.personas if p.description]
    assert len(given) == len(set(given)) == 12
    bank = {one["description"]: one["name"] for one in read_bank("newcomers", "en")}
    for persona in task.personas:
        if persona.description:
            assert persona.name.startswith(f"{bank[persona.description]}, ")
        else:
            assert persona.name.startswith("Newcomer ")
        assert persona.cluster == persona.id


@pytest.mark.parametrize("seed", range(4))
def test_without_regions_new_profiles_are_of_the_whole_space(seed: int) -> None:
    new = of_kind(task_of(32, seed=seed), "drawn")
    scores = np.array([p.target.scores for p in new])
    assert (np.minimum((scores > 0).sum(0), (scores < 0).sum(0)) >= 5).all()
    described = np.array([bool(p.description) for p in new])
    # Every other one of a single sequence would be all that are high in the first trait.
    for half in (scores[described], scores[~described]):
        assert (np.minimum((half > 0).sum(0), (half < 0).sum(0)) >= 1).all()
    clear = new[0].name.split(", ")[1]
    assert new[0].target in Region.parse(clear)
    for i, score in enumerate(new[0].target.scores):
        assert ("OCEAN"[i] in clear) == (abs(score) >= 1)
    assert not {p.target for p in new} & {p.target for p in drawn_personas(32, seed)}


@pytest.mark.parametrize("regions", [("C- E+ A+ N+", "C+ E- A- N-"), ("E+",), ("N+", "O+ A-")])
@pytest.mark.parametrize("seed", range(3))
def test_who_is_contradictory_is_not_of_a_region_that_is_held_out(
    regions: tuple[str, ...], seed: int
) -> None:
    held_out = [Region.parse(text) for text in regions]
    found, free = task_of(32, regions, seed), task_of(32, (), seed)
    now, before = of_kind(found, "contradictory"), of_kind(free, "contradictory")
    assert [p.id for p in now] == [p.id for p in before] and len(now) == 16
    assert [p.description for p in now] == [p.description for p in before]
    overlaps = [any(p.target in region for region in held_out) for p in before]
    assert any(overlaps) and not all(overlaps)
    for persona, same, overlap in zip(now, before, overlaps, strict=True):
        assert not any(persona.target in region for region in held_out)
        assert overlap or persona == same
        assert persona.target in Region.parse(persona.name.split(", ")[-1])
    assert len({p.target for p in found.personas}) == 32


def test_a_contradictory_region_that_is_held_out_makes_room_for_the_others() -> None:
    now = of_kind(task_of(16, ("E+ N+",)), "contradictory")
    before = of_kind(task_of(16), "contradictory")
    labels = [p.name.split(", ")[-1] for p in now]
    assert labels == ["C- A+", "C- A+", "O+ E-", "A- N-"] * 2
    assert len({p.target for p in now}) == 8
    everything = task_of(6, ("E+", "E-"), contradictory=["E+ N+"])
    assert len(of_kind(everything, "new_region")) == len(everything.items) == 6
    assert [p for i, p in enumerate(now) if i % 4 > 1] == [
        p for i, p in enumerate(before) if i % 4 > 1
    ]


def test_a_language_has_its_own_people_and_questions() -> None:
    english, chinese = task_of(), task_of(language="zh")
    assert [p.target for p in chinese.personas] == [p.target for p in english.personas]
    bank = {
        language: {one["description"]: one["id"] for one in read_bank("newcomers", language)}
        for language in ("en", "zh")
    }
    for one, other in zip(english.personas, chinese.personas, strict=True):
        assert bank["en"].get(one.description) == bank["zh"].get(other.description)
        assert (one.language, other.language) == ("en", "zh")
    for item in chinese.items:
        assert item.contexts == tuple((question,) for question in closing("zh")[:3])


def test_they_follow_from_the_seed() -> None:
    assert task_of(seed=1) == task_of(seed=1)
    assert [p.target for p in task_of(seed=1).personas] != [
        p.target for p in task_of(seed=2).personas
    ]
    chosen = [{p.description for p in task_of(seed=seed).personas} for seed in range(3)]
    assert chosen[0] != chosen[1] != chosen[2]


@pytest.mark.parametrize(("count", "new", "rare"), [(0, 0, 0), (1, 1, 0), (5, 3, 2)])
def test_any_number_can_come(count: int, new: int, rare: int) -> None:
    task = task_of(count, ("O+",))
    assert (len(of_kind(task, "new_region")), len(of_kind(task, "contradictory"))) == (new, rare)


def test_without_contradictory_regions_all_are_new() -> None:
    task = task_of(6, ("O+",), contradictory=[])
    assert len(of_kind(task, "new_region")) == len(task.items) == 6


def test_more_than_the_bank_holds_go_round() -> None:
    given = [p.description for p in task_of(90).personas if p.description]
    bank = read_bank("newcomers", "en")
    assert len(given) > len(bank) == len(set(given))
    assert max(Counter(given).values()) - min(Counter(given).values()) == 1
