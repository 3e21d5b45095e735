"""The whole benchmark on the tiny model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from lightning_dpg.bench import cases, persona
from lightning_dpg.bench import contenders as who
from lightning_dpg.errors import UserError
from lightning_dpg.progress import Steps
from lightning_dpg.run import bench as command
from lightning_dpg.run.bench import DATA, TABLE, Plan, bench

QUIET = Plan(
    model="tiny",
    dtypes=("float32",),
    quantizations=("none",),
    batches=(2,),
    tokens=(8,),
    repeats=3,
    device="cpu",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, str]:
    """Results, the Markdown table, and what the terminal showed."""
    out = tmp_path_factory.mktemp("bench")
    shown = StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(persona, "REPEATS", 2)
        patch.setattr(persona, "bandwidth", lambda device: 1e9)
        patch.setattr(cases, "FULL", replace(cases.FULL, new_tokens=3))
        path = bench(QUIET, out, Steps(Console(file=shown, width=150)))
    return json.loads((out / DATA).read_text()), path.read_text(), shown.getvalue()


def test_every_case_is_there_with_all_who_take_part(made: tuple[dict[str, Any], str, str]) -> None:
    results, _, _ = made
    assert results["left_out"] == []
    said = {(case["work"], case["checkpointing"]): case for case in results["cases"]}
    assert set(said) == {
        ("prefill", False),
        ("decoding", False),
        ("training", False),
        ("training", True),
    }
    speaking = [who.FROZEN, who.PEFT, who.MIXED, who.NAIVE, who.STATIC, who.OURS, who.GENERATED]
    learning = [who.PEFT, who.STATIC, who.OURS, who.NAIVE, who.HYPERNETWORK, who.DPG]
    for case in results["cases"]:
        names = [contender["name"] for contender in case["contenders"]]
        assert names == (learning if case["work"] == "training" else speaking)
        for contender in case["contenders"]:
            assert len(contender["seconds"]) == 3
            assert min(contender["seconds"]) <= contender["p50"] <= contender["p95"]
            assert contender["peak_bytes"] > 0
            assert contender["over_baseline"]["ratio"] > 0 < contender["over_ours"]["ratio"]
        checked = {c["name"]: c["error"] for c in case["contenders"] if c["error"] is not None}
        assert {who.OURS, who.STATIC, who.NAIVE} <= set(checked)
        assert (who.HYPERNETWORK in checked) == (case["work"] == "training")
        assert (who.GENERATED in checked) == (case["work"] != "training")
        assert max(checked.values()) < 1e-3
        base = next(c for c in case["contenders"] if c["name"] == case["baseline"])
        assert base["over_baseline"]["ratio"] == 1


def test_the_machine_is_named(made: tuple[dict[str, Any], str, str]) -> None:
    machine = made[0]["machine"]
    assert machine["device"] == "cpu" and machine["cpu"] and machine["threads"] >= 1
    assert set(machine["versions"]) == {"torch", "transformers", "peft", "bitsandbytes"}
    assert machine["versions"]["torch"]


def test_table_and_terminal_end_with_the_targets(made: tuple[dict[str, Any], str, str]) -> None:
    results, text, shown = made
    assert len(results["targets"]) == 7
    assert text.count("- For information: training step with the hypernetwork") == 1
    assert text.count("- Target: ") == 6
    assert text.rstrip().splitlines()[-1].startswith("- Target: new persona")
    assert "float32: training, B 2, T 8, checkpointing" in shown
    assert shown.count("Target: ") == 6


def test_time_that_is_spent_leaves_cases_out_with_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "measure", lambda *args: pytest.fail("measured"))
    monkeypatch.setattr(persona, "new_persona", lambda device: PERSONA)
    clock = iter([0.0] * 3 + [1e9] * 20)
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    path = bench(QUIET, tmp_path, Steps(Console(file=StringIO())))
    assert path.read_text().count("the time (--seconds) is spent") == 4


@pytest.mark.parametrize("where", ["_load", "Stand"])
def test_a_model_that_does_not_fit_is_left_out_and_the_next_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    make, tried = getattr(command, where), list[None]()

    def first_is_too_large(*args: Any) -> Any:
        tried.append(None)
        if len(tried) == 1:
            raise torch.OutOfMemoryError("tried to allocate 13 GiB")
        return make(*args)

    def measure(stand: Any, case: Any, *args: Any) -> dict[str, Any]:
        raise KeyboardInterrupt  # far enough

    monkeypatch.setattr(command, where, first_is_too_large)
    monkeypatch.setattr(command, "measure", measure)
    plan = replace(QUIET, quantizations=("none", "nf4"))
    with pytest.raises(KeyboardInterrupt):
        bench(plan, tmp_path, Steps(Console(file=StringIO())))
    kept = json.loads((tmp_path / DATA).read_text())
    assert kept["left_out"] == ["none, float32: loading it ran out of memory"]
    assert len(tried) == 2 and kept["machine"]["device"] == "cpu"


def test_where_no_model_fits_the_table_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*args: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(command, "_load", too_large)
    monkeypatch.setattr(persona, "new_persona", lambda device: PERSONA)
    text = bench(QUIET, tmp_path, Steps(Console(file=StringIO()))).read_text()
    assert "- Left out: none, float32: loading it ran out of memory" in text
    assert text.count("measured: no case") == 6


def test_what_was_measured_is_kept_when_a_later_case_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One case is measured, one runs out of memory and the third is stopped by a person."""
    first: dict[str, Any] = {"work": "prefill", "round_seconds": 0.0}
    answers: Iterator[Any] = iter([first, MemoryError(), KeyboardInterrupt()])

    def measure(*args: Any) -> dict[str, Any]:
        found: dict[str, Any] | BaseException = next(answers)
        if isinstance(found, BaseException):
            raise found
        return found

    (tmp_path / TABLE).write_text("an earlier one")
    monkeypatch.setattr(command, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        bench(QUIET, tmp_path, Steps(Console(file=StringIO())))
    kept = json.loads((tmp_path / DATA).read_text())
    assert kept["cases"] == [first]
    assert kept["left_out"] == ["float32, decoding, B 2, T 8 ran out of memory"]
    assert [path.name for path in tmp_path.iterdir()] == [DATA]


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load_backbone", lambda *args: pytest.fail("loaded"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="--out expected a folder that can be written"):
        bench(QUIET, tmp_path / "file" / "bench")


def test_what_is_given_twice_is_measured_once() -> None:
    twice = replace(QUIET, batches=(8, 1, 8), tokens=(16, 16), dtypes=("auto", "auto"))
    plan, preset = command._checked(replace(twice, works=("decoding", "decoding")))
    assert (preset.batches, preset.tokens, plan.dtypes) == ((8, 1), (16,), ("auto",))
    assert preset.works == ("decoding",)
    assert command._checked(twice)[1].works == ("prefill", "decoding", "training")


def test_only_the_work_that_was_asked_for_is_measured(tmp_path: Path) -> None:
    command.bench(replace(QUIET, works=("decoding",)), tmp_path)
    results = json.loads((tmp_path / command.DATA).read_text())
    assert {case["work"] for case in results["cases"]} == {"decoding"}
    assert results["settings"]["works"] == ["decoding"]


def test_the_token_of_a_persona_is_one_samples_and_the_fastest() -> None:
    def case(work: str, batch: int, p50: float) -> dict[str, Any]:
        timed = [{"name": "frozen", "p50": p50}, {"name": "ours", "p50": 0.1}]
        found = {"work": work, "batch": batch, "new_tokens": 4, "contenders": timed}
        return {**found, "baseline": "frozen"}

    measured = [
        case("prefill", 1, 0.5),
        case("decoding", 8, 1.0),
        case("decoding", 1, 6.0),
        case("decoding", 1, 4.0),
    ]
    assert command._token(measured) == pytest.approx(1.0)
    assert command._token(measured[:2]) is None


PERSONA = {"model": "x", "p50": 1.0, "p95": 1.0, "token_seconds": 2.0, "token_measured": None}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": "gpt"}, "--model expected one of auto, smollm2, llama7b, tiny, got 'gpt'"),
        ({"dtypes": ("half",)}, "--dtype expected one of auto, bfloat16, float32, got 'half'"),
        ({"quantizations": ("int8",)}, "--quantization expected one of none, nf4, got 'int8'"),
        ({"works": ("chat",)}, "--work expected one of prefill, decoding, training, got 'chat'"),
        ({"batches": (0,)}, "--batch expected a number from 1 upwards, got 0"),
        ({"tokens": (1,)}, "--tokens expected a number from 2 upwards, got 1"),
        ({"repeats": 2}, "--repeats expected a number from 3 upwards, got 2"),
        ({"seconds": 0.0}, "--seconds expected a number from 1 upwards, got 0.0"),
        ({"seconds": float("inf")}, "--seconds expected a number from 1 upwards, got inf"),
        ({"seconds": float("nan")}, "--seconds expected a number from 1 upwards, got nan"),
        ({"device": "tpu"}, "--device expected one of auto, cpu, cuda, got 'tpu'"),
    ],
)
def test_what_is_not_known_or_not_positive_is_refused(
    changed: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as caught:
        bench(Plan(**{**vars(QUIET), **changed}), tmp_path)
    assert str(caught.value) == said
