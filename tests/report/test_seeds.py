"""Several seeds in one table."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.statistics import correlation_interval
from lightning_dpg.report import pooled, seed_tasks, seeds
from lightning_dpg.report.pooled import cluster_of, pool, pool_both
from lightning_dpg.report.reading import RunFolder, read_run
from lightning_dpg.report.seeds import seed_table
from tests.report.conftest import write_fake_run


def with_seed(seed: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(results: dict[str, Any]) -> None:
        results["seed"] = seed
        results.update(changes)
        if seed:  # the second run measures DPG a little off the first, and draws other profiles
            task = results["tasks"]["questions"]
            for scores in task["arms"]["dpg"]["measured"].values():
                if scores:
                    scores[0] += 1.0
            for persona in task["personas"]:
                if persona["kind"] == "drawn":
                    persona["target"][4] = round(persona["target"][4] / 2 + 0.01, 3)

    return change


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    return [write_fake_run(tmp_path / str(seed), with_seed(seed)) for seed in (0, 1)]


@pytest.fixture
def runs(two: list[Path]) -> list[RunFolder]:
    return [read_run(folder) for folder in two]


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pooled, seed_tasks, seeds):
        monkeypatch.setattr(module, "RESAMPLES", 50)


def cells(table: str, head: str, start: str) -> list[str]:
    """A row of the table whose first heading is `head`."""
    (part,) = [part for part in table.split("\n\n") if part.startswith(f"| {head} |")]
    (line,) = [line for line in part.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.usefixtures("few_resamples")
def test_personas_of_all_seeds_are_one_sample(two: list[Path], runs: list[RunFolder]) -> None:
    table = seed_table(two)
    assert table.startswith("dpg_smollm2: seeds 0, 1, 64 personas in all")
    by_seed, zeros = [], []
    for run in runs:
        scored = [p for p in run.headline.personas if p.id in run.main.measured]
        by_seed.append([math.dist(p.target, run.main.measured[p.id]) for p in scored])
        zeros.append([math.hypot(*p.target) for p in scored])
    every, zero = (np.concatenate(values) for values in (by_seed, zeros))
    means = [np.mean(found) for found in by_seed]
    parts = cells(table, "arm", "DPG")
    assert parts[1] == f"{np.mean(every):.2f}"
    assert parts[3] == ", ".join(f"{mean:.2f}" for mean in means)
    assert means[0] != means[1]
    ratio = cells(table, "DPG over", "Constant zero")
    assert ratio[1] == f"{np.mean(every) / np.mean(zero):.2f}"
    ratios = [one / np.mean(other) for one, other in zip(means, zeros, strict=True)]
    assert ratio[3] == ", ".join(f"{one:.2f}" for one in ratios)
    assert cells(table, "DPG over", "LoRA-SFT")[2].startswith("[")
    known = [run.headline.zero for run in runs]
    expected = ", ".join(f"{found.mean:.2f}" for found in known if found)
    assert cells(table, "arm", "*Constant zero*")[3] == expected


@pytest.mark.usefixtures("few_resamples")
def test_tasks_and_kinds_are_columns(two: list[Path], runs: list[RunFolder]) -> None:
    table = seed_table(two)
    head = "by task, P.S.D.C. (L2)"
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {head} |")]
    heads = [cell.strip() for cell in line.strip("|").split("|")]
    drawn = heads.index("Open-ended questions: drawn")
    assert "Scripted dialogue" in heads and "New personalities: contradictory" in heads
    personas = [
        (p, run.main.measured[p.id])
        for run in runs
        for p in run.headline.personas
        if p.kind == "drawn" and p.id in run.main.measured
    ]
    mean = np.mean([math.dist(p.target, scores) for p, scores in personas])
    assert cells(table, head, "DPG")[drawn].startswith(f"{mean:.2f} [")
    zero = np.mean(
        [math.hypot(*p.target) for run in runs for p in run.headline.personas if p.kind == "drawn"]
    )
    assert cells(table, head, "*Constant zero*")[drawn] == f"{zero:.2f}"
    gold = cells(table, head, "*Own lines rated again*")
    assert gold[drawn] == "–" and gold[heads.index("Scripted dialogue")].count("[") == 1


@pytest.mark.usefixtures("few_resamples")
def test_dpg_is_compared_on_the_personas_that_both_have(
    two: list[Path], runs: list[RunFolder]
) -> None:
    found = cells(seed_table(two), "DPG minus", "Unadapted")
    differences = []
    for run in runs:
        other = run.headline.arm("unadapted")
        assert other is not None
        for p in run.headline.personas:
            own, against = run.main.deviation(p), other.deviation(p)
            if own is not None and against is not None:
                differences.append(own - against)
    mean, sd = np.mean(differences), np.std(differences, ddof=1)
    assert len(differences) == 58 and found[6] == "58"
    assert found[1] == f"{mean:+.2f}".replace("-", "\N{MINUS SIGN}")
    assert found[3] == f"{mean / sd:+.2f}".replace("-", "\N{MINUS SIGN}")
    raw, holm = (float(text.replace("<", "")) for text in found[4:6])
    assert 0 < raw <= holm <= 1


def test_a_character_is_one_cluster_and_profiles_of_other_seeds_are_others(
    runs: list[RunFolder],
) -> None:
    personas = [run.headline.personas for run in runs]
    for one, other in zip(*personas, strict=True):
        assert one.id == other.id
        assert (cluster_of(one) == cluster_of(other)) == (one.kind == "held_out")
    both = pool("dpg", [run.headline for run in runs])
    held_out = [c for c in both.clusters if c.startswith("saltmarsh/")]
    assert len(held_out) == 30 and len(set(held_out)) == 15
    assert len(both.values) == len(both.clusters) == 62
    above, below = pool_both("dpg", "unadapted", [run.headline for run in runs])
    assert above.clusters == below.clusters and len(above.values) == len(below.values) == 58


def test_intervals_draw_characters_whole(tmp_path: Path) -> None:
    """Asking the same people twice is no new evidence: the interval is that of one run."""
    seeds_ = [
        write_fake_run(tmp_path / str(seed), lambda r, seed=seed: r.update(seed=seed))  # type: ignore[misc]
        for seed in (0, 1)
    ]
    assert (
        cells(seed_table(seeds_), "arm", "DPG")[2] == cells(seed_table(seeds_[:1]), "arm", "DPG")[2]
    )


def test_runs_that_do_not_belong_together_are_refused(two: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No run was given"):
        seed_table([])
    with pytest.raises(UserError, match="a seed of its own, got seeds 0, 0"):
        seed_table([two[0], two[0]])

    def otherwise(results: dict[str, Any]) -> None:
        results["seed"] = 3
        results["tasks"]["questions"]["prompts"] = ["Another question?"]

    asked = write_fake_run(tmp_path / "asked", otherwise)
    with pytest.raises(UserError, match="asked the same questions"):
        seed_table([two[0], asked])
    other = write_fake_run(tmp_path / "other", with_seed(2, experiment="smoke"))
    with pytest.raises(
        UserError, match="one experiment can be put together, got dpg_smollm2, smoke"
    ):
        seed_table([two[0], other])


def test_correlations_over_the_personas_of_all_seeds(
    two: list[Path], runs: list[RunFolder]
) -> None:
    found = cells(seed_table(two), "DPG, asked and measured", "openness")
    people = [
        (persona, run.main.measured[persona.id][0])
        for run in runs
        for persona in run.headline.personas
        if persona.id in run.main.measured
    ]
    asked = np.array([persona.target[0] for persona, _ in people])
    measured = np.array([score for _, score in people])
    assert found[2] == f"{np.corrcoef(asked, measured)[0, 1]:+.2f}".replace("-", "\N{MINUS SIGN}")
    clusters = [cluster_of(persona) for persona, _ in people]
    expected = correlation_interval(asked, measured, 2000, 0, clusters=clusters)
    low, high = (float(end.replace("\N{MINUS SIGN}", "-")) for end in found[3][1:-1].split(", "))
    assert (low, high) == pytest.approx((expected["low"], expected["high"]), abs=0.006)
    assert len(found[1].split(", ")) == 2


@pytest.mark.usefixtures("few_resamples")
def test_published_results_of_an_earlier_version_are_read() -> None:
    run = read_run(Path(__file__).parents[2] / "results" / "dpg_smollm2" / "seed-12")
    assert [len(dose.base.points) - 1 for dose in run.doses] == [d.base.steps for d in run.doses]
    assert all(dose.base.intervals == {} for dose in run.doses)
    assert run.unscored == () and run.main.selectivity is None
    assert all(trait.effect is None for one in run.headline.comparisons for trait in one.traits)
    assert "| DPG |" in seed_table([run.path])
