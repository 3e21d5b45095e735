"""The tables of docs/performance.md that need no machine.

    python -m lightning_dpg.bench.arithmetic

prints them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from lightning_dpg.bench import budget, floor
from lightning_dpg.bench.floor import LLAMA_7B, SMOLLM2
from lightning_dpg.bench.persona import RANK, trained_parameters

MODELS = ((SMOLLM2, 14), (LLAMA_7B, 0))
"""A model, and the first layer that has sites in its experiment."""
PROJECTIONS = ["q", "v"]
BATCH, TOKENS = 8, 512


def operations_table() -> str:
    """Operations of a forward pass and a training step, adapters and frozen model."""
    lines = []
    for shapes, first in MODELS:
        sites = shapes.sites(PROJECTIONS, first)
        works = {
            "prefill": floor.forward_operations(shapes, sites, RANK, BATCH, TOKENS),
            "training": floor.training_operations(shapes, sites, RANK, BATCH, TOKENS),
            "training, checkpointing": floor.training_operations(
                shapes, sites, RANK, BATCH, TOKENS, True
            ),
        }
        for work, cost in works.items():
            numbers = [f"{cost.frozen / 1e12:.2f}", f"{cost.adapters / 1e12:.4f}"]
            lines.append([shapes.name, work, *numbers, f"{cost.ratio:.4f}"])
    head = ["model", "work", "frozen, TFLOP", "adapters, TFLOP", "ratio"]
    return _table(head, lines, text=2)


def decoding_table() -> str:
    """Bytes read for a token of each sample, adapters and frozen model."""
    lines = []
    for shapes, first in MODELS:
        sites = shapes.sites(PROJECTIONS, first)
        for quantization in ("none", "nf4"):
            for batch in (1, 8, 32):
                own, shared = (
                    floor.decoding_bytes(
                        shapes, sites, RANK, batch, TOKENS, "bfloat16", quantization, one
                    )
                    for one in (False, True)
                )
                name = "bfloat16" if quantization == "none" else "NF4"
                numbers = [_mib(own.frozen), _mib(own.adapters), f"{own.ratio:.3f}"]
                lines.append([shapes.name, name, str(batch), *numbers, f"{shared.ratio:.3f}"])
    head = [
        "model",
        "weights",
        "B",
        "frozen, MiB",
        "adapters, MiB",
        "ratio",
        "ratio, one A for all",
    ]
    return _table(head, lines, text=2)


def memory_table() -> str:
    """What a step of DPG at Llama-7B needs, by part."""
    sites = LLAMA_7B.sites(PROJECTIONS)
    trained, lines = trained_parameters(LLAMA_7B), []
    for checkpointing in (False, True):
        for batch in (1, 8, 16):
            need = budget.training_memory(
                LLAMA_7B,
                sites,
                RANK,
                batch,
                TOKENS,
                checkpointing=checkpointing,
                dtype="bfloat16",
                quantization="nf4",
                trained=trained,
            )
            row = [str(batch), "on" if checkpointing else "off"]
            lines.append([*row, *map(_gib, need.values()), _gib(sum(need.values()))])
    head = ["B", "checkpointing", "weights", "activations", "adapters", "optimiser", "workspace"]
    return _table([*head, "sum, GiB"], lines, text=2)


def cache_table() -> str:
    """What decoding at Llama-7B needs: weights, cache and adapters."""
    sites, lines = LLAMA_7B.sites(PROJECTIONS), []
    for batch in (1, 8, 16):
        parts = [
            floor.model_bytes(LLAMA_7B, "bfloat16", "nf4"),
            batch * TOKENS * floor.cache_bytes(LLAMA_7B, "bfloat16"),
            budget.adapter_bytes(sites, RANK, batch, "bfloat16"),
            budget.repeated_bytes(sites, RANK, batch, TOKENS, "bfloat16"),
        ]
        lines.append([str(batch), *map(_gib, parts)])
    head = ["B", "weights", "cache", "A and B, one a sample", "A and B, repeated for each token"]
    return _table(head, lines, text=1)


def tables() -> dict[str, str]:
    """All of them, by name."""
    return {
        "operations": operations_table(),
        "decoding": decoding_table(),
        "memory": memory_table(),
        "cache": cache_table(),
    }


def _table(head: Sequence[str], lines: Sequence[Sequence[str]], text: int) -> str:
    """Markdown; the first `text` columns to the left, numbers to the right."""
    rule = ["---"] * text + ["---:"] * (len(head) - text)
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *lines])


def _gib(size: float) -> str:
    return f"{size / 2**30:.2f}"


def _mib(size: float) -> str:
    return f"{size / 2**20:,.1f}"


if __name__ == "__main__":
    print("\n\n".join(tables().values()))
