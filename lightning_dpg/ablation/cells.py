"""The cells of an ablation: what each changes, and what it is called."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+=,-]{0,59}")
"""A cell's name: it is the name of a folder, too."""

Values = Mapping[str, Any]
"""The values that a setting takes, by the name that each lends to its cells."""


@dataclass(frozen=True)
class Cell:
    """One combination of settings.

    Attributes:
        name: unique in the ablation, a `NAME`.
        settings: dotted key → value, beside what all cells share.
    """

    name: str
    settings: Mapping[str, Any]


def product(grid: Mapping[str, Values]) -> list[Cell]:
    """A cell for each combination of the values of some settings; none of an empty grid.

    Args:
        grid: by dotted key, the named values.
    """
    if not grid:
        return []
    cells = []
    for chosen in itertools.product(*(values.items() for values in grid.values())):
        settings = {key: value for key, (_, value) in zip(grid, chosen, strict=True)}
        cells.append(Cell(",".join(name for name, _ in chosen), settings))
    return cells


def named(values: list[Any], key: str, keys: list[str]) -> dict[str, Any]:
    """Values of a grid that were given no names: `lora.rank` 4 is called `rank=4`.

    Args:
        values: of one setting.
        key: which one.
        keys: all that the grid varies; a name takes as many parts of the key as tell it from them.
    """
    short = _short(key, keys)
    return {f"{short}={_text(value)}": value for value in values}


def _short(key: str, keys: list[str]) -> str:
    """The last parts of a key that no other key ends in."""
    parts = key.split(".")
    for count in range(1, len(parts)):
        end = ".".join(parts[-count:])
        if sum(f".{other}".endswith(f".{end}") for other in keys) == 1:
            return end
    return key


def _text(value: Any) -> str:
    """A value as part of a name: lists are joined, and of paths the last part counts."""
    if isinstance(value, list):
        return "+".join(map(_text, value)) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    last = text.rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", last)
