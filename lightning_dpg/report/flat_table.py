"""A plain table, and estimates as three of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lightning_dpg.report.reading import Estimate

Cell = str | float | int | None


class Flat(NamedTuple):
    """A table: every row has a cell for each column, None where there is no number."""

    columns: list[str]
    rows: list[list[Cell]]


def named(name: str) -> Sequence[str]:
    """The columns of an estimate."""
    return name, f"{name}_low", f"{name}_high"


def ends(value: Estimate | None) -> list[float | None]:
    """Its cells: the mean, and where the interval begins and ends."""
    return [value.mean, value.low, value.high] if value else [None] * 3
