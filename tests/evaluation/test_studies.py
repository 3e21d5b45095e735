"""What is asked beside the tasks: who rates what, and which question a reply answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.config import Config
from lightning_dpg.evaluation.evaluate import Evaluation
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.personas import Persona, dose_personas, drawn_personas
from lightning_dpg.evaluation.questions import CLOSING
from lightning_dpg.evaluation.studies import (
    _silent_doses,
    described_answers,
    studies,
    study_tasks,
)
from lightning_dpg.evaluation.tasks import Item, Task
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.progress import Steps
from lightning_dpg.records import TRAITS, Profile, Rating

COUNT = 3
QUESTIONS = tuple((turn,) for turn in CLOSING[:COUNT])
CAST = [
    Persona(f"held_out/{n}", "held_out", n, f"{n} keeps bees.", Profile((1.0,) * 5)) for n in "abc"
]
SEEN = [Persona(f"seen/{n}", "seen", n, "", Profile((2.0,) * 5)) for n in "de"]


def task(name: str, personas: Sequence[Persona]) -> Task:
    return Task(name, name, tuple(Item(persona, QUESTIONS) for persona in personas))


TASKS = [task("questions", [*CAST, *drawn_personas(2, 0)]), task("seen", SEEN)]


class Counting:
    """Scores that say who rated: a constant, and a little for the order of persons."""

    identity = "counting"

    def __init__(self, base: float) -> None:
        self.base = base
        self.identity = f"counting {base}"
        self.calls: list[list[list[str]]] = []

    def rate(self, persons: Sequence[Sequence[str]], *rest: Any, **more: Any) -> list[Rating]:
        self.calls.append([list(person) for person in persons])
        return [Rating((self.base + i / 100,) * 5) for i in range(len(persons))]


@pytest.fixture
def settings(config: Config) -> Config:
    config.evaluation.replies_per_persona, config.evaluation.bootstrap = COUNT, 20
    config.evaluation.dose_levels, config.evaluation.fluency_replies = 3, 2
    return config


def carry_out(
    settings: Config, backbone: Backbone, folder: Path, arms: Sequence[Any]
) -> tuple[dict[str, Any], dict[str, Counting], Any]:
    """The studies of arms that all say who they are; the raters, and what was said."""
    asked = [(t, arm) for t in TASKS for arm in arms] + study_tasks(settings, TASKS, list(arms))
    said = {
        (t.name, arm): {p.id: [f"{p.name} says {i}." for i in range(COUNT)] for p in t.personas}
        for t, arm in asked
    }
    cast = {"judge": Counting(0.0), "reader": Counting(1.0), "second": Counting(-1.0)}
    ratings = {
        (t.name, arm): Counting(float(arm == "dpg")).rate(list(said[t.name, arm].values()))
        for t, arm in asked
    }
    evaluation = Evaluation(
        config=settings,
        tasks=TASKS,
        corpus_mean=Profile((0.0,) * 5),
        backbone=backbone,
        panel=lambda language: Instruments(**cast),
        quality_judge=None,
        participants={},
        kept=Artefacts(folder),
        steps=Steps(),
    )
    return studies(evaluation, asked, said, ratings), cast, said


def test_the_second_instrument_rates_doses_and_the_reader_single_replies(
    settings: Config, backbone: Backbone, tmp_path: Path
) -> None:
    made, cast, said = carry_out(settings, backbone, tmp_path, ["unadapted", "dpg"])
    assert cast["second"].calls == [list(said["dose", "dpg"].values())]
    described = said["described", "dpg"]
    assert cast["reader"].calls == [[[r] for replies in described.values() for r in replies]]
    for trait in TRAITS:
        assert made["dose_response"][trait]["second_r"] == pytest.approx(1)
        assert made["dose_response"][trait]["null"]["spearman"] == pytest.approx(1)
        assert made["dose_response"][trait]["backgrounds"] == []
    assert made["descriptions"]["traits"]["replies"] == len(CAST) * COUNT
    assert made["descriptions"]["words"]["p"] is not None


def test_what_is_asked_beside_the_tasks(settings: Config) -> None:
    settings.evaluation.dose_backgrounds = [[2.0, -2.0, 2.0, -2.0, 2.0]]
    found = study_tasks(settings, TASKS, ["unadapted", "dpg"])
    sizes = [(t.name, arm, len(t.items)) for t, arm in found]
    # Five traits at three doses, at two backgrounds; of the frozen model at one.
    assert sizes == [
        ("dose", "dpg", 15),
        ("dose/1", "dpg", 15),
        ("dose", "unadapted", 15),
        ("described", "dpg", 3),
    ]
    whose = [persona.id for task, _ in found[:2] for persona in task.personas]
    assert whose == [p.id for p in dose_personas(3, [(2.0, -2.0, 2.0, -2.0, 2.0)])]
    assert all(item.contexts == QUESTIONS for t, _ in found for item in t.items)
    assert study_tasks(settings, TASKS, ["unadapted", "lora_sft"]) == []
    settings.evaluation.dose_levels = 0
    assert [t.name for t, _ in study_tasks(settings, TASKS, ["dpg"])] == ["described"]


def test_doses_at_further_backgrounds_join_the_others(
    settings: Config, backbone: Backbone, tmp_path: Path
) -> None:
    settings.evaluation.dose_backgrounds = [[2.0, -2.0, 2.0, -2.0, 2.0], [0.0, 0.0, 0.0, 0.0, 4.0]]
    made, cast, said = carry_out(settings, backbone, tmp_path, ["dpg"])
    names = ("dose", "dose/1", "dose/2")
    assert cast["second"].calls == [[r for n in names for r in said[n, "dpg"].values()]]
    for trait in TRAITS:
        first, second = made["dose_response"][trait]["backgrounds"]
        assert first["background"] == settings.evaluation.dose_backgrounds[0]
        assert second["background"] == settings.evaluation.dose_backgrounds[1]
        assert len(first["measured"]) == len(second["measured"]) == 3


def test_overfitting_compares_characters_of_training_with_held_out_ones(
    settings: Config, backbone: Backbone, tmp_path: Path
) -> None:
    made, _, _ = carry_out(settings, backbone, tmp_path, ["unadapted", "dpg"])
    assert set(made["overfitting"]) == {"unadapted", "dpg"}
    # Each is measured at the arm's constant, and a hundredth more from one to the next.
    root = 5**0.5
    dpg = made["overfitting"]["dpg"]
    assert dpg["seen"]["mean"] == pytest.approx(root * (1.0 + 0.99) / 2, abs=1e-4)
    assert dpg["unseen"]["mean"] == pytest.approx(root * 0.01, abs=1e-4)  # no drawn profiles
    assert dpg["difference"]["mean"] == pytest.approx(
        dpg["seen"]["mean"] - dpg["unseen"]["mean"], abs=1e-6
    )


def test_empty_replies_are_left_out() -> None:
    described = task("described", CAST)
    said = {p.id: ["", "Yes.", "No."] for p in CAST}
    answers = described_answers(described, said)
    assert [a.question for a in answers] == [text for _, text in CLOSING[1:COUNT]] * len(CAST)
    assert [a.reply for a in answers] == ["Yes.", "No."] * len(CAST)


def test_what_has_no_score_is_counted_with_reasons(
    settings: Config, backbone: Backbone, tmp_path: Path
) -> None:
    made, _, _ = carry_out(settings, backbone, tmp_path, ["unadapted", "dpg"])
    whole = {"unit": "persona", "of": 15, "reasons": {}}
    assert made["unscored"] == {
        "dose": {"dpg": whole, "unadapted": whole},
        "described": {"dpg": {"unit": "reply", "of": len(CAST) * COUNT, "reasons": {}}},
    }
    short = [Rating.unscored("too short")] * 2 + [Rating((1.0, None, 1.0, 1.0, 1.0), "one word")]
    found = _silent_doses([("dose/1", "dpg"), ("seen", "dpg")], {("dose/1", "dpg"): short})
    reasons = {"too short": 2, "one word": 1}
    assert found == {"dose/1": {"dpg": {"unit": "persona", "of": 3, "reasons": reasons}}}


def test_without_dpg_its_studies_are_empty(
    settings: Config, backbone: Backbone, tmp_path: Path
) -> None:
    made, cast, _ = carry_out(settings, backbone, tmp_path, ["unadapted"])
    assert made["dose_response"] == {} == made["descriptions"]
    assert cast["second"].calls == []
