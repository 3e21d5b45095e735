"""The local assessor: marker adjectives as the next word of a causal language model."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from lightning_dpg.assessment.base import count_words, too_short
from lightning_dpg.assessment.markers import AFTER, BEFORE, MARKERS, VERSION
from lightning_dpg.assessment.reference import Floats, Reference
from lightning_dpg.errors import UserError
from lightning_dpg.padding import pad_left
from lightning_dpg.progress import Advance
from lightning_dpg.records import TRAITS, Rating

MAX_TOKENS = 512
SMALLEST_POLE = 3
LEAST_LETTERS = 4
"""Of a marker that its first token must hold where it is not the whole word."""


class LocalAssessor:
    """Reads a personality off the adjectives that a language model finds likely.

    A passage stands, quoted, between words that ask for one word about its speaker. Each marker's
    log-probability is standardised against norms from a reference corpus; a trait's reading is the
    mean of its high pole's markers minus that of its low pole's. One forward pass a passage.

    A person's passages are read apart, their readings made uncorrelated (`decorrelation`) and
    averaged. Read so, eight speeches of a character of the bundled corpus (312 sets) tell the
    authors' poles apart with an AUC of .89 .91 .92 .95 .90 (O C E A N), of which
    some is choice: the markers were picked there.

    Args:
        model: a causal language model that caches keys and values, run as it is (open no scope of
            adapters around `rate`).
        tokenizer: its tokenizer, padding on the left.
        name: the model's identity.
        min_words: people who said less are insufficient evidence.
        batch_size: passages a forward pass.
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
        self._read: dict[str, Floats] = {}

    @property
    def identity(self) -> str:
        """Name and version of the instrument."""
        return f"local/{VERSION}/{self.name}/min_words={self.min_words}"

    def fit(self, persons: Sequence[Sequence[str]], advance: Advance | None = None) -> Reference:
        """Take norms from what people of a corpus said; returns and keeps them."""
        passages = [passage for person in persons for passage in person]
        people = [str(i) for i, person in enumerate(persons) for _ in person]
        return self.set_norms(passages, people, self.logprobs(passages, advance))

    def set_norms(
        self, passages: Sequence[str], people: Sequence[str], logprobs: Floats
    ) -> Reference:
        """`fit` with the log-probabilities that `logprobs` gave for these passages."""
        words = [count_words(passage) for passage in passages]
        self.reference = Reference.fit(logprobs, words, people, self.contrast)
        return self.reference

    def rate(
        self,
        persons: Sequence[Sequence[str]],
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
        read: int | None = None,
    ) -> list[Rating]:
        """One rating for each person: passages are read one by one, and their readings averaged.

        `contexts` is not read.
        """
        del contexts
        spoken = [[passage for passage in person if count_words(passage)] for person in persons]
        passages = [passage for person in spoken for passage in person]
        readings = iter(self.readings(passages, self.logprobs(passages, advance)))
        return [self.rating(person, [next(readings) for _ in person], read) for person in spoken]

    def readings(self, passages: Sequence[str], logprobs: Floats) -> Floats:
        """Standardised readings (passages, traits) from what `logprobs` gave for these passages."""
        if self.reference is None:
            raise RuntimeError("The local assessor has no norms yet: call fit with a corpus first")
        return self.reference.readings(logprobs, [count_words(passage) for passage in passages])

    def rating(
        self, passages: Sequence[str], readings: Sequence[Floats], read: int | None = None
    ) -> Rating:
        """The rating of one person from the readings of its passages."""
        if (unscored := too_short(passages, self.min_words)) is not None:
            return unscored
        assert self.reference is not None
        return Rating(tuple(float(x) for x in self.reference.score(np.stack(readings), read)))

    def logprobs(self, texts: Sequence[str], advance: Advance | None = None) -> Floats:
        """Log-probability of each marker after each text, (texts, markers).

        A text is read once: halves of what a persona said have been read with the whole.
        """
        new = list(dict.fromkeys(text for text in texts if text not in self._read))
        if advance and len(new) < len(texts):
            advance(len(texts) - len(new))
        self._read |= zip(new, self._logprobs(new, advance), strict=True)
        return np.array([self._read[text] for text in texts]).reshape(-1, len(self.tokens))

    @torch.inference_mode()
    def _logprobs(self, texts: Sequence[str], advance: Advance | None) -> Floats:
        """The words before a text go through the model once for all texts.

        Texts of like length share a batch; only the last position goes through the output layer.
        """
        if not texts:
            return np.zeros((0, len(self.tokens)))
        bos = [] if self.tokenizer.bos_token_id is None else [self.tokenizer.bos_token_id]
        head = bos + self.tokenizer(BEFORE, add_special_tokens=False)["input_ids"]
        tail = self.tokenizer(AFTER, add_special_tokens=False)["input_ids"]
        room = MAX_TOKENS - len(tail) - len(head)
        encoded = [
            self.tokenizer(text, add_special_tokens=False)["input_ids"][-room:] + tail
            for text in texts
        ]
        opening = self._opening(head)
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i]))
        result = np.zeros((len(texts), len(self.tokens)))
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            result[chosen] = self._last_logprobs([encoded[i] for i in chosen], opening)
            if advance:
                advance(len(chosen))
        return result

    def _opening(self, head: list[int]) -> Any:
        """Keys and values of the words before every text."""
        ids = torch.tensor([head], device=self.model.device)
        return self.model(input_ids=ids, logits_to_keep=1, use_cache=True).cache

    def _last_logprobs(self, rows: list[list[int]], opening: Any) -> Floats:
        device = self.model.device
        ids, mask = pad_left(rows, self.tokenizer.pad_token_id, device)
        cache = copy.deepcopy(opening)  # a forward pass writes into it
        cache.batch_repeat_interleave(len(rows))
        mask = torch.cat([mask.new_ones(len(rows), cache.get_seq_length()), mask], dim=1)
        positions = (mask.cumsum(-1) - 1)[:, -ids.shape[1] :]
        logits = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            cache=cache,
            logits_to_keep=1,
        ).logits[:, -1]
        chosen = torch.tensor(self.tokens, device=device)
        values: Floats = logits.float().log_softmax(-1)[:, chosen].double().cpu().numpy()
        return values


def _stands_for(token: str, word: str) -> bool:
    """Whether the first token of a word tells it from most others: `forget` does, `cl` does not."""
    return token == word or (len(token) >= LEAST_LETTERS and word.startswith(token))


def _readable_markers(tokenizer: Any, name: str) -> tuple[list[int], Floats]:
    """First tokens of the markers that stand for no other word, and the contrast between poles."""
    first: dict[tuple[int, int, str], int] = {}
    for trait, poles in enumerate(MARKERS.values()):
        for pole, words in enumerate(poles):
            for word in words:
                token = tokenizer(" " + word, add_special_tokens=False)["input_ids"][0]
                if _stands_for(tokenizer.decode([token]).strip(), word):
                    first[trait, pole, word] = token
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
