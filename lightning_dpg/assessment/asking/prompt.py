"""A question to a language model, what comes back, and what was read from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Messages = tuple[tuple[str, str], ...]
"""((role, content), ...), where a role is `system`, `user` or `assistant`."""


def well_formed(text: str) -> str:
    """A text that UTF-8 can hold: half a character, as a cut JSON escape leaves one, is replaced.

    Two halves in a row make one character.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Unreadable(ValueError):
    """An answer that is not what was asked for; says what is wrong so that a model can mend it."""


@dataclass(frozen=True)
class Prompt:
    """One question.

    Attributes:
        messages: what is sent.
        schema: JSON schema of the answer, sent where the model takes one; None for a plain text,
            of which all is taken: what is cut, refused or empty is an answer, too.
        name: of the schema, such as `big_five_rating`.
        version: of the wording, such as `knowledge-en-1`.
        read: from the answer's text to a value that JSON can hold; raises `Unreadable`.
        sample: repeats of a like question differ in this.
    """

    messages: Messages
    schema: dict[str, Any] | None
    name: str
    version: str
    read: Callable[[str], dict[str, Any]] = field(compare=False)
    sample: int = 0

    def key(self, model: str, temperature: float, max_tokens: int) -> str:
        """What the answer is stored under: a hash of all that may change it.

        Where the server is does not count: the same model may move. Nor does `read`, whose rules
        are part of `version`.
        """
        parts = [self.messages, self.schema, self.version, self.sample]
        # Keys are not sorted: the order of a schema's properties is the order of the answer's.
        text = json.dumps([*parts, model, float(temperature), max_tokens])
        return hashlib.sha256(text.encode()).hexdigest()


def read_text(text: str) -> dict[str, Any]:
    """How a plain text is read: as it stands, under `text`."""
    return {"text": text}


@dataclass(frozen=True)
class Completion:
    """What came back from one request that was paid for.

    Attributes:
        text: the answer; of a refusal, its words.
        model: as the server names it.
        prompt_tokens: charged for the prompt; 0 where the server does not say.
        completion_tokens: charged for the answer.
        cost: dollars; None where no price is known.
        finish: why the answer ends: `stop`, `length`, `content_filter`, `refusal`.
    """

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    finish: str


@dataclass(frozen=True)
class Answer:
    """What was read from the answer to a prompt.

    Attributes:
        value: what `Prompt.read` gave; None where there is no answer.
        reason: why there is none; empty where there is.
        final: False where the transport failed or the server would not take the request, so that
            the next run asks again.
    """

    value: dict[str, Any] | None
    reason: str = ""
    final: bool = True
