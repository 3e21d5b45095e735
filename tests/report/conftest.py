"""A run's folder as an evaluation leaves it: everything that the report reads."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup

from lightning_dpg.report import drawing, gallery, plots
from tests.report.fake import SMALL, fake_replies, fake_results

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """`make_run(change)`: write the folder, after `change` edited the results in place."""

    def make(change: Change | None = None) -> Path:
        return write_fake_run(tmp_path / "run", change)

    return make


class NoPlots:
    """Stands for `report.plots`: what a figure costs is of no use to a test of the text."""

    def __getattr__(self, name: str) -> Any:
        return getattr(plots, name) if name in ("reach_of", "largest") else lambda *given: None


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages have an empty element for each figure."""
    monkeypatch.setattr(gallery, "plots", NoPlots())
    monkeypatch.setattr(drawing, "plots", NoPlots())
    monkeypatch.setattr(drawing, "inline_svg", lambda *given: Markup("<svg></svg>"))


def write_fake_run(folder: Path, change: Change | None = None, arms: Sequence[str] = SMALL) -> Path:
    """Write a whole folder of a run and return it; used by hand too, to look at the page."""
    rng = np.random.default_rng(0)
    write_fake_evaluation(folder, change, arms)
    (folder / "config.yaml").write_text("seed: 0\nhypernetwork:\n  rank: 8\n", encoding="utf-8")
    _write_metrics(folder / "dpg" / "metrics.csv", rng, 2.7, contrast=True)
    _write_metrics(folder / "lora_sft" / "metrics.csv", rng, 2.9, contrast=False)
    return folder


def write_fake_evaluation(
    folder: Path, change: Change | None = None, arms: Sequence[str] = SMALL
) -> Path:
    """Write the results and replies alone, as an evaluation inside a run leaves them."""
    results = json.loads(_results(tuple(arms)))
    if change:
        change(results)
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    lines = [json.dumps(reply) for reply in fake_replies(results)]
    (folder / "replies.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@lru_cache
def _results(arms: tuple[str, ...]) -> str:
    return json.dumps(fake_results(np.random.default_rng(0), arms))


def only(*parts: str) -> Change:
    """A change that leaves the headline task and the named further parts of the results."""

    def change(results: dict[str, Any]) -> None:
        results["tasks"] = {"questions": results["tasks"]["questions"]}
        studies = ("dose_response", "descriptions", "overfitting", "controls", "unscored")
        for part in ("skipped", *studies):
            if part not in parts:
                results.pop(part)

    return change


def _write_metrics(file: Path, rng: np.random.Generator, level: float, *, contrast: bool) -> None:
    """Sparse rows, as Lightning's CSVLogger writes them: training and validation in turn."""
    columns = ["epoch", "step", "train/loss", "train/cross_entropy", "val/loss", "val/psdc"]
    columns += ["train/contrast"] if contrast else []
    file.parent.mkdir()
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        for step in range(0, 300, 2):
            loss = level + math.exp(-step / 80) + rng.normal(0, 0.15)
            row = {"epoch": 0, "step": step, "train/loss": loss, "train/cross_entropy": loss}
            if contrast:
                fall = 0.7 - 0.3 * step / 300 + rng.normal(0, 0.05)
                row |= {"train/loss": loss + 0.5 * fall, "train/contrast": fall}
            writer.writerow(row)
            if step % 60 == 58:
                fall = math.exp(-step / 90)
                checked = {"val/loss": level + fall, "val/psdc": level + 0.6 + 2 * fall}
                writer.writerow({"epoch": 0, "step": step, **checked})
