"""The results as a table, for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lightning_dpg.bench.contenders import BASELINE, LABELS
from lightning_dpg.bench.targets import place
from lightning_dpg.bench.timing import Ratio

Results = Mapping[str, Any]
HEADS = ["contender", "p50 ms", "p95 ms", "peak MiB", "over baseline", "over ours", "error"]
VERDICT = {True: "met", False: "missed", None: "not measured"}


def markdown(results: Results) -> str:
    """Machine, a table for each kind of work, what was left out, and the targets."""
    lines = [machine_line(results), ""]
    for work, base in BASELINE.items():
        cases = [case for case in results["cases"] if case["work"] == work]
        if not cases:
            continue
        lines += [f"**{title(work)}** (baseline: {LABELS[base]})", ""]
        lines += [_line(["case", *HEADS]), _line(["---", "---", *["---:"] * (len(HEADS) - 1)])]
        for case in cases:
            name = case_name(case)
            lines += [_line([name, *row]) for row in rows(case)]
        lines.append("")
    lines += [f"- {line}" for line in left_out(results)]
    lines += ["", *(f"- {line}" for line in closing(results)), ""]
    return "\n".join(lines)


def rich_table(results: Results) -> RenderableType:
    """The same for a terminal."""
    parts: list[RenderableType] = [Text(machine_line(results))]
    for case in results["cases"]:
        base = LABELS[case["baseline"]]
        table = Table(box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 1, 0, 0))
        table.title = f"{title(case['work'])}, {case_name(case)} (baseline: {base})"
        for head in HEADS[:-1]:  # all of it fits into 80 columns
            table.add_column(head, justify="left" if head == HEADS[0] else "right", no_wrap=True)
        for row in rows(case):
            table.add_row(*row[:-1])
        parts.append(table)
    parts += [Text(line, style="dim") for line in left_out(results)]
    return Group(*parts, *(Text(line) for line in closing(results)))


def title(work: str) -> str:
    """What a kind of work is called at the head of its table."""
    return {
        "prefill": "Prefill",
        "decoding": "Decoding",
        "training": "Training step",
    }[work]


def case_name(case: Results) -> str:
    """Precision and size, the tokens that were decoded, and the floor of ours."""
    new = f", {case['new_tokens']} new" if case["new_tokens"] else ""
    return f"{place(case)}{new}, floor {case['floor']:.3f}"


def rows(case: Results) -> list[list[str]]:
    """A row for each contender, in the order of `HEADS`."""
    return [
        [
            contender["label"],
            f"{1e3 * contender['p50']:,.1f}",
            f"{1e3 * contender['p95']:,.1f}",
            f"{contender['peak_bytes'] / 2**20:,.0f}",
            ratio(contender["over_baseline"]),
            f"{contender['over_ours']['ratio']:.2f}",
            "" if contender["error"] is None else f"{contender['error']:.1g}",
        ]
        for contender in case["contenders"]
    ]


def ratio(value: Ratio) -> str:
    """A ratio with its interval, such as `1.04 [1.02, 1.07]`."""
    if value["low"] is None or value["high"] is None:
        return f"{value['ratio']:.2f}"
    return f"{value['ratio']:.2f} [{value['low']:.2f}, {value['high']:.2f}]"


def machine_line(results: Results) -> str:
    """Where it was measured, on one line."""
    m = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items() if version)
    where = f"{m['gpu']}, " if m["gpu"] else ""
    load = "" if m["load_before"] is None else f", load {m['load_before']:.1f} before"
    return (
        f"{results['model']} on {where}{m['cpu']}, {m['cores']} cores, {m['threads']} threads, "
        f"{m['instructions']}, {m['memory_gib']} GiB{load}; lightning_dpg {m['lightning_dpg']}, "
        f"{versions}."
    )


def left_out(results: Results) -> list[str]:
    """Cases and contenders that were not measured, each with its reason."""
    lines = [f"Left out: {why}" for why in results["left_out"]]
    for case in results["cases"]:
        lines += [
            f"Left out of {case['work']}, {place(case)}: {one['why']}" for one in case["left_out"]
        ]
    return lines


def closing(results: Results) -> list[str]:
    """Repetition by the arithmetic, and the targets: what was aimed at, measured, met or missed."""
    gib, mib = 2**30, 2**20
    m = results["repetition"]
    lines = [
        f"{m['model']}, batch {m['batch']}, {m['tokens']} tokens, by arithmetic: one A and B a "
        f"sample take {m['ours'] / mib:,.0f} MiB, repeated for each token "
        f"{m['repeated'] / gib:,.1f} GiB."
    ]
    for v in results["targets"]:
        if v["measured"] is None:
            measured = "no case"
        else:
            aimed = v["bound"] and v["cases"] > 1
            many = f", {v['good']} of {v['cases']} cases" if aimed else ""
            measured = f"{v['measured']:.2f} ({v['where']}{many})"
        if not v["bound"]:
            lines.append(f"For information: {v['target']}; measured: {measured}.")
            continue
        lines.append(
            f"Target: {v['target']} {v['bound']}; measured: {measured}; {VERDICT[v['met']]}."
        )
    return lines


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
