"""Answers in a conversation: from what was said to a reply by whoever speaks now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

from lightning_dpg.adapters.parts import Blend
from lightning_dpg.assessment.rubric.wording import language_of
from lightning_dpg.chat.conversation import Conversation
from lightning_dpg.chat.stream import Listen, Reply, stream_reply
from lightning_dpg.config import EvaluationConfig
from lightning_dpg.data.prompts import Turn, fit_context
from lightning_dpg.evaluation.replies import Brief, Request, say_nothing
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.lora import Adapters

REMEMBERED = 4
"""Personas whose adapters are kept: going back to one makes nothing anew."""


class Talker(Protocol):
    """Who answers."""

    def reply(self, conversation: Conversation, listen: Listen) -> Reply:
        """The reply to the last line, told to `listen` piece by piece."""
        ...

    def forgets(self, conversation: Conversation) -> bool:
        """Whether the oldest turns no longer reach the prompt."""
        ...


@dataclass(frozen=True)
class LocalTalker:
    """Answers on the backbone, with prompts, adapters and decoding as in the evaluation.

    Attributes:
        backbone: frozen model, with hooks installed where there are adapters.
        config: decoding; the temperature is the conversation's.
        max_prompt_tokens: bound on the turns that a prompt holds.
        adapters_of: makes the adapters of who speaks, a batch of 1; asked when they change.
        brief: from what is wanted to what the prompt tells.
    """

    backbone: Backbone
    config: EvaluationConfig
    max_prompt_tokens: int
    adapters_of: Callable[[Blend], Adapters | None]
    brief: Callable[[Request], Brief] = say_nothing
    _kept: Callable[[Blend], Adapters | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_kept", lru_cache(maxsize=REMEMBERED)(self.adapters_of))

    def reply(self, conversation: Conversation, listen: Listen) -> Reply:
        """See `Talker`. Ctrl-C ends the reply; what was said until then stays."""
        request = self.request(conversation)
        # Another name is the same persona.
        adapters = self._kept(replace(conversation.blend, name="persona"))
        return stream_reply(
            self.backbone,
            request,
            replace(self.config, temperature=conversation.temperature),
            brief=self.brief(request),
            adapters=adapters,
            max_prompt_tokens=self.max_prompt_tokens,
            seed=conversation.seed,
            listen=listen,
        )

    def request(self, conversation: Conversation) -> Request:
        """What is to be answered, in the language of the last line."""
        turns = recent(self.backbone.tokenizer, conversation.context, self.max_prompt_tokens)
        blend = conversation.blend
        return Request(blend.profile, blend.description, tuple(turns), language_of(turns[-1][1]))

    def forgets(self, conversation: Conversation) -> bool:
        """See `Talker`."""
        turns, tokenizer = list(conversation.context), self.backbone.tokenizer
        near = recent(tokenizer, turns, self.max_prompt_tokens)
        return (
            len(near) < len(turns) or fit_context(tokenizer, near, self.max_prompt_tokens) != near
        )


def recent(tokenizer: Any, turns: Sequence[Turn], max_tokens: int) -> list[Turn]:
    """The last turns, among them all that `fit_context` finds room for.

    It counts all tokens again for each turn that it leaves out: of a long conversation it is given
    the end alone, twice what fits.
    """
    counted, start = 0, len(turns)
    while start > 0 and counted <= 2 * max_tokens:
        start -= 1
        name, text = turns[start]
        counted += len(tokenizer(f"{name}: {text}", add_special_tokens=False)["input_ids"])
    return list(turns[start:])
