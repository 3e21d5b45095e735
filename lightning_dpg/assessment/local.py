"""The local assessor: marker adjectives as the next word of a causal language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from lightning_dpg.assessment.base import count_words
from lightning_dpg.assessment.markers import MARKERS, QUESTION, VERSION
from lightning_dpg.assessment.reference import Floats, Reference
from lightning_dpg.errors import UserError
from lightning_dpg.padding import pad_left
from lightning_dpg.progress import Advance
from lightning_dpg.records import TRAITS, Rating

MAX_TOKENS = 512
SMALLEST_POLE = 3


class LocalAssessor:
    """Reads a personality off the adjectives that a language model finds likely.

    The text is followed by a sentence that asks for one word about its speaker. Each marker's
    log-probability is standardised against norms from a reference corpus; a trait's score is the
    mean of its high pole's markers minus that of its low pole's. One forward pass a text.

    Args:
        model: any causal language model, run as it is (open no scope of adapters around `rate`).
        tokenizer: its tokenizer, padding on the left.
        name: the model's identity.
        min_words: shorter texts are insufficient evidence.
        batch_size: texts a forward pass.
        reference: norms, or None until `fit`.

    Raises:
        UserError: a tokenizer that cannot tell enough of the markers apart by their first token.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        name: str,
        *,
        min_words: int = 25,
        batch_size: int = 32,
        reference: Reference | None = None,
    ) -> None:
        self.model, self.tokenizer, self.name = model, tokenizer, name
        self.min_words, self.batch_size, self.reference = min_words, batch_size, reference
        self.tokens, self.contrast = _readable_markers(tokenizer, name)

    @property
    def identity(self) -> str:
        """Name and version of the instrument."""
        return f"local/{VERSION}/{self.name}/min_words={self.min_words}"

    def fit(self, texts: Sequence[str], advance: Advance | None = None) -> Reference:
        """Take norms from a corpus of texts of different lengths; returns and keeps them."""
        return self.set_norms(texts, self.logprobs(texts, advance))

    def set_norms(self, texts: Sequence[str], logprobs: Floats) -> Reference:
        """`fit` with the log-probabilities that `logprobs` gave for these texts."""
        words = [count_words(text) for text in texts]
        self.reference = Reference.fit(logprobs, words, self.contrast)
        return self.reference

    def rate(
        self,
        texts: Sequence[str],
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
    ) -> list[Rating]:
        """One rating for each text; `contexts` is not read."""
        del contexts
        return self.rate_logprobs(texts, self.logprobs(texts, advance))

    def rate_logprobs(self, texts: Sequence[str], logprobs: Floats) -> list[Rating]:
        """Ratings from log-probabilities (texts, markers) that `logprobs` gave for these texts."""
        if self.reference is None:
            raise RuntimeError("The local assessor has no norms yet: call fit with a corpus first")
        words = [count_words(text) for text in texts]
        scores = self.reference.scores(logprobs, words)
        return [
            Rating(tuple(float(score) for score in row))
            if count >= self.min_words
            else Rating.unscored(
                f"insufficient evidence: {count} words, {self.min_words} are needed"
            )
            for row, count in zip(scores, words, strict=True)
        ]

    @torch.inference_mode()
    def logprobs(self, texts: Sequence[str], advance: Advance | None = None) -> Floats:
        """Log-probability of each marker after each text, (texts, markers).

        Texts of like length share a batch; only the last position goes through the output layer.
        """
        tail = self.tokenizer(QUESTION, add_special_tokens=False)["input_ids"]
        head = [] if self.tokenizer.bos_token_id is None else [self.tokenizer.bos_token_id]
        room = MAX_TOKENS - len(tail) - len(head)
        encoded = [
            head + self.tokenizer(text, add_special_tokens=False)["input_ids"][-room:] + tail
            for text in texts
        ]
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i]))
        result = np.zeros((len(texts), len(self.tokens)))
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            result[chosen] = self._last_logprobs([encoded[i] for i in chosen])
            if advance:
                advance(len(chosen))
        return result

    def _last_logprobs(self, rows: list[list[int]]) -> Floats:
        device = self.model.device
        ids, mask = pad_left(rows, self.tokenizer.pad_token_id, device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        logits = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            logits_to_keep=1,
            use_cache=False,
        ).logits[:, -1]
        chosen = torch.tensor(self.tokens, device=device)
        values: Floats = logits.float().log_softmax(-1)[:, chosen].double().cpu().numpy()
        return values


def _readable_markers(tokenizer: Any, name: str) -> tuple[list[int], Floats]:
    """First tokens of the markers that no other marker shares, and the contrast between poles."""
    first: dict[tuple[int, int, str], int] = {}
    for trait, poles in enumerate(MARKERS.values()):
        for pole, words in enumerate(poles):
            for word in words:
                ids = tokenizer(" " + word, add_special_tokens=False)["input_ids"]
                first[trait, pole, word] = ids[0]
    tokens = list(first.values())
    readable = {key: token for key, token in first.items() if tokens.count(token) == 1}
    contrast = np.zeros((len(TRAITS), len(readable)))
    for column, (trait, pole, _) in enumerate(readable):
        size = sum(key[:2] == (trait, pole) for key in readable)
        contrast[trait, column] = (1.0 if pole == 0 else -1.0) / size
    for trait, trait_name in enumerate(TRAITS):
        for sign, pole_name in ((1, "high"), (-1, "low")):
            count = int((np.sign(contrast[trait]) == sign).sum())
            if count < SMALLEST_POLE:
                raise UserError(
                    f"The tokenizer of {name} tells only {count} markers of the {pole_name} "
                    f"pole of {trait_name} apart by their first token, {SMALLEST_POLE} are needed: "
                    "choose another model as assessor (assessor.labels.kind, assessor.judge.kind)"
                )
    return list(readable.values()), contrast
