"""What dials, descriptions and fluency come to over several seeds, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import Dose, RunFolder, steepest_other
from lightning_dpg.report.style import label
from lightning_dpg.report.tables import NOTHING, number, signed


def dose_table(runs: Sequence[RunFolder]) -> list[str]:
    """One dial at a time, by seed and on average over seeds; nothing where none was turned.

    The steepest slope of another trait is that of each seed; in the mean over seeds it is the
    steepest of the mean slopes, so that what only one training does averages out.
    """
    by_trait = [
        [next((d for d in run.doses if d.trait == trait), None) for run in runs] for trait in TRAITS
    ]
    if not any(dose for doses in by_trait for dose in doses):
        return []
    head = ["dial", "Spearman", "slope", "mean", "steepest other", "of the means"]
    head.append("r, second instrument")
    rows = [_dose_row(trait, doses) for trait, doses in zip(TRAITS, by_trait, strict=True)]
    return _table(head, rows)


def description_table(runs: Sequence[RunFolder]) -> list[str]:
    """What descriptions alone explain, by seed; nothing where they were not studied."""
    shown = [name for name in ("words", "traits") if any(name in r.descriptions for r in runs)]
    rows = []
    for name in shown:
        effects = [run.descriptions.get(name, {}) for run in runs]
        explained, chance = (
            ", ".join(_percent(e.get(key)) for e in effects) for key in ("explained", "expected")
        )
        rows.append([name, explained, chance, ", ".join(number(e.get("p"), 4) for e in effects)])
    head = ["descriptions alone, in the replies'", "explained", "by chance", "p"]
    return _table(head, rows) if rows else []


def fluency_table(names: Sequence[str], runs: Sequence[RunFolder]) -> list[str]:
    """Likelihood under the frozen model, variety and loops of each arm's replies, by seed."""
    head = ["replies of", "NLL a token", "by seed", "distinct-2", "by seed", "loops"]
    rows = []
    for name in names:
        counted = [arm.fluency if (arm := run.arm(name)) else {} for run in runs]
        nll, variety, loops = (
            [c.get(key) for c in counted] for key in ("nll", "distinct_2", "loops")
        )
        row = [label(name), _mean(nll), _each(nll), _mean(variety), _each(variety), _mean(loops)]
        rows.append(row)
    return _table(head, rows) if rows else []


def _dose_row(trait: str, doses: Sequence[Dose | None]) -> list[str]:
    slopes = [dose.slopes for dose in doses if dose and dose.slopes]
    own = [dose.slope if dose else None for dose in doses]
    ranks = [dose.spearman if dose else None for dose in doses]
    seen = [signed(dose.second_r if dose else None) for dose in doses]
    others = [_other(dose.steepest_other if dose else None) for dose in doses]
    every = len(slopes) == len(doses)
    mean = _other(steepest_other(trait, np.mean(slopes, axis=0).tolist()) if every else None)
    return [trait, _each(ranks), _each(own), _mean(own), ", ".join(others), mean, ", ".join(seen)]


def _other(found: tuple[str, float] | None) -> str:
    return f"{signed(found[1])} {found[0][:1].upper()}" if found else NOTHING


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f}%"


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return number(sum(known) / len(known)) if known else NOTHING


def _each(values: Sequence[float | None]) -> str:
    return ", ".join(number(value) for value in values) or NOTHING


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return ["", lines[0], "|---|" + "---:|" * (len(head) - 1), *lines[1:]]
