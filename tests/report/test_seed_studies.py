"""Dials, descriptions and quality over several seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import RunFolder, read_run
from lightning_dpg.report.seed_studies import description_table, dose_table, quality_table
from tests.report.conftest import write_fake_run


def slopes(trait: int, seed: int) -> list[float]:
    """The dial moves the next trait at -.3 on average, and its own at .9."""
    found = [0.0] * 5
    found[trait], found[(trait + 1) % 5], found[trait - 1] = 0.9, -0.4 + 0.2 * seed, 0.25 * seed
    return found


@pytest.fixture
def runs(tmp_path: Path) -> list[RunFolder]:
    def write(seed: int) -> Path:
        def change(results: dict[str, Any]) -> None:
            results["seed"] = seed
            arms = results["tasks"]["questions"]["arms"]
            arms["dpg"]["quality"] = {
                "nll": {"mean": 2.5 + seed},
                "coherency": {"mean": 0.2 + seed},
                "consistency": 0.3,
                "distinct_2": 0.6,
                "loops": 0.0,
            }
            arms["unadapted"]["quality"] = {}
            for i, trait in enumerate(TRAITS):
                results["dose_response"][trait]["slopes"] = slopes(i, seed)

        return write_fake_run(tmp_path / str(seed), change)

    return [read_run(write(seed)) for seed in (0, 1)]


def row(table: list[str], start: str) -> list[str]:
    (line,) = [line for line in table if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("trait", range(5))
def test_slopes_by_seed_and_on_average(runs: list[RunFolder], trait: int) -> None:
    cells = row(dose_table(runs), TRAITS[trait])
    assert cells[1:4] == ["0.95, 0.95", "0.90, 0.90", "0.90"]
    following, before = TRAITS[(trait + 1) % 5][0].upper(), TRAITS[trait - 1][0].upper()
    assert cells[4] == f"\N{MINUS SIGN}0.40 {following}, +0.25 {before}"
    assert cells[5] == f"\N{MINUS SIGN}0.30 {following}"


def test_a_run_that_lacks_something_keeps_its_place(runs: list[RunFolder], tmp_path: Path) -> None:
    def silent(results: dict[str, Any]) -> None:
        for dose in results["dose_response"].values():
            dose["slopes"] = None

    old = read_run(write_fake_run(tmp_path / "old"))
    few = read_run(write_fake_run(tmp_path / "few", silent))
    assert row(dose_table([runs[0], few]), "openness")[2:6] == [
        "0.90, –",
        "0.90",
        "\N{MINUS SIGN}0.40 C, –",
        "–",
    ]
    none = read_run(write_fake_run(tmp_path / "none", lambda r: r.update(dose_response={})))
    assert dose_table([none]) == []
    cells = row(dose_table([none, old]), "openness")
    assert cells[1:3] == ["–, 0.95", "–, 0.90"]
    assert cells[6] == "–, +0.61"


def test_descriptions_by_seed(runs: list[RunFolder], tmp_path: Path) -> None:
    table = description_table(runs)
    assert row(table, "words")[1:] == ["23.4%, 23.4%", "11.2%, 11.2%", "0.0040, 0.0040"]
    assert row(table, "traits")[1] == "12.3%, 12.3%"
    none = read_run(write_fake_run(tmp_path / "none", lambda r: r.update(descriptions={})))
    assert description_table([none]) == []


def test_quality_by_seed(runs: list[RunFolder]) -> None:
    table = quality_table(["dpg", "unadapted"], runs)
    expected = ["3.00", "2.50, 3.50", "0.70", "0.30", "0.60", "0.60, 0.60", "0.00", "–"]
    assert row(table, "DPG")[1:] == expected
    assert row(table, "Unadapted")[1:] == ["–", "–, –", "–", "–", "–", "–, –", "–", "–"]
