"""Character descriptions as vectors, encoded by the frozen backbone itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lightning_dpg.models.backbone import Backbone

MAX_TOKENS = 160


class DescriptionEncoder:
    """Mean of the backbone's last hidden states over a description; each text is encoded once.

    Args:
        backbone: run as it is, so open no scope of adapters around a call.
    """

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self._known: dict[str, Tensor] = {}

    @torch.no_grad()
    def __call__(self, descriptions: Sequence[str]) -> Tensor:
        """Vectors (len(descriptions), hidden) in float32; a row of zeros for an empty text."""
        for text in dict.fromkeys(descriptions):
            if text not in self._known:
                self._known[text] = self._encode(text)
        return torch.stack([self._known[text] for text in descriptions])

    def _encode(self, text: str) -> Tensor:
        if not text.strip():
            return torch.zeros(self.backbone.hidden_size, device=self.backbone.device)
        tokens = self.backbone.tokenizer(
            text,
            return_tensors="pt",
            truncation=True,
            max_length=MAX_TOKENS,
            add_special_tokens=False,
        )
        hidden = self.backbone.model.get_decoder()(
            input_ids=tokens["input_ids"].to(self.backbone.device), use_cache=False
        ).last_hidden_state[0]
        mean: Tensor = hidden.float().mean(0)
        return mean
