"""What the numbers of a reliability study say: coefficients as text, and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import Estimate
from lightning_dpg.report.tables import NOTHING, number, signed
from lightning_dpg.report.words import counted

Results = Mapping[str, Any]

COLUMNS = {
    "mean": "Mean",
    "pole_difference": "High − low",
    "auc": "AUC",
    "split_half": "Split-half",
    "sets.icc": "Set ICC(1,1)",
    "sets.icc_mean": "Set ICC(1,k)",
    "sets.alpha": "Set α",
}
"""Of one assessor."""
REPEATS = {
    "repeats.sd": "Repeat SD",
    "repeats.icc": "Repeat ICC(1,1)",
    "repeats.icc_mean": "Repeat ICC(1,k)",
    "repeats.alpha": "Repeat α",
}
"""Of one assessor that was asked again and gave other answers."""
PAIR = {
    "r": "r",
    "icc": "ICC(A,1)",
    "icc_consistency": "ICC(C,1)",
    "alpha": "α",
    "bias": "Bias",
}
"""Of two assessors."""
_SIGNED = ("mean", "pole_difference", "r", "bias")


def estimate(about: Results, trait: str, key: str) -> Estimate | None:
    """A coefficient of one trait, `sets.icc` being inside `sets`; None where there is none."""
    found: Any = about["traits"][trait]
    for part in key.split("."):
        found = found[part] if found is not None else None
    if found is None or found["value"] is None:
        return None
    return Estimate(found["value"], found["low"], found["high"])


def value(about: Results, trait: str, key: str) -> str:
    """The same as text, with a sign where that is what one reads it by."""
    found = estimate(about, trait, key)
    if key in _SIGNED:
        return signed(found.mean if found else None)
    return number(found)


def limits(pair: Results, trait: str) -> str:
    """Limits of agreement as text."""
    low, high = pair["traits"][trait]["limits"]
    return NOTHING if low is None else f"[{number(low)}, {number(high)}]"


def has_repeats(about: Results) -> bool:
    """Whether repeats of an assessor differ, so that there is something to say of them."""
    return any(trait["repeats"] for trait in about["traits"].values())


def setting(results: Results) -> str:
    """Whom the assessors rated, and how intervals were drawn."""
    facts, subjects = results["settings"], results["subjects"]
    words = round(sum(subject["words"] for subject in subjects) / len(subjects))
    passages = sorted({subject["passages"] for subject in subjects})
    size = f"{passages[0]}" if len(passages) == 1 else f"{passages[0]} to {passages[-1]}"
    return (
        f"{counted(facts['subjects'], 'set')} of {size} passages ({words} words on average) by "
        f"{counted(facts['persons'], 'person')}; 95% intervals from {facts['resamples']} resamples "
        f"of persons, seed {facts['seed']}."
    )


def outcome(results: Results) -> str:
    """What came out, a clause for each assessor."""
    clauses = []
    for name, about in results["assessors"].items():
        auc, halves = (_range(about, key) for key in ("auc", "split_half"))
        told = f"tells the authors' poles apart with an AUC of {auc}" if auc else ""
        split = f"has a split-half reliability of {halves}" if halves else ""
        said = " and ".join(part for part in (told, split) if part)
        clauses.append(f"{name} {said or 'scored too few for any coefficient'}")
    return "; ".join(clauses) + "."


def sets_said(about: Results) -> str:
    """How many sets of a person the ICCs over sets rest on."""
    sizes = sorted({trait["sets"]["sets"] for trait in about["traits"].values()})
    if sizes == [0]:
        return "No person has two sets that were scored: no ICC over sets of one person."
    many = " or ".join(map(str, sizes))
    persons = min(trait["sets"]["icc"]["persons"] for trait in about["traits"].values())
    return f"ICCs over sets: k = {many} sets each of {counted(persons, 'person')}."


def repeats_said(about: Results) -> str:
    """What was found by asking again, or why nothing was."""
    again = about["asked_again"]
    asked = f"asked {again['times']} times about {counted(again['subjects'], 'set')}"
    if again["times"] < 2:
        return "Repeats: not available, each set was asked about once (--repeats 1)."
    if about["deterministic"]:
        return f"Repeats: deterministic; {asked}, it gave the same scores each time."
    if not about["repeatable"]:
        return f"Repeats: {asked}, though no new answer was to be expected."
    torn = max(t["repeats"]["undecided"] for t in about["traits"].values() if t["repeats"])
    some = (
        f"; up to {counted(torn, 'set')} a trait had a score in some of them only" if torn else ""
    )
    return f"Repeats: {asked}{some}."


def _range(about: Results, key: str) -> str:
    """A coefficient from the lowest to the highest trait."""
    known = [found.mean for trait in TRAITS if (found := estimate(about, trait, key))]
    return f"{number(min(known))} to {number(max(known))}" if known else ""
