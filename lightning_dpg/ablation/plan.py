"""From an ablation and an experiment to the runs that it takes, each with its settings."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lightning_dpg.ablation.cells import Cell
from lightning_dpg.ablation.grid import OURS, Ablation, flatten, seeds_problem
from lightning_dpg.config import GROUPS, Config, find_experiment, load
from lightning_dpg.errors import UserError

ABLATIONS = "ablations"
"""Folder of all runs of ablations, under that of all runs."""


@dataclass(frozen=True)
class Trial:
    """One run: a cell with one seed."""

    cell: Cell
    seed: int
    config: Config


@dataclass(frozen=True)
class Plan:
    """What there is to run.

    Attributes:
        ablation: as the file says it.
        experiment: name of the experiment whose settings are varied.
        overrides: `key=value` for all cells, from the command line.
        seeds: of every cell.
        trials: cell by cell, each with all seeds.
    """

    ablation: Ablation
    experiment: str
    overrides: tuple[str, ...]
    seeds: tuple[int, ...]
    trials: tuple[Trial, ...]

    @property
    def place(self) -> Path:
        """Where its results lie, within the folder of all runs."""
        return Path(ABLATIONS) / self.ablation.name / self.experiment

    def of(self, cell: Cell) -> list[Trial]:
        """The runs of a cell, seed by seed."""
        return [trial for trial in self.trials if trial.cell == cell]


def plan(ablation: Ablation, experiment: str = "", overrides: Sequence[str] = ()) -> Plan:
    """Lay an ablation over an experiment.

    Args:
        ablation: which.
        experiment: name or YAML file; empty for the ablation's own.
        overrides: `key=value` for all cells, which win over the ablation's own settings for all;
            `seed=9` or `seed=[9,10]` takes the place of its seeds.

    Raises:
        UserError: an unknown experiment, or every problem that the settings of cells have, each
            with the cells that have it.
    """
    experiment = experiment or ablation.experiment
    name = find_experiment(experiment).stem
    problems: list[str] = []
    seeds, shared = _take_seeds(overrides, problems)
    problems += _refuse_varied(shared, ablation.cells)
    found: dict[str, list[str]] = {}
    configs: dict[str, Config] = {}
    for cell in ablation.cells:
        every = [*as_overrides(ablation.settings), *shared, *as_overrides(cell.settings)]
        try:
            configs[cell.name] = load(experiment, every)
        except UserError as error:
            for line in str(error).splitlines():
                found.setdefault(_place(line, shared), []).append(cell.name)
    for line, cells in found.items():
        whose = "every cell" if len(cells) == len(ablation.cells) else f"cell {', '.join(cells)}"
        problems.append(f"{ablation.name}, {whose}: {line}")
    if problems:
        raise UserError("\n".join(problems))
    seeds = seeds or ablation.seeds or (configs[ablation.cells[0].name].seed,)
    whole = Plan(ablation, name, tuple(shared), seeds, ())
    trials = [
        Trial(cell, seed, _config(configs[cell.name], whole.place, cell, seed))
        for cell in ablation.cells
        for seed in seeds
    ]
    return dataclasses.replace(whole, trials=tuple(trials))


def as_overrides(settings: Mapping[str, Any]) -> list[str]:
    """Dotted keys with values as `key=value`; a group takes the name of a fragment."""
    return [
        f"{key}={value if key in GROUPS else json.dumps(value)}" for key, value in settings.items()
    ]


def differing(configs: Mapping[str, Config]) -> dict[str, dict[str, Any]]:
    """The settings that are not the same everywhere: dotted key → cell → value.

    Args:
        configs: by cell. Name and seed do not count.
    """
    plain = {name: flatten(dataclasses.asdict(config)) for name, config in configs.items()}
    keys = [key for settings in list(plain.values())[:1] for key in settings if key not in OURS]
    rows = {key: {name: settings.get(key) for name, settings in plain.items()} for key in keys}
    return {key: row for key, row in rows.items() if len({json.dumps(v) for v in row.values()}) > 1}


def _config(config: Config, place: Path, cell: Cell, seed: int) -> Config:
    name = (place / cell.name / f"seed-{seed}").as_posix()
    return dataclasses.replace(config, name=name, seed=seed)


def _take_seeds(overrides: Sequence[str], problems: list[str]) -> tuple[tuple[int, ...], list[str]]:
    """The seeds that were given on the command line, and all other overrides."""
    seeds: tuple[int, ...] = ()
    rest = []
    for override in overrides:
        key, _, text = override.partition("=")
        if key == "seed":
            value = yaml.safe_load(text)
            given = value if isinstance(value, list) else [value]
            problem = seeds_problem(given)
            problems += [f"seed {problem} (in the command line)"] if problem else []
            seeds = () if problem else tuple(given)
        elif key in OURS:
            problems.append(f"{key!r} cannot be set: {OURS[key]}")
        else:
            rest.append(override)
    return seeds, rest


def _refuse_varied(overrides: Sequence[str], cells: Sequence[Cell]) -> list[str]:
    problems = []
    for key in (override.partition("=")[0] for override in overrides):
        whose = [cell.name for cell in cells if key in cell.settings]
        if whose:
            problems.append(
                f"{key!r} is what this ablation varies (cell {', '.join(whose)}) and cannot be set "
                "for all: edit the file, or copy it and give the copy's path"
            )
    return problems


def _place(problem: str, overrides: Sequence[str]) -> str:
    """A problem of settings without a place that it has only by the way they are handed over."""
    given = [override.partition("=")[0] for override in overrides]
    if any(
        repr(key) in problem or repr(override) in problem
        for key, override in zip(given, overrides, strict=True)
    ):
        return problem
    return problem.replace(" (in the command line)", "")
