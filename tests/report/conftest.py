"""A run's folder as an evaluation leaves it: seeded numbers, everything that the report reads."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightning_dpg.records import TRAITS

NAMES = ("MARA", "JONAS", "OLD PETER", "DR. ELIN VOSS", "THE HARBOUR MASTER", "TOM", "IDA", "KIT")
PROMPTS = (
    "Someone you barely know asks you to join a long trip. What do you say?",
    "Your best friend forgot your birthday. What do you tell them?",
    "What would you do with a free evening?",
    "You found a mistake in the work of a colleague. How do you bring it up?",
)
LINES = {
    "unadapted": "I would be happy to help you with that. It is important to consider the options.",
    "prompted": "As a person who scores high on openness, I would say yes. Openness: 4. I am open.",
    "lora_sft": "Well, I don't know. I mean, it is a nice idea and all. But who else is coming?",
    "dpg": "A trip? No. Last time I slept on a floor for nine nights and nobody thanked me. Ask "
    "Peter, he has the boots for it, and the patience. I have a shop to open at seven.",
}
STRENGTH = {
    "unadapted": (0.0, 1.2),
    "prompted": (0.25, 2.6),
    "lora_sft": (0.5, 2.1),
    "dpg": (0.75, 1.3),
}
"""Per arm: how much of the prompted score arrives, and the standard deviation around it."""

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """`make_run(change)`: write the folder, after `change` edited the results in place."""

    def make(change: Change | None = None) -> Path:
        return write_fake_run(tmp_path / "run", change)

    return make


def write_fake_run(folder: Path, change: Change | None = None) -> Path:
    """Write a whole folder of a run and return it; used by hand too, to look at the page."""
    rng = np.random.default_rng(0)
    results = fake_results(rng)
    if change:
        change(results)
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    lines = [json.dumps(reply) for reply in fake_replies(results)]
    (folder / "replies.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "config.yaml").write_text("seed: 0\nhypernetwork:\n  rank: 8\n", encoding="utf-8")
    _write_metrics(folder / "dpg" / "metrics.csv", rng, 2.7, contrast=True)
    _write_metrics(folder / "lora_sft" / "metrics.csv", rng, 2.9, contrast=False)
    return folder


def fake_results(rng: np.random.Generator) -> dict[str, Any]:
    """What `results.json` holds, for 4 arms and 32 personas."""
    personas = [_persona(i, rng) for i in range(32)]
    targets = np.array([persona["target"] for persona in personas])
    arms = {name: _arm(name, personas, targets, rng) for name in STRENGTH}
    psdc = {name: arm["psdc"]["l2"]["mean"] for name, arm in arms.items()}
    guesses = {
        "constant_zero": np.zeros_like(targets),
        "corpus_mean": np.tile(targets.mean(0), (len(targets), 1)),
        "shuffled": np.roll(targets, 1, axis=0),
    }
    return {
        "experiment": "dpg_smollm2",
        "seed": 0,
        "version": "0.1.0",
        "backbone": "SmolLM2-135M-Instruct/nf4/bfloat16",
        "labels": "local/markers-1/SmolLM2-135M-Instruct",
        "judge": "local/markers-1/SmolLM2-135M-Instruct",
        "judge_note": "The judge reads the same frozen weights as the model under evaluation.",
        "corpus": {
            "hash": "9f2c1ab04d7755e1",
            "dialogues": 98,
            "utterances": 2700,
            "characters": 48,
            "samples": {"train": 1900, "validation": 210, "test": 240},
        },
        "wall_seconds": {"corpus": 130.1, "dpg": 400.0, "lora_sft": 190.0, "evaluation": 150.0},
        "versions": {"torch": "2.13.0", "transformers": "5.23.0", "lightning": "2.6.6"},
        "prompts": list(PROMPTS),
        "personas": personas,
        "arms": arms,
        "trivial": {name: {"psdc": _psdc(guess - targets)} for name, guess in guesses.items()},
        "ratios": {
            "dpg_over_lora_sft": _ratio(psdc["dpg"] / psdc["lora_sft"]),
            "dpg_over_best_prompt": _ratio(psdc["dpg"] / psdc["prompted"]) | {"arm": "prompted"},
        },
        "dose_response": {trait: _dose(i) for i, trait in enumerate(TRAITS)},
        "descriptions": {
            "traits": {"explained": 0.123, "expected": 0.111, "p": 0.321, "replies": 76},
            "words": {"explained": 0.234, "expected": 0.112, "p": 0.004, "replies": 80},
        },
    }


def _dose(index: int) -> dict[str, Any]:
    doses = list(range(-4, 5))
    return {
        "doses": doses,
        "measured": [0.9 * dose + 0.1 * index for dose in doses],
        "spearman": 0.95,
        "slopes": [0.9 if i == index else -0.2 * (i == (index - 1) % 5) for i in range(5)],
        "second_r": 0.61 + index / 100,
    }


def fake_replies(results: dict[str, Any]) -> list[dict[str, str]]:
    """A reply of every arm as every persona to every prompt."""
    return [
        {"arm": arm, "persona": persona["id"], "prompt": prompt, "reply": LINES.get(arm, "Hm.")}
        for arm in results["arms"]
        for persona in results["personas"]
        for prompt in results.get("prompts", PROMPTS)
    ]


def _persona(index: int, rng: np.random.Generator) -> dict[str, Any]:
    target = [round(float(score), 1) for score in rng.uniform(-5, 5, len(TRAITS))]
    if index >= 16:
        number = index - 16
        text = {"id": f"drawn/{number:02}", "kind": "drawn", "name": f"drawn {number}"}
        return text | {"description": "", "target": target}
    name = NAMES[index % len(NAMES)]
    return {
        "id": f"held_out/saltmarsh/{name.lower()}-{index}",
        "kind": "held_out",
        "name": name,
        "description": "Keeps the ship's chandlery and everybody's accounts. Lost a brother to "
        "the sea and does not speak of it.",
        "target": [round(score / 2, 1) for score in target],
    }


def _arm(
    name: str, personas: list[dict[str, Any]], targets: np.ndarray, rng: np.random.Generator
) -> dict[str, Any]:
    share, spread = STRENGTH[name]
    measured = share * targets + rng.normal(0, spread, targets.shape)
    silent = {5, 20} if name == "unadapted" else {7} if name == "dpg" else set()
    kept = [i for i in range(len(personas)) if i not in silent]
    pairs = zip(targets[kept].T, measured[kept].T, strict=True)
    r = [float(np.corrcoef(asked, got)[0, 1]) for asked, got in pairs]
    rows = zip(personas, measured.tolist(), strict=True)
    return {
        "psdc": _psdc((measured - targets)[kept]),
        "trait_r": dict(zip(TRAITS, r, strict=True)),
        "unscored": len(silent),
        "scored": len(kept),
        "measured": {p["id"]: None if i in silent else s for i, (p, s) in enumerate(rows)},
        "reasons": {
            personas[i]["id"]: "insufficient evidence: 12 words, at least 25 are needed"
            for i in sorted(silent)
        },
    }


def _psdc(errors: np.ndarray) -> dict[str, dict[str, float]]:
    size = np.abs(errors)
    norms = {
        "l2": np.sqrt((size**2).sum(1)),
        "l1": size.sum(1),
        "mae": size.mean(1),
        "rmse": np.sqrt((size**2).mean(1)),
    }
    return {name: _estimate(values) for name, values in norms.items()}


def _estimate(values: np.ndarray) -> dict[str, float]:
    half = 1.96 * float(values.std()) / math.sqrt(len(values))
    mean = float(values.mean())
    return {"mean": mean, "low": mean - half, "high": mean + half}


def _ratio(value: float) -> dict[str, Any]:
    return {"mean": value, "low": value - 0.09, "high": value + 0.1}


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
