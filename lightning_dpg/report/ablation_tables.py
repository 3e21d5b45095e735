"""The tables of an ablation as rows of text, for its page and in Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lightning_dpg.records import TRAITS
from lightning_dpg.report.ablation_words import (
    done,
    estimate,
    is_reference,
    outcome,
    references,
    troubles,
)
from lightning_dpg.report.style import label
from lightning_dpg.report.tables import NOTHING, interval, number, p_value, signed
from lightning_dpg.report.words import kind

Results = Mapping[str, Any]
"""What `ablation.results.summarise` gives, or the same read back from JSON."""


@dataclass(frozen=True)
class Table:
    """Rows of text under a head; the first column names the row.

    Attributes:
        key: unique on the page.
        strong: a column that is read first; none where -1.
    """

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    strong: int = -1


def tables(results: Results) -> list[Table]:
    """The tables that have rows, in the order of the page."""
    every = (headline, compared, effects, groups, by_seed, trivial, unscored, settings)
    return [table for make in every if (table := make(results)).rows]


def markdown(results: Results) -> str:
    """All tables as Markdown, with what came out above and what did not run below."""
    blocks = [f"# {results['ablation']}: {results['experiment']}", outcome(results)]
    for table in tables(results):
        blocks += [f"## {table.title}", _lines(table)]
        blocks += [table.caption] if table.caption else []
    if wrong := troubles(results):
        listed = "\n".join(f"- {name}: {status}. {reason}" for name, status, reason in wrong)
        blocks += ["## Cells without numbers", listed]
    return "\n\n".join(blocks) + "\n"


def headline(results: Results) -> Table:
    """P.S.D.C., its ratio to the reference, and correlations, a row for each cell."""
    arms, several = _several_arms(results), len(references(results)) > 1
    head = ["Cell", *(["Arm"] if arms else []), "P.S.D.C. (L2)", "95%"]
    head += ["over", "ratio"] if several else [f"over {results['reference']}"]
    head += ["95%", "pairs", "mean r", "95%"]
    head += [*(trait[0].upper() for trait in TRAITS), "Unscored"]
    rows = []
    for name, cell in results["cells"].items():
        if cell["status"] != "done":
            rows.append((name, cell["status"], *[NOTHING] * (len(head) - 2)))
            continue
        numbers = cell["numbers"]
        own = is_reference(results, name)
        psdc, ratio = estimate(numbers["psdc"]), None if own else estimate(numbers["ratio"])
        mean_r = estimate(numbers["mean_r"])
        correlations = [numbers["traits"][trait]["mean"] for trait in TRAITS]
        row = [name, *([label(numbers["arm"])] if arms else []), number(psdc), interval(psdc)]
        row += [NOTHING if own else results["references"][name]] if several else []
        row += [number(ratio), interval(ratio), NOTHING if own else _pairs(numbers["ratio"])]
        row += [signed(mean_r.mean if mean_r else None), interval(mean_r)]
        row += [*map(signed, correlations), f"{numbers['unscored']} of {_asked(numbers)}"]
        rows.append(tuple(row))
    return Table(
        "headline",
        "How far from the personality that was asked for",
        tuple(head),
        tuple(rows),
        "P.S.D.C.: distance of asked and measured profile, lower is better. The ratio is over the "
        "personas that were asked for the same profile in both cells; those with another target "
        "are left out. r: asked against measured, by trait and on average.",
        2 if arms else 1,
    )


def compared(results: Results) -> Table:
    """Each cell minus its reference, persona by persona: difference, size of the effect, p."""
    rows = []
    for name, cell in done(results).items():
        if is_reference(results, name):
            continue
        found = cell["numbers"]["compared"]
        difference = estimate(found["difference"])
        row = [name, results["references"][name], signed(difference.mean if difference else None)]
        row += [interval(difference), signed(found["effect"])]
        row += [p_value(found["p"]), p_value(found["p_holm"]), str(found["personas"])]
        rows.append(tuple(row))
    return Table(
        "compared",
        "Each cell minus its reference",
        ("Cell", "minus", "Difference (L2)", "95%", "d_z", "p", "p, Holm", "Personas"),
        tuple(rows),
        "Persona by persona, in points; below 0 the cell lies nearer to what was asked. d_z: mean "
        "over standard deviation of the differences. p: paired sign-flip permutation test, all "
        "personas of a character flipped together; Holm: corrected over the cells.",
        2,
    )


def effects(results: Results) -> Table:
    """What the description does by itself, and what replies cost in fluency and time."""
    head = ["Cell"]
    for shown in ("words", "traits"):
        head += [f"explained in {shown}", "by chance", "p"]
    head += ["NLL a token", "Coherency", "Distinct-2", "Loops", "Minutes"]
    rows = []
    for name, cell in done(results).items():
        numbers = cell["numbers"]
        row = [name]
        for shown in ("words", "traits"):
            effect = numbers["descriptions"][shown]
            row += [_percent(effect["explained"]), _percent(effect["expected"])]
            row.append(", ".join(number(p, 4) for p in effect["p"]))
        row += [_with_bounds(numbers["nll"]), _with_bounds(numbers["coherency"])]
        row += [number(numbers["distinct_2"]), number(numbers["loops"])]
        row.append(number(cell["seconds"] / 60, 1))
        rows.append(tuple(row))
    return Table(
        "effects",
        "What the description does by itself, and what replies cost",
        tuple(head),
        tuple(rows),
        "Explained: how much of what tells replies to one question apart comes from whose "
        "description it was, all scores at 0. NLL: how unlikely the frozen model finds replies, in "
        "nats; coherency: what the question takes off it. Minutes: of the last start of each run; "
        "the first cell builds the corpus, too.",
    )


def groups(results: Results) -> Table:
    """P.S.D.C. by kind of persona and by language, each beside what constant zero gets."""
    found = {
        name: {(group["by"], group["name"]): group for group in cell["numbers"]["groups"]}
        for name, cell in done(results).items()
    }
    names = list(dict.fromkeys(key for cell in found.values() for key in cell))
    head = ["Cell"]
    for by, name in names:
        head += [kind(name) if by == "kind" else name, "zero (personas)"]
    rows = []
    for cell, own in found.items():
        row = [cell]
        for key in names:
            group = own.get(key)
            zero = f"{number(group['zero'])} ({group['personas']})" if group else NOTHING
            row += [_with_bounds(group["psdc"]) if group else NOTHING, zero]
        rows.append(tuple(row))
    return Table(
        "groups",
        "P.S.D.C. by kind of persona and by language",
        tuple(head),
        tuple(rows) if names else (),
        "Held-out characters have a description, profiles drawn over the whole space have none. "
        "Zero is what always answering 0 gets on the same personas.",
    )


def by_seed(results: Results) -> Table:
    """Each seed by itself, where there are several."""
    seeds = [f"seed {seed}" for seed in results["seeds"]]
    rows = []
    for name, cell in done(results).items() if len(seeds) > 1 else ():
        found = cell["numbers"]["by_seed"]
        rows.append((name, *map(number, found["psdc"]), *map(signed, found["mean_r"])))
    head = ("Cell", *(f"P.S.D.C., {s}" for s in seeds), *(f"mean r, {s}" for s in seeds))
    return Table("seeds", "Seed by seed", head, tuple(rows))


def trivial(results: Results) -> Table:
    """What answers get that read no prompt; cells that asked the same share a row."""
    shared: dict[str, list[str]] = {}
    names = list(dict.fromkeys(n for c in done(results).values() for n in c["numbers"]["trivial"]))
    for cell, entry in done(results).items():
        values = [number(entry["numbers"]["trivial"].get(name)) for name in names]
        shared.setdefault(json.dumps(values), []).append(cell)
    alike = len(shared) == 1
    rows = [
        ("all cells" if alike else ", ".join(cells), *json.loads(values))
        for values, cells in shared.items()
    ]
    return Table(
        "trivial",
        "What trivial answers get (P.S.D.C.)",
        ("Cell", *map(label, names)),
        tuple(rows) if names else (),
        "Always 0, always the mean of the corpus, and the profile of somebody else. A cell that "
        "does not beat them has not shown that it follows a profile.",
    )


def unscored(results: Results) -> Table:
    """Who has no score, and why."""
    rows = [
        (name, str(len(ids)), reason or "no reason was written down", ", ".join(ids))
        for name, cell in done(results).items()
        for reason, ids in cell["numbers"]["reasons"].items()
    ]
    head = ("Cell", "Unscored", "Reason", "Personas")
    return Table("unscored", "Personas without a score", head, tuple(rows))


def settings(results: Results) -> Table:
    """What each cell has set otherwise than its reference."""
    several, rows = len(references(results)) > 1, []
    for name, reference in results["references"].items():
        changes = [
            f"{key}: {_plain(values[reference])} → {_plain(values[name])}"
            for key, values in results["varied"].items()
            if values[name] != values[reference]
        ]
        own = is_reference(results, name)
        row = [name, *([NOTHING if own else reference] if several else [])]
        itself = ("a" if several else "the") + " reference"
        rows.append((*row, "; ".join(changes) or itself * own))
    than = ("Reference", "Otherwise than it")
    head = than if several else (f"Otherwise than {results['reference']}",)
    return Table("settings", "Settings that differ", ("Cell", *head), tuple(rows))


def _pairs(ratio: Mapping[str, Any]) -> str:
    left_out = ratio["other_targets"]
    return f"{ratio['pairs']}" + (f" ({left_out} left out)" if left_out else "")


def _several_arms(results: Results) -> bool:
    """Whether some cell's numbers are not DPG's."""
    return {cell["numbers"]["arm"] for cell in done(results).values()} - {"dpg"} != set()


def _asked(numbers: Mapping[str, Any]) -> int:
    return int(numbers["scored"] + numbers["unscored"])


def _with_bounds(found: Mapping[str, float | None]) -> str:
    value = estimate(found)
    bounds = interval(value)
    return number(value) + ("" if bounds == NOTHING else f" {bounds}")


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f}%"


def _plain(value: Any) -> str:
    """A setting's value as YAML has it, but for lists and texts, which need no quotes here."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, str) and value else json.dumps(value)


def _lines(table: Table) -> str:
    every = [table.head, *table.rows]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in every]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.head))]
    rule = ["-" * widths[0], *("-" * max(1, width - 1) + ":" for width in widths[1:])]
    lines = [_padded(row, widths) for row in cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return [cells[0].ljust(widths[0]), *rest]
