"""Runs as an evaluation leaves them, without any: seeded numbers in the shape of its results."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lightning_dpg.config import Config
from lightning_dpg.records import TRAITS

QUESTIONS = (
    "Someone you barely know asks you to join a long trip. What do you say?",
    "What would you do with a free evening?",
    "You found a mistake in the work of a colleague. How do you bring it up?",
)
SCENES = (
    ([["Ida", "You are late."], ["Ida", "Where were you?"]], "At the harbour."),
    ([["Tom", "The boat is gone."], ["Ida", "Where were you?"]], "I was where I said I would be."),
    ([["", "(a knock)"], ["Kit", "Come in."]], "It is only me, and I have brought the accounts."),
)
"""What held-out characters heard, and what they said there; the last turn does not tell them."""
Change = Callable[[dict[str, Any]], None]


def new_run(config: Config) -> Path:
    """A folder of its own for every start."""
    base = Path("runs") / config.name
    return base / f"run-{len(list(base.glob('*')))}"


def fake_trainer(
    made: list[str] | None = None,
    change: Change | None = None,
    open_run: Callable[[Config], Path] = new_run,
) -> Callable[[Config], Path]:
    """In place of `main_job.train`: a run's folder with made-up results.

    Args:
        made: the names of the settings that were trained, in order.
        change: edits the results.
        open_run: gives the folder.
    """

    def train(config: Config) -> Path:
        if made is not None:
            made.append(config.name)
        run = open_run(config)
        h = config.hypernetwork
        results = fake_results(
            config.seed,
            arm=config.evaluation.arms[-1],
            scores=0.8 if h.reads_scores else 0.0,
            described=h.reads_description,
        )
        if change:
            change(results)
        write_run(run, results)
        (run / "report.html").write_text("<p>report</p>", encoding="utf-8")
        return run / "report.html"

    return train


def write_run(run: Path, results: Mapping[str, Any]) -> None:
    """The results and the replies of a run."""
    run.mkdir(parents=True, exist_ok=True)
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    lines = []
    for name, task in results["tasks"].items():
        for arm in task["arms"]:
            for persona in task["personas"]:
                for question in QUESTIONS:
                    reply = f"{arm} as {persona['name']} to {question[:12]}, seed {results['seed']}"
                    record = {"task": name, "arm": arm, "persona": persona["id"]}
                    lines.append(json.dumps({**record, "prompt": question, "reply": reply}))
    (run / "replies.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_scenes(run: Path, results: Mapping[str, Any]) -> None:
    """Appends the replies of held-out characters in scenes, the same ones for each."""
    task = results["tasks"]["questions"]
    people = [p for p in task["personas"] if p["kind"] == "held_out"]
    with (run / "replies.jsonl").open("a", encoding="utf-8") as file:
        for arm, persona in itertools.product(task["arms"], people):
            for i, (heard, gold) in enumerate(SCENES):
                record = {"task": "scripted", "arm": arm, "persona": persona["id"]}
                record |= {"prompt": heard[-1][1], "reply": f"{arm} as {persona['name']} in {i}"}
                file.write(json.dumps(record | {"heard": heard, "gold": gold}) + "\n")


def fake_results(
    seed: int = 0, *, arm: str = "dpg", scores: float = 0.8, described: bool = True
) -> dict[str, Any]:
    """What `results.json` holds.

    Args:
        seed: of who is asked and what is measured.
        arm: a second arm, `unadapted`, is before it.
        scores: how much of what is asked for is measured.
        described: whether descriptions do anything.
    """
    rng = np.random.default_rng(seed)
    personas = [_persona(i, rng) for i in range(24)]
    targets = np.array([persona["target"] for persona in personas])
    arms = {
        "unadapted": _arm(personas, targets, 0.0, rng),
        arm: _arm(personas, targets, scores, rng),
    }
    zero, other = np.linalg.norm(targets, axis=1), np.roll(targets, 1, axis=0)
    mean = np.linalg.norm(targets - targets.mean(0), axis=1)
    guesses = {"constant_zero": zero, "corpus_mean": mean}
    guesses["shuffled"] = np.linalg.norm(targets - other, axis=1)
    effect = {"explained": 0.16 if described else 0.08, "expected": 0.07, "replies": 80}
    return {
        "experiment": "fake",
        "seed": seed,
        "version": "0.1.0",
        "backbone": "SmolLM2-135M-Instruct/nf4/bfloat16",
        "labels": "local/markers-4/SmolLM2-135M-Instruct",
        "judge": "local/markers-4/SmolLM2-135M-Instruct",
        "judge_note": "The judge reads the same frozen weights.",
        "corpus": {"hash": "c0ffee", "dialogues": 98, "utterances": 2700, "characters": 48},
        "wall_seconds": {"dpg": 190.0, "evaluation": 120.0},
        "versions": {"torch": "2.13.0", "transformers": "5.24.0"},
        "headline": "questions",
        "skipped": {},
        "tasks": {
            "questions": {
                "title": "Open-ended questions",
                "prompts": list(QUESTIONS),
                "personas": personas,
                "arms": arms,
                "trivial": {n: {"psdc": {"l2": estimate(v)}} for n, v in guesses.items()},
                "references": {},
                "ratios": {},
                "comparisons": {},
            }
        },
        "dose_response": {},
        "descriptions": {
            "words": effect | {"p": 0.0005 if described else 0.31},
            "traits": effect | {"p": 0.002 if described else 0.64},
        }
        if arm == "dpg"
        else {},
        "overfitting": {},
        "controls": {},
    }


def estimate(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    half = 1.96 * float(np.std(values)) / math.sqrt(len(values))
    mean = float(np.mean(values))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def _persona(index: int, rng: np.random.Generator) -> dict[str, Any]:
    target = [round(float(score), 1) for score in rng.uniform(-5, 5, len(TRAITS))]
    if index >= 8:
        key = f"drawn/{index - 8:02}"
        own = {"id": key, "kind": "drawn", "name": f"Drawn {index - 8}", "description": ""}
        return own | {"target": target, "language": "en", "cluster": key}
    name = ("Mara", "Jonas", "Peter", "Elin", "Tom", "Ida", "Kit", "Abel")[index]
    return {
        "id": f"held_out/saltmarsh/{name.lower()}",
        "kind": "held_out",
        "name": name,
        "description": f"{name} keeps the ship's chandlery and everybody's accounts.",
        "target": [round(score / 2, 1) for score in target],
        "language": "en",
        "cluster": f"saltmarsh/{name.lower()}",
    }


def _arm(
    personas: Sequence[Mapping[str, Any]],
    targets: np.ndarray,
    share: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    measured = (share * targets + rng.normal(0, 1.1, targets.shape)).round(4)
    silent = 11  # one persona that could not be rated
    kept = [i for i in range(len(personas)) if i != silent]
    distances = np.linalg.norm(targets - measured, axis=1)[kept]
    r = [float(np.corrcoef(targets[kept, i], measured[kept, i])[0, 1]) for i in range(len(TRAITS))]
    nothing = {"mean": None, "low": None, "high": None}
    return {
        "psdc": {"l2": estimate(distances)},
        "traits": {t: {"pearson": nothing | {"mean": x}} for t, x in zip(TRAITS, r, strict=True)},
        "profile_r": {"mean": share, "low": share - 0.1, "high": share + 0.1},
        "scored": len(kept),
        "unscored": 1,
        "measured": {
            p["id"]: None if i == silent else row
            for i, (p, row) in enumerate(zip(personas, measured.tolist(), strict=True))
        },
        "reasons": {personas[silent]["id"]: "insufficient evidence: 12 words"},
        "trait_r": dict(zip(TRAITS, r, strict=True)),
        "quality": {
            "nll": {"mean": 2.8 + share / 10, "low": 2.7, "high": 3.0},
            "coherency": {"mean": 0.21, "low": 0.18, "high": 0.25},
            "distinct_2": 0.62,
            "loops": 0.01,
            "words": 30.0,
        },
    }
