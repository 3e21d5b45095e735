"""What was run: facts beside the numbers, and how long its phases took."""

from __future__ import annotations

from collections.abc import Mapping

from lightning_dpg.report.reading import RunFolder

Rows = list[tuple[str, str]]
INSIDE = {"quality": "evaluation"}
"""Phases that are timed by themselves and are part of another."""
RUN = ("experiment", "seed", "version", "commit", "backbone", "labels", "judge")
_NAMES = {"version": "lightning_dpg"}


def fact_tables(run: RunFolder) -> dict[str, Rows]:
    """Names and texts by heading; a run may lack some facts, and has no row for them."""
    return {
        "Run": _rows({_NAMES.get(name, name): run.facts.get(name) for name in RUN}),
        "Corpus": _rows(run.facts.get("corpus")),
        "Wall time in seconds": _rows(wall_time(run.facts.get("wall_seconds"))),
        "Versions": _rows(run.facts.get("versions")),
    }


def wall_time(seconds: object) -> dict[str, float]:
    """Seconds by phase, what is inside another one named behind it, and their total.

    Phases inside others are not counted twice. Nothing where no times were written down.
    """
    known = {
        str(name): float(time)
        for name, time in (seconds.items() if isinstance(seconds, Mapping) else ())
        if isinstance(time, int | float)
    }
    found: dict[str, float] = {}
    for name, time in known.items():
        if INSIDE.get(name) not in known:
            found[name] = time
            inner = [other for other, outer in INSIDE.items() if outer == name and other in known]
            found |= {f"{name}, of it {other}": known[other] for other in inner}
    total = sum(time for name, time in known.items() if INSIDE.get(name) not in known)
    return found | {"total": total} if known else {}


def _rows(values: object) -> Rows:
    """A mapping, nested or not, as rows of name and text."""
    rows: Rows = []
    for name, value in values.items() if isinstance(values, Mapping) else ():
        if isinstance(value, Mapping):
            rows += [(f"{name}: {inner}", text) for inner, text in _rows(value)]
        elif value is not None:
            rows.append((str(name), f"{value:,.1f}" if isinstance(value, float) else str(value)))
    return rows
