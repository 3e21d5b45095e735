"""The arithmetic of the floor: operations and bytes that adapters add to a frozen model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lightning_dpg.models.lora import PROJECTIONS, Site

NF4 = 0.5 + 1 / 64 + 4 / (64 * 256)
"""Bytes a weight: 4 bits, a byte of scale for 64 of them, a float32 for 256 scales (Dettmers et al.
2023, QLoRA, section 3)."""
ITEM = {"bfloat16": 2, "float32": 4}
"""Bytes a number."""


@dataclass(frozen=True)
class Shapes:
    """What of a decoder of Llama's kind decides its costs.

    Attributes:
        name: for tables.
        hidden: width of the hidden states, which is also that of all query heads together.
        intermediate: width inside the feed-forward network.
        layers: decoder layers.
        heads: attention heads.
        key_heads: heads of keys and values, a divisor of `heads`.
        vocabulary: number of tokens.
        tied: whether the output layer is the embedding.
    """

    name: str
    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_heads: int
    vocabulary: int
    tied: bool = False

    @classmethod
    def of(cls, config: Any, name: str) -> Shapes:
        """The shapes that a transformers configuration gives."""
        return cls(
            name,
            config.hidden_size,
            config.intermediate_size,
            config.num_hidden_layers,
            config.num_attention_heads,
            config.num_key_value_heads,
            config.vocab_size,
            config.tie_word_embeddings,
        )

    @property
    def keys(self) -> int:
        """Width of all key heads together, and of all value heads."""
        return self.hidden // self.heads * self.key_heads

    @property
    def layer_weights(self) -> int:
        """Weights of a layer's seven matrices."""
        attention = 2 * self.hidden * (self.hidden + self.keys)
        return attention + 3 * self.hidden * self.intermediate

    @property
    def embedding_weights(self) -> int:
        """Weights of embedding and output layer, which are not quantised."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    def sites(self, projections: Sequence[str], first_layer: int = 0) -> list[Site]:
        """What `find_sites` finds in such a model."""
        widths = {"q": self.hidden, "k": self.keys, "v": self.keys, "o": self.hidden}
        return [
            Site(f"model.layers.{layer}.self_attn.{PROJECTIONS[p]}", self.hidden, widths[p])
            for layer in range(first_layer, self.layers)
            for p in sorted(projections)
        ]


LLAMA_7B = Shapes("Llama-7B", 4096, 11008, 32, 32, 32, 32000)
SMOLLM2 = Shapes("SmolLM2-135M", 576, 1536, 30, 9, 3, 49152, tied=True)


@dataclass(frozen=True)
class Cost:
    """What the frozen model costs, and what adapters add to it.

    Attributes:
        frozen: operations, or bytes.
        adapters: the same unit.
    """

    frozen: float
    adapters: float

    @property
    def ratio(self) -> float:
        """The adapted model over the frozen one, where nothing else costs time."""
        return 1 + self.adapters / self.frozen


def adapter_weights(sites: Sequence[Site], rank: int) -> int:
    """Numbers in A and B of all sites for one persona."""
    return rank * sum(site.in_features + site.out_features for site in sites)


def forward_operations(
    shapes: Shapes, sites: Sequence[Site], rank: int, batch: int, tokens: int, logits: int = 1
) -> Cost:
    """Operations of a forward pass, a multiplication and an addition being two.

    Args:
        shapes: of the frozen model.
        sites: where adapters are.
        rank: r.
        batch: B.
        tokens: T of each sample, under a causal mask.
        logits: positions of each sample that pass through the output layer.
    """
    attention = 2 * shapes.hidden * tokens  # two products with half of all keys on average
    layers = shapes.layers * (2 * shapes.layer_weights + attention)
    output = 2 * shapes.vocabulary * shapes.hidden * logits
    return Cost(
        batch * (tokens * layers + output),
        batch * tokens * 2 * adapter_weights(sites, rank),
    )


def training_operations(
    shapes: Shapes,
    sites: Sequence[Site],
    rank: int,
    batch: int,
    tokens: int,
    checkpointing: bool = False,
) -> Cost:
    """Operations of a step's forward and backward pass; the loss is on half of the tokens.

    Frozen weights need no gradient of their own: a backward pass through them costs as much as the
    forward pass, attention twice as much. It ends at the lowest site. Recomputation repeats the
    forward pass of the layers that it reaches.
    """
    once = forward_operations(shapes, sites, rank, batch, tokens, tokens // 2)
    reached = shapes.layers - min(site.layer for site in sites)
    matrices = 2 * shapes.layer_weights * tokens
    attention = 2 * shapes.hidden * tokens * tokens
    output = 2 * shapes.vocabulary * shapes.hidden * (tokens // 2)
    backward = batch * (reached * (matrices + 2 * attention) + output)
    again = batch * reached * (matrices + attention) if checkpointing else 0
    return Cost(once.frozen + backward + again, once.adapters * (4 if checkpointing else 3))


def decoding_bytes(
    shapes: Shapes,
    sites: Sequence[Site],
    rank: int,
    batch: int,
    tokens: int,
    dtype: str,
    quantization: str,
    shared: bool = False,
) -> Cost:
    """Bytes read for one new token of each sample: at small batches they, not operations, decide.

    Args:
        shapes: of the frozen model.
        sites: where adapters are.
        rank: r.
        batch: B, each with a persona of its own.
        tokens: in the cache of each sample.
        dtype: `bfloat16` or `float32`, of all that is not quantised.
        quantization: `nf4` or `none`.
        shared: whether all personas have one A, as those of a hypernetwork do.
    """
    item = ITEM[dtype]
    weights = shapes.layers * shapes.layer_weights * weight_bytes(dtype, quantization)
    output = shapes.vocabulary * shapes.hidden * item
    cache = batch * tokens * cache_bytes(shapes, dtype)
    down, up = (rank * sum(getattr(s, f"{end}_features") for s in sites) for end in ("in", "out"))
    return Cost(
        weights + output + cache,
        item * ((1 if shared else batch) * down + batch * up),
    )


def weight_bytes(dtype: str, quantization: str) -> float:
    """Bytes of one weight of a decoder layer."""
    return NF4 if quantization == "nf4" else ITEM[dtype]


def cache_bytes(shapes: Shapes, dtype: str) -> int:
    """Bytes of keys and values that one token leaves in the cache."""
    return 2 * shapes.layers * shapes.keys * ITEM[dtype]


def model_bytes(shapes: Shapes, dtype: str, quantization: str) -> float:
    """Bytes of all weights."""
    layers = shapes.layers * shapes.layer_weights * weight_bytes(dtype, quantization)
    return layers + shapes.embedding_weights * ITEM[dtype]
