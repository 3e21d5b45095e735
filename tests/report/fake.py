"""Results as an evaluation writes them: seeded numbers for every part that the report reads."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

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
    # Not in the small run:
    "prompted_description": (0.1, 2.2),
    "prompted_both": (0.3, 2.3),
    "few_shot": (0.35, 2.2),
    "lora_sft_contrast": (0.45, 2.0),
    "linear": (0.65, 1.5),
}
"""Per arm: how much of the prompted score arrives, and the standard deviation around it."""
SMALL = ("unadapted", "prompted", "lora_sft", "dpg")
WIDE = (
    "unadapted",
    "prompted",
    "prompted_description",
    "prompted_both",
    "few_shot",
    "lora_sft",
    "lora_sft_contrast",
    "linear",
    "dpg",
)
TASKS = {
    "questions": ("Open-ended questions", {"held_out": 16, "drawn": 16}),
    "scripted": ("Scripted dialogue", {"held_out": 16}),
    "newcomers": ("New personalities", {"new_region": 8, "contradictory": 8}),
    "seen": ("Characters of training", {"seen": 12}),
}
"""Title, and how many personas of which kind."""
INSUFFICIENT = "insufficient evidence: 12 words, at least 25 are needed"


def fake_results(rng: np.random.Generator, arms: Sequence[str] = SMALL) -> dict[str, Any]:
    """What `results.json` holds."""
    return {
        "experiment": "dpg_smollm2",
        "seed": 0,
        "version": "0.2.0",
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
        "wall_seconds": {
            **{"corpus": 130.1, "dpg": 400.0, "lora_sft": 190.0},
            **{"quality": 50.0, "evaluation": 150.0},
        },
        "versions": {"torch": "2.13.0", "transformers": "5.23.0", "lightning": "2.6.6"},
        "headline": "questions",
        "skipped": {"api": "no key: set OPENAI_API_KEY for openai/gpt-4o"},
        "tasks": {name: _task(name, arms, rng) for name in TASKS},
        "dose_response": {trait: _dose(i) for i, trait in enumerate(TRAITS)},
        "descriptions": {
            "traits": {"explained": 0.123, "expected": 0.111, "p": 0.321, "replies": 76},
            "words": {"explained": 0.234, "expected": 0.112, "p": 0.004, "replies": 80},
        },
        "overfitting": {arm: _overfitting(arm, place) for place, arm in enumerate(arms)},
        "controls": _controls(),
        "unscored": {
            "dose": {"dpg": {"unit": "persona", "of": 45, "reasons": {INSUFFICIENT: 3}}},
            "described": {"dpg": {"unit": "reply", "of": 80, "reasons": {"empty reply": 4}}},
        },
    }


def fake_replies(results: dict[str, Any]) -> list[dict[str, str]]:
    """A reply of every arm as every persona to every prompt; a scene each where they have none."""
    return [
        {"task": task, "arm": arm, "persona": who["id"], "prompt": prompt, "reply": reply}
        for task, found in results["tasks"].items()
        for arm in found["arms"]
        for who in found["personas"]
        for prompt in found.get("prompts") or [f"{who['name']}, are you there?"]
        for reply in [LINES.get(arm, "Hm.")]
    ]


def _task(name: str, arms: Sequence[str], rng: np.random.Generator) -> dict[str, Any]:
    title, kinds = TASKS[name]
    personas = [_persona(kind, i, rng) for kind, count in kinds.items() for i in range(count)]
    targets = np.array([persona["target"] for persona in personas])
    found = {arm: _arm(arm, personas, targets, rng) for arm in arms}
    guesses = {
        "constant_zero": np.zeros_like(targets),
        "corpus_mean": np.tile(targets.mean(0), (len(targets), 1)),
        "shuffled": np.roll(targets, 1, axis=0),
    }
    return {
        "title": title,
        "prompts": [] if name == "scripted" else list(PROMPTS),
        "personas": personas,
        "arms": found,
        "trivial": {guess: {"psdc": _psdc(t - targets)} for guess, t in guesses.items()},
        "references": {"gold": _arm("gold", personas, targets, rng)} if name == "scripted" else {},
        "ratios": _ratios(found, float(np.linalg.norm(targets, axis=1).mean())),
        "comparisons": {arm: _comparison(i) for i, arm in enumerate(found) if arm != "dpg"},
    }


def _persona(kind: str, index: int, rng: np.random.Generator) -> dict[str, Any]:
    target = [round(float(score), 1) for score in rng.uniform(-5, 5, len(TRAITS))]
    if kind not in ("held_out", "seen"):
        key = f"{kind}/{index:02}"
        text = {"id": key, "kind": kind, "name": f"{kind} {index}", "cluster": key}
        return text | {"description": "", "target": target, "language": "en"}
    name = NAMES[index % len(NAMES)]
    character = f"saltmarsh/{name.lower()}-{index}"
    return {
        "id": f"{kind}/{character}",
        "kind": kind,
        "name": name,
        "description": "Keeps the ship's chandlery and everybody's accounts. Lost a brother to "
        "the sea and does not speak of it.",
        "target": [round(score / 2, 1) for score in target],
        "language": "en",
        "cluster": character,
    }


def _arm(
    name: str, personas: list[dict[str, Any]], targets: np.ndarray, rng: np.random.Generator
) -> dict[str, Any]:
    share, spread = STRENGTH.get(name, (0.85, 0.9))
    measured = share * targets + rng.normal(0, spread, targets.shape)
    silent = {5, 10} if name == "unadapted" else {7} if name == "dpg" else set()
    kept = [i for i in range(len(personas)) if i not in silent]
    asked, got = targets[kept], measured[kept]
    matrix = np.corrcoef(asked.T, got.T)[: len(TRAITS), len(TRAITS) :]
    own, others = np.diag(matrix), matrix[~np.eye(len(TRAITS), dtype=bool)]
    rows = zip(personas, measured.tolist(), strict=True)
    return {
        "psdc": _psdc(got - asked),
        "psdc_shuffled": {"l2": _psdc(got - np.roll(asked, 1, axis=0))["l2"]},
        "by_kind": _by_kind(personas, targets, measured, kept),
        "traits": {t: _fit(asked[:, i], got[:, i]) for i, t in enumerate(TRAITS)},
        "matrix": matrix.tolist(),
        "diagonal": float(own.mean()),
        "off_diagonal": float(np.abs(others).mean()),
        "selectivity": _around(float(own.mean() - np.abs(others).mean())),
        "profile_r": _around(float(own.mean()) - 0.05),
        "trait_r": dict(zip(TRAITS, own.tolist(), strict=True)),
        "unscored": len(silent),
        "scored": len(kept),
        "measured": {p["id"]: None if i in silent else s for i, (p, s) in enumerate(rows)},
        "reasons": {personas[i]["id"]: INSUFFICIENT for i in sorted(silent)},
        "quality": _quality(2.0 + share),
        "second": {
            "instrument": "lexicon/1",
            "trait_r": dict(zip(TRAITS, (0.5 * own).tolist(), strict=True)),
            "scored": len(kept),
        },
    }


def _by_kind(
    personas: list[dict[str, Any]], targets: np.ndarray, measured: np.ndarray, kept: list[int]
) -> dict[str, Any]:
    kinds = np.array([persona["kind"] for persona in personas])
    found = {}
    for kind in dict.fromkeys(kinds.tolist()):
        rows = [i for i in kept if kinds[i] == kind]
        found[kind] = {
            "l2": _psdc((measured - targets)[rows])["l2"],
            "zero": float(np.linalg.norm(targets[kinds == kind], axis=1).mean()),
            "personas": int((kinds == kind).sum()),
        }
    return found


def _fit(asked: np.ndarray, got: np.ndarray) -> dict[str, Any]:
    r = float(np.corrcoef(asked, got)[0, 1])
    bias = float((got - asked).mean())
    gap = asked.var() + got.var() + bias**2
    return {
        "pearson": _around(r),
        "spearman": _around(r - 0.02),
        "concordance": _around(float(2 * np.cov(asked, got, ddof=0)[0, 1] / gap)),
        "mae": _around(float(np.abs(got - asked).mean())),
        "bias": _around(bias),
        "slope": _around(float(np.polyfit(asked, got, 1)[0])),
    }


def _quality(nll: float) -> dict[str, Any]:
    return {
        "nll": _around(nll),
        "coherency": _around(nll / 10),
        "consistency": 0.41,
        "consistency_by_trait": dict.fromkeys(TRAITS, 0.41),
        "distinct_1": 0.31,
        "distinct_2": 0.62,
        "distinct_3": 0.83,
        "loops": 0.01,
        "refusals": 0.02,
        "words": 27.4,
        "judged": {
            "judge": "litellm/openai/gpt-4o",
            "fluency": _around(4.1),
            "coherency": _around(3.2),
            "consistency": _around(3.7),
            "unscored": 2,
            "reasons": {"the answer is no JSON": 2},
        },
    }


def _dose(index: int) -> dict[str, Any]:
    doses = list(range(-4, 5))
    own = [0.9 if i == index else -0.2 * (i == (index - 1) % 5) for i in range(5)]
    background = [0.0 if i == index else 2.0 * (-1) ** i for i in range(5)]
    return {
        **_response(doses, [0.9 * dose + 0.1 * index for dose in doses], own, 0.95),
        "second_r": 0.61 + index / 100,
        "backgrounds": [
            {
                "background": [sign * score for score in background],
                **_response(doses, [0.7 * d + sign * 0.8 for d in doses], own, 0.9),
            }
            for sign in (1, -1)
        ],
        "null": _response(doses, [0.5 * math.sin(d + index) for d in doses], [0.02] * 5, 0.05),
    }


def _response(
    doses: list[int], measured: list[float], slopes: list[float], spearman: float
) -> dict[str, Any]:
    falls = sum(after < before for before, after in itertools.pairwise(measured))
    return {
        "doses": doses,
        "measured": measured,
        "profiles": [[score] * 5 for score in measured],
        "spearman": spearman,
        "slopes": slopes,
        "violations": falls,
        "saturation": 0.84,
        "intervals": {"spearman": _around(spearman), "slope": _around(max(slopes))},
    }


def _overfitting(arm: str, place: int) -> dict[str, Any]:
    unseen = 7.0 - 0.4 * place
    seen = unseen - (0.6 if arm == "dpg" else 0.1)
    gap = seen - unseen
    difference = {"mean": gap, "low": gap - 0.5, "high": gap + 0.5}
    wide = {"low": seen - 0.6, "high": seen + 0.5}
    return {
        "seen": {"mean": seen} | wide,
        "unseen": {"mean": unseen, "low": unseen - 0.5, "high": unseen + 0.7},
        "difference": difference,
        "p": 0.03,
    }


def _controls() -> dict[str, Any]:
    intact = "I have a shop to open at seven."
    texts = {
        "shuffled_words": ("nll", 2.8, 6.1, "seven at open shop a I to have."),
        "other_question": ("coherency", 0.4, 0.05, "The fish was off, I tell you."),
        "mixed": ("consistency", 0.5, 0.1, "I have a shop to open. Let us dance!"),
    }
    return {
        name: {
            "measure": measure,
            "intact": _around(whole),
            "broken": _around(broken),
            "difference": _around(broken - whole),
            "p": 0.0005,
            "example": {"intact": intact, "broken": text},
        }
        for name, (measure, whole, broken, text) in texts.items()
    }


def _ratios(arms: dict[str, Any], zero: float) -> dict[str, Any]:
    psdc = {name: arm["psdc"]["l2"]["mean"] for name, arm in arms.items()}
    below = {
        "dpg_over_lora_sft": psdc["lora_sft"],
        "dpg_over_best_prompt": psdc["prompted"],
        "dpg_over_constant_zero": zero,
    }
    found = {name: _around(psdc["dpg"] / value) for name, value in below.items()}
    found["dpg_over_best_prompt"] |= {"arm": "prompted"}
    return found


def _comparison(place: int) -> dict[str, Any]:
    return {
        "difference": _around(-1.0 - place),
        "p": 0.0005,
        "p_holm": 0.0015,
        "effect": -0.8 - place / 10,
        "personas": 31,
        "traits": {
            trait: {
                **{"difference": _around(-0.3 - i / 10), "p": 0.01, "p_holm": 0.04},
                "effect": -0.4 - i / 10,
            }
            for i, trait in enumerate(TRAITS)
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


def _around(value: float) -> dict[str, Any]:
    return {"mean": value, "low": value - 0.09, "high": value + 0.1}
