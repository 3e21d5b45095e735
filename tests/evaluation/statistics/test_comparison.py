"""Arms and groups compared, by hand and against scipy."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy.stats import ttest_rel
from statsmodels.stats.multitest import multipletests

from lightning_dpg.evaluation.statistics import mean_interval
from lightning_dpg.evaluation.statistics.comparison import (
    compare_arms,
    comparison,
    difference_between,
    holm,
)
from lightning_dpg.evaluation.statistics.permutation import sign_flips
from lightning_dpg.records import TRAITS

NOTHING = {"mean": None, "low": None, "high": None}


def draw(size: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, size)


def test_a_paired_comparison() -> None:
    second = draw(20, 3.0, 0)
    first = second + draw(20, -0.5, 1)
    whose = [f"character {i // 2}" for i in range(20)]
    found = comparison(first, second, whose, 400, 0)
    assert found["difference"] == mean_interval(first - second, 400, 0, whose)
    assert found["p"] == sign_flips(first - second, [i // 2 for i in range(20)], 400, 0)
    t = ttest_rel(first, second).statistic
    assert found["effect"] == pytest.approx(t / np.sqrt(20))  # d_z
    assert found["personas"] == 20
    turned = comparison(second, first, whose, 400, 0)
    assert turned["effect"] == pytest.approx(-t / np.sqrt(20)) and turned["p"] == found["p"]


def test_personas_that_one_arm_lacks_are_left_out() -> None:
    first, second = draw(8, 1.0), draw(8, 0.0, 1)
    whose = ["a", "b", "c", "c", "d", "e", "f", "g"]
    known = [1, 2, 4, 5, 7]
    less = comparison(first[known], second[known], [whose[i] for i in known], 100, 0)
    first[[0, 6]], second[3] = np.nan, np.nan
    assert comparison(first, second, whose, 100, 0) == less
    assert less["personas"] == 5 and less["p"] is not None


def test_what_cannot_be_compared() -> None:
    nobody = comparison(np.array([]), np.array([]), None, 100, 0)
    assert nobody == {"difference": NOTHING, "p": None, "effect": None, "personas": 0}
    one = comparison(np.array([1.0]), np.array([3.0]), ["mara"], 100, 0)
    assert one["difference"] == {"mean": -2.0, "low": None, "high": None}
    assert one["p"] is None and one["effect"] is None
    alike = comparison(np.arange(9.0), np.arange(9.0), None, 100, 0)
    assert (alike["p"], alike["effect"], alike["difference"]["mean"]) == (1, None, 0)


def test_groups_of_different_characters() -> None:
    first, second = draw(200, 2.0), draw(150, 1.6, 1)
    found = difference_between(first, second, 2000, 0)
    half = 1.96 * np.sqrt(first.var() / 200 + second.var() / 150)
    mean = first.mean() - second.mean()
    assert found["difference"]["mean"] == pytest.approx(mean)
    assert found["difference"]["low"] == pytest.approx(mean - half, abs=0.15 * half)
    assert found["difference"]["high"] == pytest.approx(mean + half, abs=0.15 * half)
    assert found["p"] is not None and found["p"] < 0.05
    assert difference_between(first, first[::2], 500, 0)["p"] > 0.2  # type: ignore[operator]


def test_groups_too_small_to_compare() -> None:
    some, one, none = draw(5), draw(1), draw(0)
    assert difference_between(some, none, 100, 0) == {"difference": NOTHING, "p": None}
    assert difference_between(none, some, 100, 0) == {"difference": NOTHING, "p": None}
    found = difference_between(one, some, 100, 0)
    mean = pytest.approx(one[0] - some.mean())
    assert found == {"difference": {"mean": mean, "low": None, "high": None}, "p": None}


def test_holm_by_hand() -> None:
    found = holm({"a": 0.03, "b": 0.01, "none": None, "c": 0.04, "d": 0.5})
    assert found == {
        "a": pytest.approx(0.09),  # second of four: 3 × 0.03
        "b": pytest.approx(0.04),
        "none": None,
        "c": pytest.approx(0.09),  # 2 × 0.04, but never below the one before it
        "d": pytest.approx(0.5),
    }
    assert list(found) == ["a", "b", "none", "c", "d"]
    assert holm({"a": 0.8, "b": 0.9}) == {"a": 1, "b": 1}
    ps = draw(9, 0.0, 5) ** 2 / 20
    wanted = multipletests(ps, method="holm")[1]
    assert list(holm(dict(zip("abcdefghi", ps, strict=True))).values()) == pytest.approx(wanted)
    assert holm({"a": None}) == {"a": None} and holm({}) == {}


WHOSE = [f"character {i // 2}" for i in range(18)]


def arms() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """A good arm; one that is as good but for extraversion; one at 0, unscored twice."""
    rng = np.random.default_rng(3)
    targets = torch.tensor(rng.uniform(-5, 5, (18, 5)), dtype=torch.float32)
    good = targets + torch.tensor(rng.normal(0, 0.5, (18, 5)), dtype=torch.float32)
    flat, zero = good.clone(), torch.zeros_like(targets)
    flat[:, 2] = 0.0
    zero[4], zero[9, 1] = torch.nan, torch.nan
    return targets, {"flat": flat, "dpg": good, "zero": zero}


def test_the_main_arm_against_each_other() -> None:
    targets, measured = arms()
    found = compare_arms(targets, measured, "dpg", WHOSE, 500, 0)
    assert list(found) == ["flat", "zero"]
    zero, kept = found["zero"], [i for i in range(18) if i not in (4, 9)]
    x, y = targets[kept].numpy(), measured["dpg"][kept].numpy()
    difference = np.sqrt(((x - y) ** 2).sum(1)) - np.sqrt((x**2).sum(1))
    wanted = comparison(difference, np.zeros(16), [WHOSE[i] for i in kept], 500, 0)
    assert zero["difference"] == pytest.approx(wanted["difference"], rel=1e-5)
    assert zero["effect"] == pytest.approx(wanted["effect"], rel=1e-4)
    assert (zero["p"], zero["personas"]) == (wanted["p"], 16)
    assert zero["difference"]["high"] < 0 and found["flat"]["personas"] == 18  # type: ignore[operator]
    corrected = holm({arm: one["p"] for arm, one in found.items()})
    assert {arm: one["p_holm"] for arm, one in found.items()} == corrected
    assert corrected["zero"] == pytest.approx(2 * zero["p"])  # type: ignore[operator]
    json.dumps(found, allow_nan=False)


def test_traits_are_compared_by_absolute_errors() -> None:
    targets, measured = arms()
    traits = compare_arms(targets, measured, "dpg", WHOSE, 500, 0)["flat"]["traits"]
    assert list(traits) == list(TRAITS)
    error = (measured["dpg"] - targets).abs() - targets.abs()
    wanted = comparison(error[:, 2].double().numpy(), np.zeros(18), WHOSE, 500, 0)
    found = traits["extraversion"]
    assert found["difference"] == pytest.approx(wanted["difference"], rel=1e-5)
    d_z = float(error[:, 2].mean() / error[:, 2].std())
    assert found["effect"] == pytest.approx(d_z, rel=1e-4)
    p = found["p"]
    assert p is not None and p == wanted["p"] and p < 0.05
    assert found["p_holm"] == pytest.approx(5 * p)
    for trait in TRAITS:
        if trait != "extraversion":
            assert traits[trait]["difference"]["mean"] == 0
            assert traits[trait]["p"] == 1 == traits[trait]["p_holm"]


def test_an_arm_that_is_not_there_is_not_compared() -> None:
    targets, measured = arms()
    assert compare_arms(targets, measured, "api", WHOSE, 50, 0) == {}
    assert compare_arms(targets, {"dpg": measured["dpg"]}, "dpg", WHOSE, 50, 0) == {}
    silent = {"dpg": measured["dpg"], "mute": torch.full((18, 5), torch.nan)}
    mute = compare_arms(targets, silent, "dpg", WHOSE, 50, 0)["mute"]
    assert (mute["p"], mute["p_holm"], mute["effect"], mute["personas"]) == (None, None, None, 0)
    assert mute["traits"]["openness"] == {
        **{"difference": NOTHING, "p": None, "p_holm": None},
        "effect": None,
    }
