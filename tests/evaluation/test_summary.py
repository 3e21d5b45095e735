"""The numbers of a task, worked out by hand for four personas."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from scipy.stats import pearsonr

from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.summary import Summary
from lightning_dpg.records import TRAITS, Profile, Rating

TARGETS = [
    (3.0, 0.0, 0.0, 0.0, 0.0),
    (-3.0, 4.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 0.0, 5.0),
    (1.0, 1.0, 1.0, 1.0, 1.0),
]
PERSONAS = [
    Persona(f"drawn/{i:02}", "drawn", f"Drawn {i}", "", Profile(target))
    for i, target in enumerate(TARGETS)
]
ZERO, TOO_SHORT = Rating((0.0,) * 5), Rating.unscored("insufficient evidence: 3 words")
RATINGS = {
    "unadapted": [ZERO] * 4,
    "prompted": [Rating(tuple(reversed(t))) for t in TARGETS],
    "lora_sft": [Rating((t[0] - 2.0, *t[1:])) for t in TARGETS[:3]] + [TOO_SHORT],
    "dpg": [TOO_SHORT] + [Rating((*t[:4], t[4] - 1.0)) for t in TARGETS[1:]],
}
MEAN = Profile((1.0, 0.0, 0.0, 0.0, 0.0))


TRIVIAL = {"dpg_over_constant_zero", "dpg_over_corpus_mean"}


def results(ratings: Any = RATINGS, personas: list[Persona] = PERSONAS) -> dict[str, Any]:
    summary = Summary(personas, MEAN, resamples=200, seed=0).task(ratings)
    return json.loads(json.dumps(summary, allow_nan=False))  # type: ignore[no-any-return]


def mean_of(part: dict[str, Any], norm: str = "l2") -> Any:
    return pytest.approx(part["psdc"][norm]["mean"], rel=1e-5)


def test_deviations_by_hand() -> None:
    arms = results()["arms"]
    assert mean_of(arms["unadapted"]) == (3 + 5 + 5 + math.sqrt(5)) / 4
    assert mean_of(arms["unadapted"], "l1") == (3 + 7 + 5 + 5) / 4
    assert mean_of(arms["unadapted"], "mae") == (3 + 7 + 5 + 5) / 20
    assert mean_of(arms["unadapted"], "rmse") == (3 + 5 + 5 + math.sqrt(5)) / 4 / math.sqrt(5)
    assert mean_of(arms["lora_sft"]) == 2  # of the three that were scored
    assert mean_of(arms["dpg"]) == 1
    backwards = (math.sqrt(18) + math.sqrt(2 * 3**2 + 2 * 4**2) + math.sqrt(50) + 0) / 4
    assert mean_of(arms["prompted"]) == backwards


def test_every_norm_has_an_interval_around_its_mean() -> None:
    for arm in results()["arms"].values():
        assert set(arm["psdc"]) == {"l2", "l1", "mae", "rmse"}
        for value in arm["psdc"].values():
            assert set(value) == {"mean", "low", "high"}
            assert value["low"] <= value["mean"] + 1e-9
            assert value["mean"] <= value["high"] + 1e-9


def test_trivial_answers_by_hand() -> None:
    trivial = results()["trivial"]
    assert set(trivial) == {"constant_zero", "corpus_mean", "shuffled"}
    assert mean_of(trivial["constant_zero"]) == (3 + 5 + 5 + math.sqrt(5)) / 4
    against_mean = (2 + math.sqrt(16 + 16) + math.sqrt(1 + 25) + math.sqrt(4)) / 4
    assert mean_of(trivial["corpus_mean"]) == against_mean
    pairs = [math.dist(one, other) for one, other in combinations(TARGETS, 2)]
    assert mean_of(trivial["shuffled"]) == sum(pairs) / len(pairs)


def test_an_unscored_persona_is_counted_and_never_a_zero() -> None:
    arms = results()["arms"]
    counts = {arm: (a["scored"], a["unscored"]) for arm, a in arms.items()}
    assert counts == {
        "unadapted": (4, 0),
        "prompted": (4, 0),
        "lora_sft": (3, 1),
        "dpg": (3, 1),
    }
    assert arms["dpg"]["measured"]["drawn/00"] is None
    assert arms["dpg"]["reasons"] == {"drawn/00": "insufficient evidence: 3 words"}
    assert arms["dpg"]["measured"]["drawn/02"] == [0, 0, 0, 0, 4]
    assert arms["unadapted"]["measured"]["drawn/00"] == [0] * 5
    assert arms["unadapted"]["reasons"] == {}


def test_correlations_equal_scipy_and_are_null_where_not_defined() -> None:
    arms = results()["arms"]
    assert arms["unadapted"]["trait_r"] == dict.fromkeys(TRAITS)
    asked, got = [t[0] for t in TARGETS], [t[4] for t in TARGETS]
    assert arms["prompted"]["trait_r"]["openness"] == pytest.approx(
        pearsonr(asked, got).statistic, abs=1e-6
    )
    assert arms["dpg"]["trait_r"]["neuroticism"] == pytest.approx(1)


def test_ratios_stand_on_the_personas_that_both_have_a_score_for() -> None:
    ratios = results()["ratios"]
    assert ratios["dpg_over_lora_sft"]["mean"] == pytest.approx(1 / 2)
    zero = (5 + 5 + math.sqrt(5)) / 3  # without the first persona, which DPG has no score for
    assert ratios["dpg_over_constant_zero"]["mean"] == pytest.approx(1 / zero)
    assert ratios["dpg_over_best_prompt"]["arm"] == "unadapted"
    assert ratios["dpg_over_best_prompt"]["mean"] == pytest.approx(1 / zero)


def test_the_best_prompt_is_the_one_with_the_least_deviation() -> None:
    better = {**RATINGS, "prompted": [Rating(t) for t in TARGETS[:2]] + [TOO_SHORT] * 2}
    better["prompted"][0] = Rating((2.0, 0.0, 0.0, 0.0, 0.0))
    ratio = results(better)["ratios"]["dpg_over_best_prompt"]
    assert ratio["arm"] == "prompted"
    assert ratio["mean"] is None  # the one persona that both have: prompted answers it exactly


def off(by: float, count: int = 10) -> list[Rating]:
    return [Rating((by, 0.0, 0.0, 0.0, 0.0))] * count


def best_of(**prompts: list[Rating]) -> tuple[str | None, Any]:
    """Of ten personas: two easy ones near 0, and eight far away; DPG is off by 1 everywhere."""
    targets = [0.0] * 2 + [5.0] * 8
    people = [
        Persona(f"drawn/{i}", "drawn", "", "", Profile((t, 0.0, 0.0, 0.0, 0.0)))
        for i, t in enumerate(targets)
    ]
    ratings = {"dpg": [Rating((t - 1.0, 0.0, 0.0, 0.0, 0.0)) for t in targets], **prompts}
    ratio = results(ratings, people)["ratios"].get("dpg_over_best_prompt")
    return (ratio["arm"], ratio["mean"]) if ratio else (None, None)


def test_an_arm_that_answers_the_easy_ones_alone_is_not_the_best_prompt() -> None:
    easy = off(0.5, 2) + [TOO_SHORT] * 8  # off by .5 where it has a score; the other by 3.2
    assert best_of(prompted=easy, few_shot=off(1.0)) == ("few_shot", pytest.approx(10 / 34))
    assert best_of(prompted=easy) == (None, None)
    assert best_of(prompted=off(0.5, 4) + [TOO_SHORT] * 6, few_shot=off(1.0))[0] == "few_shot"


def test_prompts_are_compared_on_the_personas_that_all_and_dpg_have_scored() -> None:
    # Off by .5 and 4.5, by .7 and 4.3: on the five of the first, the other does better.
    half = off(0.5, 5) + [TOO_SHORT] * 5
    assert best_of(prompted=half, few_shot=off(0.7))[0] == "few_shot"
    assert best_of(prompted=half, few_shot=off(0.3))[0] == "prompted"
    silent = [TOO_SHORT] * 5 + off(0.3, 5)
    assert best_of(prompted=half, few_shot=silent) == (None, None)  # nothing to choose by
    # DPG has no score for those on which the first is better.
    hard = [Rating((5.0, 0.0, 0.0, 0.0, 0.0))] * 10
    unheard = [TOO_SHORT] * 2 + off(4.0, 8)
    assert best_of(dpg=unheard, prompted=hard, few_shot=off(4.0))[0] == "prompted"
    unheard = off(1.0, 2) + [TOO_SHORT] * 8
    assert best_of(dpg=unheard, prompted=hard, few_shot=off(4.0))[0] == "few_shot"


def test_an_arm_without_any_score_is_null_throughout() -> None:
    silent = {**RATINGS, "dpg": [TOO_SHORT] * 4, "prompted": [TOO_SHORT] * 4}
    found = results(silent)
    dpg = found["arms"]["dpg"]
    assert dpg["unscored"] == 4
    assert dpg["psdc"]["l2"] == {"mean": None, "low": None, "high": None}
    assert dpg["trait_r"] == dict.fromkeys(TRAITS)
    assert {r["mean"] for r in found["ratios"].values()} == {None}
    assert found["ratios"]["dpg_over_best_prompt"]["arm"] == "unadapted"


@pytest.mark.parametrize(
    ("arms", "ratios"),
    [
        (("unadapted", "prompted", "lora_sft"), set()),
        (("dpg",), TRIVIAL),
        (("dpg", "prompted"), {*TRIVIAL, "dpg_over_best_prompt"}),
        (("dpg", "lora_sft"), {*TRIVIAL, "dpg_over_lora_sft"}),
        (("dpg", "lora_sft_contrast"), {*TRIVIAL, "dpg_over_lora_sft_contrast"}),
    ],
)
def test_missing_arms_leave_their_ratios_out(arms: tuple[str, ...], ratios: set[str]) -> None:
    found = results({arm: RATINGS.get(arm, RATINGS["lora_sft"]) for arm in arms})
    assert set(found["arms"]) == set(arms)
    assert set(found["ratios"]) == ratios


def test_targets_are_kept_with_their_personas() -> None:
    assert results()["personas"][1] == {
        "id": "drawn/01",
        "kind": "drawn",
        "name": "Drawn 1",
        "description": "",
        "target": [-3, 4, 0, 0, 0],
        "language": "en",
        "cluster": "drawn/01",
    }


def test_one_persona_is_enough_for_numbers_without_intervals() -> None:
    found = results({"dpg": [RATINGS["dpg"][1]]}, PERSONAS[1:2])
    assert found["arms"]["dpg"]["psdc"]["l2"] == {"mean": 1.0, "low": None, "high": None}


def test_kinds_and_languages_have_their_own_deviation_beside_constant_zero() -> None:
    people = [
        replace(p, kind=kind, language=language)
        for p, kind, language in zip(
            PERSONAS, ["drawn", "held_out"] * 2, ["en", "en", "zh", "zh"], strict=True
        )
    ]
    arm = results(personas=people)["arms"]["lora_sft"]
    drawn, held_out = arm["by_kind"]["drawn"], arm["by_kind"]["held_out"]
    assert (drawn["personas"], held_out["personas"]) == (2, 2)
    assert drawn["l2"]["mean"] == pytest.approx(2) and drawn["zero"] == pytest.approx((3 + 5) / 2)
    assert held_out["zero"] == pytest.approx(5)  # the last is unscored
    dpg = results(personas=people)["arms"]["dpg"]["by_kind"]["drawn"]
    assert dpg["zero"] == pytest.approx(5)  # its first persona has no score
    assert arm["by_language"]["en"]["zero"] == pytest.approx((3 + 5) / 2)
    assert "by_language" not in results()["arms"]["lora_sft"]


def test_the_main_arm_is_compared_with_each_other_one() -> None:
    compared = results()["comparisons"]
    assert set(compared) == {"unadapted", "prompted", "lora_sft"}
    # Of the two that both have scored, DPG is off by 1 and LoRA-SFT by 2.
    assert compared["lora_sft"]["difference"]["mean"] == pytest.approx(-1)
    assert compared["lora_sft"]["personas"] == 2
    assert compared["lora_sft"]["traits"]["openness"]["difference"]["mean"] == pytest.approx(-2)
    assert compared["lora_sft"]["traits"]["neuroticism"]["difference"]["mean"] == pytest.approx(1)
    assert results({"prompted": RATINGS["prompted"]})["comparisons"] == {}


def test_personas_of_one_character_are_resampled_together() -> None:
    apart = results()["arms"]["unadapted"]["psdc"]["l2"]
    twins = [replace(p, character="saltmarsh/mara") for p in PERSONAS[:3]] + PERSONAS[3:]
    together = results(personas=twins)["arms"]["unadapted"]["psdc"]["l2"]
    assert together["mean"] == pytest.approx(apart["mean"])
    assert (together["low"], together["high"]) != (apart["low"], apart["high"])
