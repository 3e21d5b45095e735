"""One reply, token by token, the same as the evaluation would generate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.generation.streamers import BaseStreamer

from lightning_dpg.config import EvaluationConfig
from lightning_dpg.evaluation.replies import Brief, Request, prompt_ids
from lightning_dpg.evaluation.sampling import decoding
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected
from lightning_dpg.models.lora import Adapters
from lightning_dpg.padding import pad_left

UNFINISHED = "\ufffd"
"""What a tokenizer decodes part of a character to, such as the first byte of a Chinese one."""

Listen = Callable[[str], None]
"""Told each piece of a reply as soon as it is known."""


@dataclass(frozen=True)
class Reply:
    """What was answered.

    Attributes:
        text: on one line, the pieces put together; empty when nothing was said.
        stopped: whether Ctrl-C ended it.
    """

    text: str
    stopped: bool = False


@torch.inference_mode()
def stream_reply(
    backbone: Backbone,
    request: Request,
    config: EvaluationConfig,
    *,
    brief: Brief,
    adapters: Adapters | None,
    max_prompt_tokens: int,
    seed: int,
    listen: Listen,
) -> Reply:
    """The reply that `generate_replies` gives for the same request alone, told piece by piece.

    The pieces go to a function and are not yielded: a generator that nobody reads to its end would
    leave the adapters in the model.

    Args:
        backbone: frozen model, with hooks installed where there are adapters.
        request: what to answer.
        config: decoding.
        brief: what the prompt tells of who is to answer.
        adapters: of who is to answer, a batch of 1; None for the frozen model.
        max_prompt_tokens: bound on the turns before the reply.
        seed: of the sampling; the caller's random state is left as it was.
        listen: told each piece. Ctrl-C (KeyboardInterrupt), wherever it comes, ends the reply.

    Raises:
        UserError: adapters so strong that the model computes no numbers.
    """
    tokenizer, model = backbone.tokenizer, _generating(backbone)
    prompt = prompt_ids(tokenizer, request, brief, max_prompt_tokens)
    ids, mask = pad_left([prompt], int(tokenizer.pad_token_id), backbone.device)
    options = decoding(config) | {"pad_token_id": tokenizer.pad_token_id}
    pieces, stopped = Pieces(tokenizer, listen), False
    devices = [backbone.device] if backbone.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        try:
            with injected(backbone.model, adapters):
                model.generate(input_ids=ids, attention_mask=mask, streamer=pieces, **options)
        except KeyboardInterrupt:
            stopped = True
    return Reply(pieces.told if stopped else pieces.text, stopped)


def _generating(backbone: Backbone) -> Any:
    """The model: the stubs of transformers do not take `generate` for a method."""
    return backbone.model


class Pieces(BaseStreamer):
    """Turns tokens into pieces of text that no later token changes.

    Whitespace is single spaces, as in replies of the evaluation. A space waits for the word after
    it, and part of a character for the rest.

    Args:
        tokenizer: of the model.
        listen: told each piece.

    Attributes:
        told: the pieces so far.
    """

    def __init__(self, tokenizer: Any, listen: Listen) -> None:
        self._tokenizer, self._listen = tokenizer, listen
        self._tokens: list[int] = []
        self.told = ""
        self._asked = False

    def put(self, value: Tensor) -> None:
        """Take what `generate` hands over: the prompt, (1, tokens), then each token, (1,)."""
        if not self._asked:
            self._asked = True
            return
        self._tokens += value.flatten().tolist()
        self._tell(self.text.rstrip(UNFINISHED).rstrip())

    def end(self) -> None:
        """Tell what still waits: `generate` is done."""
        self._tell(self.text)

    @property
    def text(self) -> str:
        """All that was generated."""
        text: str = self._tokenizer.decode(self._tokens, skip_special_tokens=True)
        return " ".join(text.split())

    def _tell(self, text: str) -> None:
        # A tokenizer that tidies spaces may take back a part: wait until it says more than that.
        if len(text) > len(self.told) and text.startswith(self.told):
            piece, self.told = text[len(self.told) :], text
            self._listen(piece)
