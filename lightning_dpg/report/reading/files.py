"""The files beside the results: replies, and the curves of training."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path

from lightning_dpg.report.fields import Fields, broken

Curve = list[tuple[float, float]]
"""(training step, value), in the order of the steps."""


@dataclass(frozen=True)
class Reply:
    """What one arm said as one persona: text of a model, never to be trusted as markup.

    `prompt` is the last turn that it heard.
    """

    task: str
    arm: str
    persona: str
    prompt: str
    text: str


def read_replies(file: Path) -> tuple[Reply, ...]:
    """The lines of `replies.jsonl`; none where there is no such file.

    Raises:
        UserError: a line that is no JSON, or no reply.
    """
    if not file.is_file():
        return ()
    replies = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = Fields.of(file, f"line {number}", json.loads(line))
        except ValueError:
            raise broken(file, f"line {number} is not valid JSON") from None
        texts = (entry.text(key) for key in ("task", "arm", "persona", "prompt", "reply"))
        replies.append(Reply(*texts))
    return tuple(replies)


def read_curves(file: Path) -> dict[str, Curve]:
    """The columns of Lightning's CSVLogger, whose rows are sparse: an empty cell is no value."""
    curves: dict[str, Curve] = {}
    with file.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            step = _cell(row.get("step"))
            for column, text in row.items():
                value = _cell(text)
                if step is not None and value is not None and column != "step":
                    curves.setdefault(column, []).append((step, value))
    return curves


def _cell(text: str | None) -> float | None:
    """A cell as a number; None where it is empty, not finite, or cut off by a crash."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
