"""Batches of encoded samples: padded, masked, with labels on the replies alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import torch
from torch import Tensor

from lightning_dpg.config import DataConfig
from lightning_dpg.data.prompts import encode_prompt, encode_reply
from lightning_dpg.data.samples import Sample

IGNORED = -100


class Batch(TypedDict):
    """What the module trains on. B samples padded on the right to T tokens.

    input_ids: (B, T) prompt and reply.
    attention_mask: (B, T) 1 on tokens, 0 on padding.
    labels: (B, T) the token itself on the reply, -100 on prompt and padding.
    profiles: (B, 5) scores in [-5, 5].
    descriptions: B texts, empty where there is none.
    samples: the B samples behind the tensors.
    """

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor
    profiles: Tensor
    descriptions: list[str]
    samples: list[Sample]


def pad_rows(
    rows: Sequence[tuple[list[int], list[int]]], pad: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Prompts and replies side by side, padded on the right with `pad`.

    Returns:
        Ids, mask (1 on tokens) and labels (-100 outside replies), each (rows, tokens).
    """
    shape = (len(rows), max(len(prompt) + len(reply) for prompt, reply in rows))
    ids = torch.full(shape, pad)
    mask, labels = torch.zeros(shape, dtype=torch.long), torch.full(shape, IGNORED)
    for i, (prompt, reply) in enumerate(rows):
        start, end = len(prompt), len(prompt) + len(reply)
        ids[i, :end] = torch.tensor(prompt + reply)
        mask[i, :end] = 1
        labels[i, start:end] = torch.tensor(reply)
    return ids, mask, labels


@dataclass(frozen=True)
class Collate:
    """Encodes samples into a batch.

    Attributes:
        tokenizer: of the backbone.
        config: bounds on tokens.
        scores_in_prompt: whether prompts state the profile, as for LoRA-SFT.
    """

    tokenizer: Any
    config: DataConfig
    scores_in_prompt: bool = False

    def __call__(self, samples: Sequence[Sample]) -> Batch:
        """A batch from samples, each with its own profile."""
        return self.encode(samples, [sample.profile.scores for sample in samples])

    def encode(self, samples: Sequence[Sample], profiles: Sequence[Sequence[float]]) -> Batch:
        """A batch from samples with the given profiles in place of their own."""
        rows = [self._row(s, p) for s, p in zip(samples, profiles, strict=True)]
        ids, mask, labels = pad_rows(rows, int(self.tokenizer.pad_token_id))
        return Batch(
            input_ids=ids,
            attention_mask=mask,
            labels=labels,
            profiles=torch.tensor([list(p) for p in profiles], dtype=torch.float32),
            descriptions=[sample.description for sample in samples],
            samples=list(samples),
        )

    def _row(self, sample: Sample, profile: Sequence[float]) -> tuple[list[int], list[int]]:
        prompt = encode_prompt(
            self.tokenizer,
            sample.context,
            sample.language,
            profile if self.scores_in_prompt else None,
            self.config.max_prompt_tokens,
        )
        return prompt, encode_reply(self.tokenizer, sample.reply, self.config.max_reply_tokens)
