"""What dials, descriptions and quality come to over several seeds, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import Dose, Quality, RunFolder, steepest_other
from lightning_dpg.report.style import label
from lightning_dpg.report.tables import NOTHING, number, percent, signed


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
            ", ".join(percent(e.get(key), 1) for e in effects) for key in ("explained", "expected")
        )
        rows.append([name, explained, chance, ", ".join(number(e.get("p"), 4) for e in effects)])
    head = ["descriptions alone, in the replies'", "explained", "by chance", "p"]
    return _table(head, rows) if rows else []


def quality_table(names: Sequence[str], runs: Sequence[RunFolder]) -> list[str]:
    """Fluency, coherency, consistency, variety and what went wrong, of each arm's replies.

    NLL and distinct-2 by seed, too, the others as means over seeds.
    """
    head = ["replies of", "NLL a token", "by seed", "coherency", "consistency"]
    head += ["distinct-2", "by seed", "loops", "refusals"]
    rows = []
    for name in names:
        arms = [run.headline.arm(name) for run in runs]
        found = [arm.quality or Quality() if arm else Quality() for arm in arms]
        nll = [one.nll.mean if one.nll else None for one in found]
        coherency = [one.coherency.mean if one.coherency else None for one in found]
        variety = [one.distinct[1] for one in found]
        counts = [_mean([one.loops for one in found]), _mean([one.refusals for one in found])]
        row = [label(name), _mean(nll), _each(nll), _mean(coherency)]
        row += [_mean([one.consistency for one in found]), _mean(variety), _each(variety), *counts]
        rows.append(row)
    return _table(head, rows) if rows else []


def _dose_row(trait: str, doses: Sequence[Dose | None]) -> list[str]:
    turned = [dose.base if dose else None for dose in doses]
    slopes = [one.slopes for one in turned if one and one.slopes]
    own = [one.slope if one else None for one in turned]
    ranks = [one.spearman if one else None for one in turned]
    seen = [signed(dose.second_r if dose else None) for dose in doses]
    others = [_other(one.steepest_other if one else None) for one in turned]
    every = len(slopes) == len(doses)
    mean = _other(steepest_other(trait, np.mean(slopes, axis=0).tolist()) if every else None)
    return [trait, _each(ranks), _each(own), _mean(own), ", ".join(others), mean, ", ".join(seen)]


def _other(found: tuple[str, float] | None) -> str:
    return f"{signed(found[1])} {found[0][:1].upper()}" if found else NOTHING


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return number(sum(known) / len(known)) if known else NOTHING


def _each(values: Sequence[float | None]) -> str:
    return ", ".join(number(value) for value in values) or NOTHING


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return ["", lines[0], "|---|" + "---:|" * (len(head) - 1), *lines[1:]]
