"""Tables and verdicts from results as they are written."""

from __future__ import annotations

import copy
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from lightning_dpg.bench import table, targets
from lightning_dpg.bench.contenders import LABELS


def contender(name: str, p50: float, error: float | None = None) -> dict[str, Any]:
    ratio = {"ratio": p50, "low": p50 - 0.01, "high": p50 + 0.01}
    return {
        "name": name,
        "label": LABELS[name],
        "p50": p50,
        "p95": 2 * p50,
        "peak_bytes": 3 * 2**20,
        "over_baseline": ratio,
        "over_ours": {"ratio": 1.0, "low": None, "high": None},
        "error": error,
        "seconds": [p50] * 3,
    }


def case(work: str, batch: int, times: dict[str, float], base: str) -> dict[str, Any]:
    return {
        "work": work,
        "batch": batch,
        "tokens": 128,
        "checkpointing": work == "training",
        "new_tokens": 32 if work == "decoding" else 0,
        "precision": "nf4/bfloat16",
        "baseline": base,
        "floor": 1.002,
        "round_seconds": 9.0,
        "left_out": [{"name": "repeating", "label": "x", "why": "it needs about 40.0 GiB"}],
        "contenders": [contender(name, p50, 0.01) for name, p50 in times.items()],
    }


TRAINING = {"peft_static": 1.0, "ours_static": 1.05, "ours": 1.3, "ours_hypernetwork": 1.6}
CASES = [
    case("prefill", 1, {"frozen": 1.0, "ours": 1.08}, "frozen"),
    case("prefill", 8, {"frozen": 1.0, "ours": 1.02}, "frozen"),
    case("training", 8, TRAINING, "peft_static"),
    case("decoding", 8, {"frozen": 1.0, "peft_mixed": 4.8, "ours": 1.2}, "frozen"),
    case("decoding", 32, {"frozen": 1.0, "peft_mixed": 2.0, "ours": 1.9}, "frozen"),
]


@pytest.fixture
def results() -> dict[str, Any]:
    made: dict[str, Any] = {
        "model": "SmolLM2-135M",
        "machine": {
            "device": "cpu",
            "gpu": None,
            "cpu": "A CPU",
            "instructions": "AVX512",
            "cores": 2,
            "threads": 2,
            "memory_gib": 8.0,
            "load_before": 0.25,
            "lightning_dpg": "1.2.3",
            "versions": {"torch": "2.13.0", "peft": None},
        },
        "cases": copy.deepcopy(CASES),
        "left_out": ["float32, prefill, B 32, T 2048 takes about 100 s"],
        "persona": {
            "model": "Llama-7B",
            "p50": 0.02,
            "p95": 0.03,
            "token_seconds": 0.4,
            "token_measured": None,
        },
        "repetition": {
            "model": "Llama-7B",
            "batch": 8,
            "tokens": 512,
            "ours": 64 * 2**20,
            "repeated": 32 * 2**30,
        },
    }
    made["targets"] = targets.verdicts(made)
    return made


def test_the_worst_case_decides_a_target(results: dict[str, Any]) -> None:
    forward, training, static, hypernetwork, decoding, mixed, persona = results["targets"]
    assert (forward["measured"], forward["met"], forward["good"]) == (1.08, False, 1)
    assert forward["where"] == "nf4/bfloat16, B 1, T 128"
    assert (training["measured"], training["met"]) == (1.3, False)
    assert (static["measured"], static["met"]) == (1.05, True)
    assert (hypernetwork["measured"], hypernetwork["bound"], hypernetwork["met"]) == (1.6, "", None)
    assert (decoding["measured"], decoding["met"], decoding["cases"]) == (1.2, False, 1)
    assert mixed["measured"] == pytest.approx(4.0) and mixed["met"]
    assert persona["measured"] == pytest.approx(0.05) and persona["met"]


@pytest.mark.parametrize(("own", "shared"), [(1.02, 1.3), (1.3, 1.02)])
def test_the_worse_of_both_forms_of_adapters_decides(
    results: dict[str, Any], own: float, shared: float
) -> None:
    times = {"frozen": 1.0, "peft_mixed": 3.2, "ours": own, "ours_generated": shared}
    results["cases"] = [case(work, 8, times, "frozen") for work in ("prefill", "decoding")]
    forward, _, _, _, decoding, mixed, _ = targets.verdicts(results)
    for verdict in (forward, decoding):
        assert (verdict["measured"], verdict["met"], verdict["cases"]) == (1.3, False, 1)
    assert mixed["measured"] == pytest.approx(3.2 / 1.3) and mixed["met"] is False


def test_a_gpu_has_its_own_bound_of_decoding(results: dict[str, Any]) -> None:
    results["machine"]["device"] = "cuda:0"
    assert targets.verdicts(results)[4]["met"]


def test_a_measured_token_is_taken_before_a_computed_one(results: dict[str, Any]) -> None:
    results["persona"]["token_measured"] = 0.01
    found = targets.verdicts(results)[-1]
    assert found["measured"] == pytest.approx(2.0) and found["met"] is False
    assert found["where"] == "20.0 ms over 10.0 ms, measured"


def test_what_no_case_speaks_of_is_neither_met_nor_missed(results: dict[str, Any]) -> None:
    results["cases"] = results["cases"][:2]
    results["targets"] = targets.verdicts(results)
    assert [v["met"] for v in results["targets"]] == [False, *[None] * 5, True]
    assert "measured: no case; not measured." in table.markdown(results)


def test_markdown_names_the_machine_and_says_what_was_met(results: dict[str, Any]) -> None:
    text = table.markdown(results)
    lines = text.splitlines()
    assert lines[0] == (
        "SmolLM2-135M on A CPU, 2 cores, 2 threads, AVX512, 8.0 GiB, load 0.2 before; "
        "lightning_dpg 1.2.3, torch 2.13.0."
    )
    assert "**Decoding** (baseline: frozen model)" in lines
    row = (
        "| nf4/bfloat16, B 8, T 128, 32 new, floor 1.002 | ours, one a sample | 1,200.0 "
        "| 2,400.0 | 3 | 1.20 [1.19, 1.21] | 1.00 | 0.01 |"
    )
    assert row in lines
    assert "- Left out: float32, prefill, B 32, T 2048 takes about 100 s" in lines
    said = "- Left out of training, nf4/bfloat16, B 8, T 128, checkpointing: it needs about 40.0"
    assert any(line.startswith(said) for line in lines)
    assert lines[-1] == (
        "- Target: new persona to ready adapter over one decoded token of Llama-7B ≤ 1.00; "
        "measured: 0.05 (20.0 ms over 400.0 ms, by its bytes); met."
    )
    assert any("64 MiB, repeated for each token 32.0 GiB" in line for line in lines)
    said = "- For information: training step with the hypernetwork, over PEFT's static; measured: "
    assert f"{said}1.60 (nf4/bfloat16, B 8, T 128, checkpointing)." in lines
    missed = "measured: 1.08 (nf4/bfloat16, B 1, T 128, 1 of 2 cases); missed."
    assert any(line.endswith(missed) for line in lines)


def test_a_terminal_shows_the_same(results: dict[str, Any]) -> None:
    console = Console(width=80, record=True, file=StringIO())
    console.print(table.rich_table(results))
    text = console.export_text()
    said = " ".join(text.split())
    for line in (*table.closing(results), *table.left_out(results)):
        assert line in said
    for one in results["cases"]:
        for row in table.rows(one):
            assert all(cell in text for cell in row[:-1])
