"""Cells in numbers, against numpy and scipy."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import bootstrap

from lightning_dpg.ablation.comparing import Bootstrap, cell_numbers
from lightning_dpg.ablation.measured import Measured, read_measured
from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS
from tests.ablation.fake_runs import Change, fake_results, write_run

DRAWS = Bootstrap(200, 0)


@pytest.fixture
def measure(tmp_path: Path) -> Any:
    """`measure(seed=…, …)`: a fake run, read; `change` edits its results."""

    def make(change: Change | None = None, **given: Any) -> Measured:
        results = fake_results(**given)
        if change:
            change(results)
        folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        write_run(folder, results)
        return read_measured(folder)

    return make


def task(results: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = results["tasks"]["questions"]
    return found


def scored(results: dict[str, Any], arm: str = "dpg") -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Asked and measured by persona, straight from the results."""
    measured = task(results)["arms"][arm]["measured"]
    return {
        p["id"]: (np.array(p["target"]), np.array(measured[p["id"]]))
        for p in task(results)["personas"]
        if measured[p["id"]] is not None
    }


def deviations(results: dict[str, Any]) -> dict[str, float]:
    return {key: math.dist(asked, got) for key, (asked, got) in scored(results).items()}


def test_one_seed_has_the_numbers_of_its_run(measure: Any) -> None:
    results, run = fake_results(), measure()
    found = cell_numbers({0: run}, {0: run}, DRAWS)
    values = np.array(list(deviations(results).values()))
    expected = bootstrap(
        (values,), np.mean, n_resamples=200, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert found["psdc"]["mean"] == pytest.approx(values.mean())
    assert found["psdc"]["low"] == pytest.approx(expected.low)
    assert found["psdc"]["high"] == pytest.approx(expected.high)
    assert found["psdc"]["mean"] == pytest.approx(
        task(results)["arms"]["dpg"]["psdc"]["l2"]["mean"], abs=1e-4
    )
    asked, got = (np.array([pair[i] for pair in scored(results).values()]) for i in (0, 1))
    r = [np.corrcoef(asked[:, i], got[:, i])[0, 1] for i in range(len(TRAITS))]
    assert [found["traits"][t]["mean"] for t in TRAITS] == pytest.approx(r, abs=1e-5)
    assert found["mean_r"]["mean"] == pytest.approx(np.mean(r), abs=1e-5)
    assert (found["arm"], found["task"]) == ("dpg", "questions")
    assert (found["scored"], found["unscored"]) == (23, 1)
    quality = task(results)["arms"]["dpg"]["quality"]
    assert {key: found[key] for key in ("nll", "coherency", "distinct_2", "loops")} == {
        key: quality[key] for key in ("nll", "coherency", "distinct_2", "loops")
    }
    assert found["profile_r"]["mean"] == 0.8
    assert found["trivial"]["constant_zero"] == pytest.approx(
        np.mean([np.linalg.norm(p["target"]) for p in task(results)["personas"]])
    )


def test_the_interval_of_the_mean_correlation_is_over_personas(measure: Any) -> None:
    run = measure()
    asked, got = (np.array([pair[i] for pair in scored(fake_results()).values()]) for i in (0, 1))

    def mean_r(rows: np.ndarray) -> float:
        return float(
            np.mean([np.corrcoef(asked[rows, i], got[rows, i])[0, 1] for i in range(len(TRAITS))])
        )

    expected = bootstrap(
        (np.arange(len(asked)),),
        mean_r,
        n_resamples=200,
        method="percentile",
        vectorized=False,
        rng=np.random.default_rng(0),
    ).confidence_interval
    found = cell_numbers({0: run}, {0: run}, DRAWS)["mean_r"]
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high), abs=1e-5)


def test_the_ratio_is_over_the_personas_that_both_have_scored(measure: Any) -> None:
    def silence(results: dict[str, Any]) -> None:
        task(results)["arms"]["dpg"]["measured"]["drawn/05"] = None

    def rename(results: dict[str, Any]) -> None:
        persona = task(results)["personas"][2]
        measured = task(results)["arms"]["dpg"]["measured"]
        measured["held_out/else"] = measured.pop(persona["id"])
        persona["id"] = "held_out/else"

    cell, reference = measure(silence, scores=0.3), measure(rename)
    own, other = deviations(fake_results(scores=0.3)), deviations(fake_results())
    both = set(own) - {"drawn/05", "held_out/saltmarsh/peter"}
    found = cell_numbers({0: cell}, {0: reference}, DRAWS)["ratio"]
    assert found["pairs"] == len(both) == 21
    assert found["mean"] == pytest.approx(sum(own[k] for k in both) / sum(other[k] for k in both))
    assert found["low"] < found["mean"] < found["high"]


def test_cells_that_share_nobody_have_no_ratio(measure: Any) -> None:
    def elsewhere(results: dict[str, Any]) -> None:
        for persona in task(results)["personas"]:
            measured = task(results)["arms"]["dpg"]["measured"]
            measured[f"other/{persona['id']}"] = measured.pop(persona["id"])
            persona["id"] = f"other/{persona['id']}"

    own, other = measure(), measure(elsewhere)
    assert cell_numbers({0: own}, {0: other}, DRAWS)["ratio"] == {
        "mean": None,
        "low": None,
        "high": None,
        "pairs": 0,
        "other_targets": 0,
    }
    assert cell_numbers({0: own}, {}, DRAWS)["ratio"]["pairs"] == 0


def shift_characters(results: dict[str, Any]) -> None:
    """As if the characters of a cell had other labels: what is measured stays."""
    for persona in task(results)["personas"][:8]:
        persona["target"] = [round(score / 4, 1) for score in persona["target"]]


def test_personas_with_another_target_are_no_pair(measure: Any) -> None:
    found = cell_numbers({0: measure(shift_characters)}, {0: measure()}, DRAWS)
    assert found["psdc"]["mean"] != cell_numbers({0: measure()}, {}, DRAWS)["psdc"]["mean"]
    assert found["ratio"] == {
        "mean": 1.0,  # of those drawn, who were scored alike
        "low": 1.0,
        "high": 1.0,
        "pairs": 15,
        "other_targets": 8,
    }
    assert found["compared"]["personas"] == 15
    assert found["compared"]["difference"]["mean"] == 0

    def shift_all(results: dict[str, Any]) -> None:
        for persona in task(results)["personas"]:
            persona["target"][4] += 0.001

    found = cell_numbers({0: measure(shift_all)}, {0: measure()}, DRAWS)
    assert found["ratio"] == {
        "mean": None,
        "low": None,
        "high": None,
        "pairs": 0,
        "other_targets": 23,
    }
    assert (found["compared"]["p"], found["compared"]["personas"]) == (None, 0)


def test_rounding_makes_no_other_target(measure: Any) -> None:
    def round_off(results: dict[str, Any]) -> None:
        for persona in task(results)["personas"]:
            persona["target"] = [score + 1e-7 for score in persona["target"]]

    found = cell_numbers({0: measure(round_off)}, {0: measure()}, DRAWS)["ratio"]
    assert (found["pairs"], found["other_targets"]) == (23, 0)


def test_a_cell_is_tested_against_its_reference_pair_by_pair(measure: Any) -> None:
    def few(results: dict[str, Any]) -> None:
        task(results)["personas"] = task(results)["personas"][:9]
        kept = {persona["id"] for persona in task(results)["personas"]}
        measured = task(results)["arms"]["dpg"]["measured"]
        task(results)["arms"]["dpg"]["measured"] = {k: v for k, v in measured.items() if k in kept}

    cell, reference = measure(few, scores=0.3), measure(few)
    found = cell_numbers({0: cell}, {0: reference}, DRAWS)["compared"]
    own, other = deviations(fake_results(scores=0.3)), deviations(fake_results())
    keys = [persona.id for persona in cell.personas]
    differences = np.array([own[key] - other[key] for key in keys])
    assert found["difference"]["mean"] == pytest.approx(differences.mean())
    assert found["effect"] == pytest.approx(differences.mean() / differences.std(ddof=1))
    flips = np.array(list(itertools.product([1, -1], repeat=9)))
    as_large = np.abs(flips @ differences) >= abs(differences.sum()) - 1e-9
    assert found["p"] == pytest.approx(as_large.mean())


def test_whoever_has_no_score_is_named_with_the_reason(measure: Any) -> None:
    def silence(results: dict[str, Any]) -> None:
        task(results)["arms"]["dpg"]["measured"]["drawn/05"] = None

    run = measure(silence)
    assert cell_numbers({0: run}, {0: run}, DRAWS)["reasons"] == {
        "insufficient evidence: 12 words": ["drawn/03"],
        "": ["drawn/05"],
    }
    two = cell_numbers({0: measure(), 4: measure()}, {}, DRAWS)["reasons"]
    assert list(two.values()) == [["drawn/03, seed 0", "drawn/03, seed 4"]]


def test_personas_of_all_seeds_are_one_sample(measure: Any) -> None:
    runs = {seed: measure(seed=seed) for seed in (0, 1)}
    found = cell_numbers(runs, runs, DRAWS)
    each = [list(deviations(fake_results(seed)).values()) for seed in (0, 1)]
    assert found["psdc"]["mean"] == pytest.approx(np.mean([*each[0], *each[1]]))
    assert found["by_seed"]["psdc"] == pytest.approx([np.mean(values) for values in each])
    assert found["scored"] == 46
    assert found["descriptions"]["words"]["p"] == [0.0005, 0.0005]
    assert found["nll"] == {"mean": pytest.approx(2.88), "low": None, "high": None}


def test_a_character_that_comes_in_two_seeds_is_one_cluster_and_a_drawn_profile_is_not(
    measure: Any,
) -> None:
    run = measure()
    one = cell_numbers({0: run}, {0: run}, DRAWS)["groups"]
    two = cell_numbers({0: run, 1: run}, {0: run, 1: run}, DRAWS)["groups"]
    assert [(g["name"], g["personas"]) for g in one] == [("held_out", 8), ("drawn", 15)]
    assert [(g["name"], g["personas"]) for g in two] == [("held_out", 16), ("drawn", 30)]
    for bound in ("mean", "low", "high"):
        assert two[0]["psdc"][bound] == pytest.approx(one[0]["psdc"][bound])
    width = [group["psdc"]["high"] - group["psdc"]["low"] for group in (one[1], two[1])]
    assert width[1] < 0.85 * width[0]


def test_groups_say_what_constant_zero_gets_on_the_same(measure: Any) -> None:
    def translate(results: dict[str, Any]) -> None:
        for persona in task(results)["personas"][:3]:
            persona["language"] = "zh"

    run = measure(translate)
    found = {g["name"]: g for g in cell_numbers({0: run}, {0: run}, DRAWS)["groups"]}
    assert list(found) == ["held_out", "drawn", "zh", "en"]
    own, values = deviations(fake_results()), scored(fake_results())
    held = [key for key in own if key.startswith("held_out")]
    assert found["held_out"]["psdc"]["mean"] == pytest.approx(np.mean([own[k] for k in held]))
    assert found["held_out"]["zero"] == pytest.approx(
        np.mean([np.linalg.norm(values[k][0]) for k in held])
    )
    assert (found["zh"]["by"], found["zh"]["personas"]) == ("language", 3)


def test_another_arm_counts_where_there_is_no_dpg(measure: Any) -> None:
    run = measure(arm="linear", scores=0.5)
    found = cell_numbers({0: run}, {0: measure()}, DRAWS)
    assert found["arm"] == "linear"
    expected = fake_results(arm="linear", scores=0.5)
    assert found["psdc"]["mean"] == pytest.approx(
        np.mean([math.dist(*pair) for pair in scored(expected, "linear").values()])
    )
    nothing = {"explained": None, "expected": None, "p": [None]}
    assert found["descriptions"] == {"words": nothing, "traits": nothing}


def test_nobody_scored_is_no_number(measure: Any) -> None:
    def silence(results: dict[str, Any]) -> None:
        measured = task(results)["arms"]["dpg"]["measured"]
        measured.update(dict.fromkeys(measured))

    run = measure(silence)
    found = cell_numbers({0: run}, {0: run}, DRAWS)
    assert found["psdc"]["mean"] is found["mean_r"]["mean"] is found["ratio"]["mean"] is None
    assert (found["scored"], found["unscored"], found["groups"]) == (0, 24, [])
    assert found["by_seed"] == {"psdc": [None], "mean_r": [None]}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda results: results.pop("tasks"),
        lambda results: task(results)["arms"]["dpg"].pop("measured"),
        lambda results: task(results)["personas"][0].update(target=[1, 2]),
        lambda results: results.update(tasks=[]),
        lambda results: results.update(corpus=None),
    ],
)
def test_results_of_another_shape_are_told(tmp_path: Path, spoil: Any) -> None:
    results = fake_results()
    spoil(results)
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    with pytest.raises(UserError, match=r"results.json is not what an evaluation .* writes"):
        read_measured(tmp_path)


def test_a_run_without_results_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="delete its folder and run the same command again"):
        read_measured(tmp_path)


def test_a_headline_task_that_was_not_done_gives_way_to_the_first(measure: Any) -> None:
    def scripted(results: dict[str, Any]) -> None:
        results["tasks"] = {"scripted": task(results)}

    assert measure(scripted).task == "scripted"
