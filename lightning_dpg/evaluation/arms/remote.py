"""The arm that asks another language model, prompted in the words of the arms that run here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lightning_dpg.assessment.asking.prompt import Answer, Prompt, read_text
from lightning_dpg.assessment.llm import Asking
from lightning_dpg.config import ApiConfig, Config
from lightning_dpg.data.prompts import VERSION, chat_messages, fit_context, fit_description
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.replies import Brief, Request
from lightning_dpg.progress import Advance


def speaking(config: Config) -> ApiConfig:
    """The settings that the model is asked with: replies are as long as those of the other arms.

    Its temperature is its own (`evaluation.speaker.temperature`), not `evaluation.temperature`:
    what suits a small model here need not suit a large one elsewhere.
    """
    return replace(config.evaluation.speaker, max_tokens=config.evaluation.max_new_tokens)


@dataclass(frozen=True)
class RemoteSpeaker:
    """Asks a model over a network; what was answered once is not paid for again.

    Attributes:
        asker: gets the prompts answered.
        tokenizer: of the model that runs here: it cuts long turns where they are cut for all arms.
        brief: from what is wanted to what its prompt tells.
        max_prompt_tokens: bound on the turns before a reply.
        sampled: whether answers are drawn by chance, so that another seed asks anew.
    """

    asker: Asking
    tokenizer: Any
    brief: Callable[[Request], Brief]
    max_prompt_tokens: int
    sampled: bool

    @property
    def spent(self) -> float | None:
        """Dollars so far; None where prices are not known."""
        return self.asker.spent

    def speak(
        self, requests: Sequence[Request], seed: int, advance: Advance | None = None
    ) -> list[str]:
        """A reply to each request; like requests get the same one.

        A reply that the provider's filter ended, or would not have at all, is empty.

        Raises:
            UserError: no request can go well, the budget is reached, or some had no answer yet.
                What was answered is kept: the same command goes on from there.
        """
        prompts = [self._prompt(request, seed if self.sampled else 0) for request in requests]
        answers = self.asker.ask(prompts, advance)
        if waiting := [answer for answer in answers if not answer.final]:
            raise UserError(
                f"{len(waiting)} of {len(answers)} replies did not come ({waiting[0].reason}). "
                "What was answered is kept: run the same command again"
            )
        return [_said(answer) for answer in answers]

    def _prompt(self, request: Request, sample: int) -> Prompt:
        brief = self.brief(request)
        messages = chat_messages(
            fit_context(self.tokenizer, request.context, self.max_prompt_tokens),
            request.language,
            brief.scores,
            fit_description(self.tokenizer, brief.description),
            brief.shots,
        )
        return Prompt(tuple(messages), None, "reply", f"speaker-{VERSION}", read_text, sample)


def _said(answer: Answer) -> str:
    return " ".join(answer.value["text"].split()) if answer.value else ""
