"""Calibration: what a judge measures is what a dial is turned by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from lightning_dpg.config import Config
from lightning_dpg.evaluation import calibration
from lightning_dpg.evaluation.calibration import calibrate
from lightning_dpg.evaluation.questions import validation
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.records import TRAITS, Profile, Rating
from lightning_dpg.regions import Region
from tests.models.conftest import make_module, stir

__all__ = ["make_module"]
BIAS, SLOPE, ADDED = 1.0, 0.5, 2.0


class Obliging:
    """A judge that measures half of where the dial stands, and a point more."""

    identity = "obliging"

    def __init__(self, silent: bool = False) -> None:
        self.silent = silent
        self.read: list[int] = []

    def rate(
        self, persons: Sequence[Sequence[str]], *rest: Any, read: int, **more: Any
    ) -> list[Rating]:
        self.read.append(read)
        if self.silent:
            return [Rating.unscored("too short")] * len(persons)
        return [Rating(tuple(float(x) * SLOPE + BIAS for x in said[0].split())) for said in persons]


@pytest.fixture
def asked() -> list[Request]:
    """What a module was asked."""
    return []


@pytest.fixture
def module(
    make_module: Any, config: Config, asked: list[Request], monkeypatch: pytest.MonkeyPatch
) -> Any:
    config.calibration.profiles, config.calibration.replies = 12, 1
    module = make_module().eval()
    stir(module)

    class Stand:
        """Says where the dial stands, and `ADDED` more of each trait with a description."""

        def speak(self, requests: Sequence[Request], seed: int) -> list[str]:
            asked.extend(requests)
            settings = module.dial_settings(
                [r.profile for r in requests], [r.description for r in requests]
            )
            added = torch.tensor([ADDED if r.description else 0.0 for r in requests])
            return [" ".join(str(float(x)) for x in row) for row in settings + added[:, None]]

    monkeypatch.setattr(calibration, "make_speaker", lambda *_: Stand())
    return module


def test_the_dial_gives_what_is_asked(module: Any, config: Config) -> None:
    found = calibrate("dpg", module, config, Obliging())
    assert len(found["settings"]) == len(found["measured"]) == 24  # two rounds
    for trait in TRAITS:
        assert found["response"][trait][trait] == pytest.approx(SLOPE, abs=1e-3)
        assert found["response"]["bias"][trait] == pytest.approx(BIAS, abs=1e-3)
    asked = torch.tensor([[1.0, -1.0, 0.0, 2.0, 3.0]])
    given = module.dial(asked) * SLOPE + BIAS
    assert (given - asked).abs().max() < 0.5 < (asked * SLOPE + BIAS - asked).abs().max()


def test_what_descriptions_do_to_traits_is_turned_back(module: Any, config: Config) -> None:
    found = calibrate("dpg", module, config, Obliging(), ["A tall woman.", " ", "A short man."])
    assert sorted(found["described"]) == [0.0] * 12 + [1.0] * 12  # half of each round
    for trait in TRAITS:
        assert found["response"]["description"][trait] == pytest.approx(ADDED * SLOPE, abs=1e-3)
    asked = Profile((1.0, -1.0, 0.0, 2.0, 3.0))
    plain, described = module.dial_settings([asked, asked], ["", "An old man."])
    assert (plain - described).mean() == pytest.approx(ADDED, rel=0.2)  # but for the ridge


def test_the_second_round_asks_as_the_first_has_turned(module: Any, config: Config) -> None:
    found = calibrate("dpg", module, config, Obliging())
    first, second = found["settings"][:12], found["settings"][12:]
    assert max(abs(x) for row in first for x in row) <= 5
    assert max(abs(x) for row in second for x in row) > 5


def test_scores_are_on_the_scale_of_the_evaluation(module: Any, config: Config) -> None:
    """It reads more of each persona; against people of whom less is read, biases look small."""
    judge = Obliging()
    calibrate("dpg", module, config, judge)
    assert judge.read == [config.evaluation.replies_per_persona] * 2


def test_dials_that_do_not_answer_are_asked_once(
    module: Any, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.evaluation.test_calibration.SLOPE", 0.1)
    assert len(calibrate("dpg", module, config, Obliging())["settings"]) == 12


def test_a_first_round_with_too_few_rated_does_not_end_it(module: Any, config: Config) -> None:
    """And whoever is not rated is left out of all that is fitted."""

    class Picky(Obliging):
        def rate(self, persons: Sequence[Sequence[str]], *rest: Any, **more: Any) -> list[Rating]:
            rated = super().rate(persons, *rest, **more)
            kept = range(3, 8) if len(self.read) == 1 else range(5, 12)
            return [r if i in kept else Rating.unscored("short") for i, r in enumerate(rated)]

    found = calibrate("dpg", module, config, Picky(), ["A tall woman.", "A short man."])
    # Of twelve a round the last six are described.
    assert found["described"] == [0.0] * 3 + [1.0] * 2 + [0.0] + [1.0] * 6
    assert len(found["settings"]) == len(found["measured"]) == 12
    assert found["response"]["description"]["openness"] == pytest.approx(ADDED * SLOPE, abs=1e-3)


def test_an_arm_that_reads_no_scores_is_not_asked_and_keeps_its_dial(
    module: Any, config: Config, asked: list[Request]
) -> None:
    module.adapters.reads_scores = False
    judge = Obliging()
    assert calibrate("dpg", module, config, judge, ["A tall woman."])["settings"] == []
    assert not asked and not judge.read
    profile = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]])
    assert torch.equal(module.dial(profile, torch.ones(1)), profile)


def test_profiles_of_held_out_regions_are_not_asked(
    module: Any, config: Config, asked: list[Request]
) -> None:
    def inside() -> int:
        return sum(request.profile in Region.parse("E+ N+") for request in asked)

    descriptions = ["A tall woman.", "A short man."]
    calibrate("dpg", module, config, Obliging(), descriptions)
    assert inside() and len(asked) == 24
    asked.clear()
    config.data.held_out_regions = ["E+ N+", "O-"]
    calibrate("dpg", module, config, Obliging(), descriptions)
    assert not inside() and len(asked) == 24


def test_questions_are_in_the_language_of_the_evaluation(
    module: Any, config: Config, asked: list[Request]
) -> None:
    config.evaluation.language = "zh"
    calibrate("dpg", module, config, Obliging())
    pool = validation("zh")
    assert all(r.language == "zh" and r.context[0] in pool for r in asked)


def test_where_nothing_is_rated_or_asked_the_dial_stays(module: Any, config: Config) -> None:
    assert calibrate("dpg", module, config, Obliging(silent=True))["settings"] == []
    config.calibration.profiles = 0
    nothing: dict[str, list[Any]] = {"settings": [], "measured": [], "described": []}
    assert calibrate("dpg", module, config, Obliging()) == nothing
    profile = Profile((1.0, 2.0, 3.0, 4.0, 5.0))
    assert torch.equal(module.dial(torch.tensor([profile.scores])), torch.tensor([profile.scores]))
