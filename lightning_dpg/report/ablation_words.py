"""The sentences about an ablation, computed from its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lightning_dpg.report.reading import Estimate
from lightning_dpg.report.tables import interval, number
from lightning_dpg.report.words import counted


def outcome(results: Mapping[str, Any]) -> str:
    """What came out, in a few sentences: each reference, then who is clearly worse or better."""
    names = references(results)
    return " ".join(_outcome(results, name, several=len(names) > 1) for name in names)


def references(results: Mapping[str, Any]) -> list[str]:
    """The cells that others are compared with, that of most cells first."""
    return list(dict.fromkeys((results["reference"], *results["references"].values())))


def is_reference(results: Mapping[str, Any], name: str) -> bool:
    """Whether a cell is compared with no other."""
    return bool(results["references"].get(name) == name)


def setting(results: Mapping[str, Any]) -> str:
    """What was run: cells, seeds, personas, who judged."""
    cells = done(results)
    seeds = ", ".join(map(str, results["seeds"]))
    start = (
        f"{results['experiment']}, {counted(len(results['cells']), 'cell')}, "
        f"seed{'s' if len(results['seeds']) > 1 else ''} {seeds}"
    )
    if not cells:
        return f"{start}."
    first = next(iter(cells.values()))
    numbers, facts = first["numbers"], first["facts"]
    asked = numbers["scored"] + numbers["unscored"]
    return (
        f"{start}; {counted(asked, 'persona')} in the first cell, task {numbers['task']}, on "
        f"{facts.get('backbone', 'an unnamed backbone')}; "
        f"judged by {facts.get('judge', 'nobody on record')}."
    )


def notes(results: Mapping[str, Any]) -> list[str]:
    """What a reader must know before comparing."""
    cells = done(results)
    found = []
    others = {n: c["numbers"]["arm"] for n, c in cells.items() if c["numbers"]["arm"] != "dpg"}
    if others:
        listed = ", ".join(f"{name} ({arm})" for name, arm in others.items())
        found.append(f"Numbers of another arm than DPG: {listed}.")
    against = {n: cells[r] for n, r in results["references"].items() if n in cells and r in cells}
    apart = [n for n, other in against.items() if cells[n]["corpora"] != other["corpora"]]
    if apart:
        found.append(
            f"Of another corpus than the reference: {', '.join(apart)}. Targets of characters, and "
            "the norms of a local judge, are then others, too: compare with what constant zero "
            "gets."
        )
    ratios = {name: cells[name]["numbers"]["ratio"] for name in against}
    shifted = {name: ratio["other_targets"] for name, ratio in ratios.items()}
    listed = ", ".join(f"{name} ({counted(n, 'persona')})" for name, n in shifted.items() if n)
    if listed:
        found.append(
            f"Left out of ratio and test, since the reference has another target for them: {listed}"
            ". Each deviates from its own."
        )
    if len({c["facts"].get("judge") for c in cells.values()}) > 1:
        found.append("Not all cells have the same judge: their numbers are not on one scale.")
    return found


def troubles(results: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Cells without numbers: name, status and reason."""
    return [
        (name, cell["status"], cell["reason"])
        for name, cell in results["cells"].items()
        if cell["status"] != "done"
    ]


def done(results: Mapping[str, Any]) -> dict[str, Any]:
    """The cells that have numbers."""
    return {name: cell for name, cell in results["cells"].items() if cell["status"] == "done"}


def estimate(found: Mapping[str, Any] | None) -> Estimate | None:
    """An interval of the results; None where there is no number."""
    if not found or found["mean"] is None:
        return None
    return Estimate(found["mean"], found["low"], found["high"])


def distance(target: Sequence[float], measured: Sequence[float] | None) -> float | None:
    """L2 distance of a profile that was asked for and the measured one."""
    return None if measured is None else math.dist(target, measured)


def facts(results: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """What a reader must know to repeat it; where cells differ in something, all that it was."""
    cells = done(results)
    run = {
        "ablation": str(results["ablation"]),
        "experiment": str(results["experiment"]),
        "seeds": ", ".join(map(str, results["seeds"])),
        "lightning_dpg": str(results["version"]),
    }
    shared = {name: str(value) for name, value in results["shared"].items() if value != []}
    corpora = [corpus for cell in cells.values() for corpus in cell["corpora"]]
    for name in ("backbone", "labels", "judge") if cells else ():
        run[name] = _every([cell["facts"].get(name) for cell in cells.values()])
    versions = [cell["versions"] for cell in cells.values()]
    names = dict.fromkeys(name for found in versions for name in found)
    return {
        "Ablation": run | ({"corpus": _every(corpora)} if corpora else {}),
        "Settings of all cells": shared,
        "Versions": {name: _every([found.get(name) for found in versions]) for name in names},
    }


def _every(values: Sequence[str | None]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value)) or "not recorded"


def _outcome(results: Mapping[str, Any], name: str, *, several: bool) -> str:
    """Of one reference and the cells that are compared with it."""
    cells = done(results)
    if name not in cells:
        status, it = results["cells"][name]["status"], "with it " if several else ""
        return (
            f"The reference cell {name} has no numbers ({status}): nothing can be compared {it}yet."
        )
    said = [_reference(name, cells[name]["numbers"])]
    verdicts: dict[str, list[str]] = {}
    for other, cell in cells.items():
        if other != name and results["references"][other] == name:
            ratio = estimate(cell["numbers"]["ratio"])
            shown = f" ({number(ratio)} {interval(ratio)})" if ratio else ""
            verdicts.setdefault(_verdict(ratio), []).append(f"{other}{shown}")
    for verdict, names in verdicts.items():
        said.append(f"{verdict}: {', '.join(names)}.")
    return " ".join(said)


def _reference(name: str, numbers: Mapping[str, Any]) -> str:
    psdc, zero = estimate(numbers["psdc"]), numbers["trivial"].get("constant_zero")
    if psdc is None:
        return f"In the reference cell {name} no persona was scored."
    against = ""
    if zero is not None and psdc.mean >= zero:
        against = f", no better than constant zero ({number(zero)})"
    elif zero is not None and psdc.high is not None:
        clearly = "" if psdc.high < zero else "not clearly "
        against = f", {clearly}better than constant zero ({number(zero)})"
    return f"The reference, {name}, deviates by {number(psdc)} {interval(psdc)}{against}."


def _verdict(ratio: Estimate | None) -> str:
    if ratio is None or ratio.low is None or ratio.high is None:
        return "Not comparable by persona"
    if ratio.low > 1:
        return "Clearly farther from the target (times as much)"
    return "Clearly nearer" if ratio.high < 1 else "No clear difference"
