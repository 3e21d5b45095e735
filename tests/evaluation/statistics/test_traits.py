"""Tables by trait against scipy over resamples that are written out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import linregress, pearsonr, spearmanr

from lightning_dpg.evaluation.statistics import mean_interval
from lightning_dpg.evaluation.statistics.traits import (
    profile_agreement,
    selectivity,
    trait_matrix,
    trait_table,
)
from lightning_dpg.records import TRAITS

Array = np.ndarray
WHOSE = [f"character {i // 2}" for i in range(24)]


def draw() -> tuple[torch.Tensor, torch.Tensor]:
    """Two personas each of twelve characters; two of one character are unscored."""
    rng = np.random.default_rng(0)
    targets = rng.uniform(-5, 5, (24, 5))
    measured = 0.5 * targets + rng.normal(0.5, 1.5, (24, 5))
    measured[6:8, 2] = np.nan
    return torch.tensor(targets), torch.tensor(measured)


ORACLES: dict[str, Callable[[Array, Array], float]] = {
    "pearson": lambda x, y: pearsonr(x, y).statistic,
    "spearman": lambda x, y: spearmanr(x, y).statistic,
    "concordance": lambda x, y: 1 - ((x - y) ** 2).mean() / ((x[:, None] - y[None, :]) ** 2).mean(),
    "mae": lambda x, y: np.abs(x - y).mean(),
    "bias": lambda x, y: y.mean() - x.mean(),
    "slope": lambda x, y: linregress(x, y).slope,
}


@pytest.mark.parametrize("clusters", [WHOSE, None])
def test_every_statistic_with_its_interval(clusters: list[str] | None) -> None:
    targets, measured = draw()
    table = trait_table(targets, measured, clusters, 60, 5)
    assert list(table) == list(TRAITS)
    kept = np.array([i for i in range(24) if i not in (6, 7)])
    each = kept.reshape(11, 2) if clusters else kept.reshape(22, 1)
    drawn = np.random.default_rng(5).integers(0, len(each), (60, len(each)))
    for name, oracle in ORACLES.items():
        for i in (0, 2, 4):
            x, y = targets[:, i].numpy(), measured[:, i].numpy()
            resampled = [oracle(x[rows], y[rows]) for rows in (each[d].ravel() for d in drawn)]
            low, high = np.percentile(resampled, [2.5, 97.5])
            wanted = {"mean": oracle(x[kept], y[kept]), "low": low, "high": high}
            assert table[TRAITS[i]][name] == pytest.approx(wanted, rel=1e-4, abs=1e-6), name


def test_whole_characters_are_drawn() -> None:
    targets, _ = draw()
    targets[1::2] = targets[::2]
    measured = 0.5 * targets + torch.sin(7 * targets)  # both personas of a character alike
    aware = trait_table(targets, measured, WHOSE, 300, 0)
    unaware = trait_table(targets, measured, None, 300, 0)
    once = trait_table(targets[::2], measured[::2], None, 300, 0)
    for trait in TRAITS:
        for name in ORACLES:
            assert aware[trait][name] == pytest.approx(once[trait][name], rel=1e-4, abs=1e-6)
        assert width(unaware[trait]["mae"]) < 0.85 * width(aware[trait]["mae"])


def width(found: Any) -> float:
    return float(found["high"] - found["low"])


def test_a_trait_that_is_never_measured_to_vary() -> None:
    targets, measured = draw()
    measured[:, 1] = 1.5
    found = trait_table(targets, measured, WHOSE, 50, 0)["conscientiousness"]
    for name in ("pearson", "spearman"):
        assert found[name] == {"mean": None, "low": None, "high": None}
    assert found["concordance"]["mean"] == 0 == found["slope"]["mean"]
    assert found["mae"]["mean"] and found["mae"]["low"]
    json.dumps(found, allow_nan=False)


def test_few_personas_and_few_characters() -> None:
    targets, measured = draw()
    two = trait_table(targets[:2], measured[:2], None, 50, 0)["openness"]
    assert two["pearson"]["mean"] is None and two["mae"]["low"] is not None
    one = trait_table(targets[:5], measured[:5], ["mara"] * 5, 50, 0)["openness"]
    assert one["pearson"]["mean"] is not None and one["pearson"]["low"] is None
    nobody = trait_table(targets[6:8], measured[6:8], WHOSE[6:8], 50, 0)["openness"]
    assert all(value["mean"] is None for value in nobody.values())
    # Of three characters one resample in nine is of one alone, and has no slope.
    three = trait_table(targets[[0, 2, 4]], measured[[0, 2, 4]], None, 500, 0)["openness"]
    assert three["slope"]["mean"] is not None and three["slope"]["low"] is None
    # Of six hardly one: the others bound it.
    six = trait_table(targets[8:14], measured[8:14], None, 20_000, 0)["openness"]
    assert six["slope"]["low"] is not None


def test_profiles_agree_by_character() -> None:
    targets, measured = draw()
    center = torch.tensor([1.0, 0.0, -2.0, 0.5, 3.0])
    measured[3] = center + 1  # the same distance everywhere: no profile
    rows = [i for i in range(24) if i not in (3, 6, 7)]
    each = np.array([np.corrcoef(targets[i] - center, measured[i] - center)[0, 1] for i in rows])
    wanted = mean_interval(each, 200, 0, [WHOSE[i] for i in rows])
    found = profile_agreement(targets, measured, center, WHOSE, 200, 0)
    assert found == pytest.approx(wanted, rel=1e-5)
    assert found != pytest.approx(mean_interval(each, 200, 0), rel=1e-5)
    nobody = profile_agreement(targets, center.expand(24, 5), center, WHOSE, 200, 0)
    assert nobody == {"mean": None, "low": None, "high": None}


def test_the_matrix_for_json() -> None:
    targets, measured = draw()
    kept = [i for i in range(24) if i not in (6, 7)]
    wanted = np.corrcoef(targets[kept].T, measured[kept].T)[:5, 5:]
    found = trait_matrix(targets, measured)
    assert np.array(found["matrix"]) == pytest.approx(wanted, rel=1e-5)
    assert found["diagonal"] == pytest.approx(np.diag(wanted).mean(), rel=1e-5)
    off = np.abs(wanted[~np.eye(5, dtype=bool)]).mean()
    assert found["off_diagonal"] == pytest.approx(off, rel=1e-5)
    measured[:, 1] = 1.5
    still = trait_matrix(targets, measured)
    assert [row[1] for row in still["matrix"]] == [None] * 5
    assert still["diagonal"] is None and still["off_diagonal"] is None
    json.dumps(still, allow_nan=False)


def test_selectivity_against_resamples_written_out() -> None:
    targets, measured = draw()
    kept = [i for i in range(24) if i not in (6, 7)]
    x, y = targets[kept].numpy(), measured[kept].numpy()

    def gap(rows: list[int]) -> float:
        matrix = np.corrcoef(x[rows].T, y[rows].T)[:5, 5:]
        return float(np.diag(matrix).mean() - np.abs(matrix[~np.eye(5, dtype=bool)]).mean())

    found = selectivity(targets, measured, WHOSE, 200, 0)
    assert found["mean"] == pytest.approx(gap(list(range(22))), rel=1e-5)
    drawn = np.random.default_rng(0).integers(0, 11, (200, 11))  # eleven characters of two each
    wanted = [gap([2 * c + side for c in row for side in (0, 1)]) for row in drawn]
    assert (found["low"], found["high"]) == pytest.approx(np.percentile(wanted, [2.5, 97.5]))
    measured[:, 1] = 1.5
    assert selectivity(targets, measured, WHOSE, 200, 0)["mean"] is None
    nobody = torch.full((24, 5), torch.nan)
    assert selectivity(targets, nobody, WHOSE, 200, 0)["mean"] is None
