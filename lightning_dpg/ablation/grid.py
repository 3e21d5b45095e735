"""An ablation file: what is varied in which experiment, and with which cell the others compare."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lightning_dpg.ablation.cells import NAME, Cell, Values, named, product
from lightning_dpg.config.loading import ABLATIONS, EXPERIMENTS
from lightning_dpg.errors import UserError

FOLDER = EXPERIMENTS / ABLATIONS
KEYS = ("experiment", "settings", "grid", "cells", "reference", "references", "seeds")
OURS = {
    "seed": "`seeds: [0, 1, 2]` at the top of the file runs every cell with each of them",
    "name": "a cell's runs are named by the ablation, the experiment and the cell",
}
"""Settings that are no cell's to choose, and what is there instead."""


@dataclass(frozen=True)
class Ablation:
    """What an ablation file says.

    Attributes:
        name: of the file.
        about: its first line, which says what it shows.
        experiment: whose settings are varied, unless another is asked for.
        settings: dotted key → value, of all cells.
        cells: in order; no two of one name.
        reference: name of the cell that the others are compared with.
        references: by name of a cell, the one that it is compared with instead.
        seeds: every cell runs with each; none stands for the experiment's own.
    """

    name: str
    about: str
    experiment: str
    settings: Mapping[str, Any]
    cells: tuple[Cell, ...]
    reference: str
    references: Mapping[str, str]
    seeds: tuple[int, ...]

    def reference_of(self, cell: str) -> str:
        """The cell that a cell is compared with; one that is its own reference is with none."""
        return self.references.get(cell, self.reference)


def ablations(folder: Path = FOLDER) -> list[str]:
    """The names of the ablations that come with the project."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def listed(folder: Path = FOLDER) -> list[tuple[str, str]]:
    """Their names, each with what it shows."""
    names = ablations(folder)
    return [(n, first_line((folder / f"{n}.yaml").read_text(encoding="utf-8"))) for n in names]


def read_ablation(name: str, folder: Path = FOLDER) -> Ablation:
    """Read an ablation by its name, or from the path of a YAML file.

    Raises:
        UserError: there is none, or every problem that the file has, in one message. Settings are
            checked later, when they are laid over an experiment (`plan`).
    """
    path = _find(name, folder)
    text = path.read_text(encoding="utf-8")
    problems: list[str] = []
    content = _content(text, problems)
    for key in content:
        if key not in KEYS:
            problems.append(f"unknown key {key!r}. {nearest(key, KEYS)}Known: {', '.join(KEYS)}")
    cells = _cells(content, problems)
    names = [cell.name for cell in cells]
    ablation = Ablation(
        name=path.stem,
        about=first_line(text),
        experiment=_experiment(content, problems),
        settings=_settings(content.get("settings"), "settings", problems),
        cells=tuple(cells),
        reference=_reference(content, names, problems),
        references=_references(content.get("references"), names, problems),
        seeds=_seeds(content.get("seeds"), problems),
    )
    if problems:
        raise UserError("\n".join(f"{path.name}: {problem}" for problem in problems))
    return ablation


def first_line(text: str) -> str:
    """What the comment in the first line says; empty without one."""
    first = text.lstrip("\ufeff").partition("\n")[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def nearest(given: str, known: Iterable[str]) -> str:
    """`Did you mean ...? `, or nothing when nothing is near."""
    near = difflib.get_close_matches(str(given), list(known), n=1)
    return f"Did you mean {near[0]!r}? " if near else ""


def _find(name: str, folder: Path) -> Path:
    for path in (folder / f"{name}.yaml", Path(name)):
        if path.suffix == ".yaml" and path.is_file():
            return path
    known = ablations(folder)
    raise UserError(
        f"There is no ablation {name!r}. {nearest(name, known)}Ablations: {', '.join(known)}"
    )


def _content(text: str, problems: list[str]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problems.append(f"not valid YAML: {' '.join(str(error).split())}")
        return {}
    if not isinstance(content, dict):
        problems.append(f"expected a mapping of {', '.join(KEYS)}, got {_kind(content)}")
        return {}
    return {str(key): value for key, value in content.items()}


def _experiment(content: Mapping[str, Any], problems: list[str]) -> str:
    given = content.get("experiment")
    if not isinstance(given, str):
        problems.append(f"experiment expected a name such as dpg_smollm2, got {given!r}")
        return ""
    return given


def _cells(content: Mapping[str, Any], problems: list[str]) -> list[Cell]:
    cells = product(_grid(content.get("grid"), problems))
    given = content.get("cells")
    if given is not None and not isinstance(given, dict):
        problems.append(f"cells expected a mapping of name to settings, got {_kind(given)}")
        given = None
    for name, settings in (given or {}).items():
        cells.append(Cell(str(name), _settings(settings, f"cells.{name}", problems)))
    if not cells and not problems:
        problems.append(
            "no cell is given: expected `grid` (setting to values) or `cells` (name to settings)"
        )
    names = [cell.name for cell in cells]
    for name in dict.fromkeys(names):
        if not NAME.fullmatch(name):
            problems.append(
                f"cell {name!r} expected a name of up to 60 letters, digits and _ . + = , - that "
                "begins with a letter or digit; values of a grid get names as `name: value`"
            )
        if names.count(name) > 1:
            problems.append(f"{names.count(name)} cells are named {name!r}")
    return cells


def _grid(given: Any, problems: list[str]) -> dict[str, Values]:
    """By dotted key the values with their names, whether these were given or not."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        problems.append(f"grid expected a mapping of setting to values, got {_kind(given)}")
        return {}
    keys = [str(key) for key in given]
    _refuse_ours(keys, "grid", problems)
    grid: dict[str, Values] = {}
    for key, values in zip(keys, given.values(), strict=True):
        if not isinstance(values, list | dict) or not values:
            problems.append(
                f"grid.{key} expected a list of values, or a mapping of names to values, "
                f"got {values!r}"
            )
        elif isinstance(values, dict):
            grid[key] = {str(name): value for name, value in values.items()}
        else:
            grid[key] = named(values, key, keys)
            if len(grid[key]) < len(values):
                problems.append(
                    f"grid.{key}: two values get the same name ({', '.join(grid[key])}): "
                    "give each its own, as `name: value`"
                )
    return grid


def _settings(given: Any, place: str, problems: list[str]) -> dict[str, Any]:
    """Settings by dotted key, however deeply they were nested."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        problems.append(f"{place} expected a mapping of setting to value, got {given!r}")
        return {}
    found = flatten(given)
    _refuse_ours(found, place, problems)
    return found


def flatten(given: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping by dotted key."""
    found: dict[str, Any] = {}
    for key, value in given.items():
        if isinstance(value, dict):
            found |= flatten(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _refuse_ours(keys: Iterable[str], place: str, problems: list[str]) -> None:
    problems += [f"{place} cannot set {key!r}: {OURS[key]}" for key in keys if key in OURS]


def _reference(content: Mapping[str, Any], names: Sequence[str], problems: list[str]) -> str:
    given = content.get("reference", names[0] if names else "")
    _check_cell(given, "reference", names, problems)
    return str(given)


def _references(given: Any, names: Sequence[str], problems: list[str]) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        problems.append(f"references expected a mapping of cell to cell, got {given!r}")
        return {}
    for cell, other in given.items():
        _check_cell(cell, "references", names, problems)
        _check_cell(other, f"references.{cell}", names, problems)
    return {str(cell): str(other) for cell, other in given.items()}


def _check_cell(given: Any, place: str, names: Sequence[str], problems: list[str]) -> None:
    if names and given not in names:
        problems.append(
            f"{place} expected the name of a cell, got {given!r}. "
            f"{nearest(given, names)}Cells: {', '.join(names)}"
        )


def _seeds(given: Any, problems: list[str]) -> tuple[int, ...]:
    if given is None:
        return ()
    problem = seeds_problem(given)
    if problem:
        problems.append(f"seeds {problem}")
        return ()
    return tuple(given)


def seeds_problem(given: Any) -> str:
    """What is wrong with a list of seeds; empty where nothing is."""
    right = isinstance(given, list) and given
    if not right or not all(type(seed) is int and seed >= 0 for seed in given):
        return f"expected a list of whole numbers such as [0, 1, 2], got {given!r}"
    return "" if len(set(given)) == len(given) else f"holds one twice: {given}"


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__
