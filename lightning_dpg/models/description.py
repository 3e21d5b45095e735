"""Character descriptions as vectors, encoded by the frozen backbone itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.lora import Site
from lightning_dpg.records import is_given

MAX_TOKENS = 160


class DescriptionEncoder:
    """Means over a description's tokens; each text is encoded once.

    Args:
        backbone: run as it is, so open no scope of adapters around a call.
        sites: layers of which input and answer are wanted too (see `imprint.Imprint`).
    """

    def __init__(self, backbone: Backbone, sites: Sequence[Site] = ()) -> None:
        self.backbone, self.sites = backbone, list(sites)
        self._known: dict[str, Tensor] = {}

    @property
    def width(self) -> int:
        """Width of the vectors: last hidden states, inputs of all sites, answers of all sites."""
        return self.backbone.hidden_size + sum(s.in_features + s.out_features for s in self.sites)

    @torch.no_grad()
    def __call__(self, descriptions: Sequence[str]) -> Tensor:
        """Vectors (len(descriptions), width) in float32; a row of zeros for an empty text."""
        for text in dict.fromkeys(descriptions):
            if text not in self._known:
                self._known[text] = self._encode(text).cpu()  # with sites, long: 2 MB at 7 B
        known = torch.stack([self._known[text] for text in descriptions])
        return known.to(self.backbone.device)

    def _encode(self, text: str) -> Tensor:
        if not is_given(text):
            return torch.zeros(self.width, device=self.backbone.device)
        tokens = self.backbone.tokenizer(
            text,
            return_tensors="pt",
            truncation=True,
            max_length=MAX_TOKENS,
            add_special_tokens=False,
        )
        with self._listening() as (inputs, answers):
            last = self.backbone.model.get_decoder()(
                input_ids=tokens["input_ids"].to(self.backbone.device), use_cache=False
            ).last_hidden_state
        said = [*(inputs[s.name] for s in self.sites), *(answers[s.name] for s in self.sites)]
        # The first token is where attention rests that is not needed: it stands for no word.
        words = [states[0, min(1, states.shape[1] - 1) :].float().mean(0) for states in said]
        return torch.cat([last[0].float().mean(0), *words])

    @contextmanager
    def _listening(self) -> Iterator[tuple[dict[str, Tensor], dict[str, Tensor]]]:
        """Inputs and outputs of the sites, by their names, as the backbone runs."""
        inputs: dict[str, Tensor] = {}
        answers: dict[str, Tensor] = {}

        def listen(name: str):  # type: ignore[no-untyped-def]
            def hook(module: Any, args: tuple[Tensor, ...], output: Tensor) -> None:
                del module
                inputs[name], answers[name] = args[0], output

            return hook

        modules = [self.backbone.model.get_submodule(site.name) for site in self.sites]
        handles = [
            module.register_forward_hook(listen(site.name))
            for site, module in zip(self.sites, modules, strict=True)
        ]
        try:
            yield inputs, answers
        finally:
            for handle in handles:
                handle.remove()
