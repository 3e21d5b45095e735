"""Memory by arithmetic: what a step of training or decoding needs, part by part."""

from __future__ import annotations

from collections.abc import Sequence

from lightning_dpg.bench.floor import ITEM, Shapes, adapter_weights, cache_bytes, model_bytes
from lightning_dpg.models.lora import Site

OPTIMISER = 16
"""Bytes a trained parameter in float32: itself, its gradient and AdamW's two moments."""
LOGITS_AT_A_TIME = 128
"""Tokens whose logits the fused loss holds (`likelihood.CHUNK`)."""


def training_memory(
    shapes: Shapes,
    sites: Sequence[Site],
    rank: int,
    batch: int,
    tokens: int,
    *,
    checkpointing: bool,
    dtype: str,
    quantization: str,
    trained: int,
) -> dict[str, float]:
    """Bytes at the height of a step of DPG, by what they are for.

    Args:
        shapes: of the frozen model.
        sites: where adapters are.
        rank: r.
        batch: B; a contrast of two profiles runs the layers from the first site on as 2 B.
        tokens: T.
        checkpointing: whether layers are computed again in the backward pass.
        dtype: what is computed in.
        quantization: `nf4` or `none`.
        trained: parameters of the hypernetwork.
    """
    return {
        "weights": model_bytes(shapes, dtype, quantization),
        "activations": batch * tokens * activation_bytes(shapes, sites, checkpointing, dtype),
        "adapters": batch * generated_bytes(sites, rank, dtype),
        "optimiser": float(OPTIMISER * trained),
        "workspace": workspace_bytes(shapes, batch, tokens, dtype, quantization),
    }


def activation_bytes(
    shapes: Shapes, sites: Sequence[Site], checkpointing: bool, dtype: str
) -> float:
    """Bytes that one token leaves for the backward pass, in the layers from the lowest site on."""
    reached = shapes.layers - min(site.layer for site in sites)
    if checkpointing:  # the input of each layer
        return reached * shapes.hidden * ITEM[dtype]
    return reached * layer_activation_bytes(shapes, dtype)


def layer_activation_bytes(shapes: Shapes, dtype: str) -> float:
    """Bytes that one token leaves in one layer.

    Frozen matrices keep no input. There remain two norms, which compute in float32; the input of
    the sites; queries, keys, values and answers of attention; and gate, gated and other half of
    the feed-forward network.
    """
    norms = 2 * 4 * shapes.hidden
    attention = shapes.hidden + 2 * shapes.hidden + 2 * shapes.keys
    return norms + ITEM[dtype] * (attention + 3 * shapes.intermediate)


def generated_bytes(sites: Sequence[Site], rank: int, dtype: str) -> float:
    """Bytes of one persona's B, which is generated in float32 and cast, and of their gradients."""
    return 2 * (4 + ITEM[dtype]) * rank * sum(site.out_features for site in sites)


def workspace_bytes(
    shapes: Shapes, batch: int, tokens: int, dtype: str, quantization: str
) -> float:
    """Bytes that come and go: one layer's pass, a dequantised matrix, a chunk of logits."""
    layer = batch * tokens * layer_activation_bytes(shapes, dtype)
    matrix = shapes.hidden * shapes.intermediate * ITEM[dtype] if quantization == "nf4" else 0
    return layer + matrix + 2 * 4 * LOGITS_AT_A_TIME * shapes.vocabulary


def forward_memory(shapes: Shapes, batch: int, tokens: int, dtype: str, quantization: str) -> float:
    """Bytes of a forward pass without gradients, beside the weights."""
    logits = batch * shapes.vocabulary * ITEM[dtype]
    return logits + workspace_bytes(shapes, batch, tokens, dtype, quantization)


def decoding_memory(shapes: Shapes, batch: int, tokens: int, dtype: str) -> float:
    """Bytes of a cache, one more layer of it while it grows, and the pass that filled it."""
    cache = batch * tokens * cache_bytes(shapes, dtype)
    return cache * (1 + 2 / shapes.layers) + batch * tokens * layer_activation_bytes(shapes, dtype)


def adapter_bytes(sites: Sequence[Site], rank: int, batch: int, dtype: str) -> int:
    """Bytes of A and B of all sites, one of each for a sample."""
    return batch * adapter_weights(sites, rank) * ITEM[dtype]


def repeated_bytes(
    sites: Sequence[Site], rank: int, batch: int, tokens: int, dtype: str, kept: bool = True
) -> int:
    """Bytes of A and B repeated for every token.

    Args:
        sites: where adapters are.
        rank: r.
        batch: B.
        tokens: T.
        dtype: of A and B.
        kept: whether all sites keep theirs for a backward pass; otherwise those of the largest.
    """
    if kept:
        return tokens * adapter_bytes(sites, rank, batch, dtype)
    return max(tokens * adapter_bytes([site], rank, batch, dtype) for site in sites)
