"""Numbers as evaluations write them: estimates with intervals, and mappings of numbers."""

from __future__ import annotations

from dataclasses import dataclass

from lightning_dpg.report.fields import Fields


@dataclass(frozen=True)
class Estimate:
    """A mean over personas; `low` and `high` bound its 95% interval where one was computed."""

    mean: float
    low: float | None = None
    high: float | None = None


def estimate(entry: Fields) -> Estimate | None:
    """The interval in an object; None where its mean is not known."""
    mean = entry.number("mean")
    if mean is None:
        return None
    return Estimate(mean, entry.number("low"), entry.number("high"))


def estimates(entry: Fields, key: str) -> dict[str, Estimate]:
    """The intervals under `key`, by name, without those that are not known."""
    found = {name: estimate(child) for name, child in entry.children(key).items()}
    return {name: value for name, value in found.items() if value is not None}


def numbers(entry: Fields) -> dict[str, float | None]:
    """All members of an object that holds numbers alone."""
    return {name: entry.number(name) for name in entry.values}


def texts(entry: Fields) -> dict[str, str]:
    """All members of an object that holds strings alone."""
    return {name: entry.text(name) for name in entry.values}


def count(entry: Fields, key: str) -> int:
    """A number of things; 0 where it is not written down."""
    return int(entry.number(key) or 0)
