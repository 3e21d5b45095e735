"""Judges fluency, coherency and consistency of replies by asking a language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lightning_dpg.assessment.asking.prompt import Answer, Prompt
from lightning_dpg.assessment.llm import Asking, People, hidden
from lightning_dpg.assessment.rubric.anonymise import Anonymiser, Pseudonyms
from lightning_dpg.assessment.rubric.quality import EDITION, persona_prompt, reply_prompt
from lightning_dpg.assessment.rubric.wording import VERSION, Language
from lightning_dpg.config import QualityJudgeSettings
from lightning_dpg.progress import Advance

SILENT = "nothing is said"
TOO_FEW = "fewer than two replies"


@dataclass(frozen=True)
class Exchange:
    """A reply, and the turns that it answers: (name, text), oldest first."""

    context: tuple[tuple[str, str], ...]
    reply: str


@dataclass(frozen=True)
class Performance:
    """What one persona said.

    Attributes:
        exchanges: its replies.
        description: who it is meant to be; empty where nobody said.
        language: of the instructions.
        names: of the one who speaks; none where it has none.
    """

    exchanges: tuple[Exchange, ...]
    description: str = ""
    language: Language = "en"
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """What a judge says of a performance; None where there is no judgement.

    Attributes:
        fluency: of each reply, in [1, 5].
        coherency: of each reply with what was said before, in [1, 5].
        consistency: whether the replies are those of one person, in [1, 5].
        reasons: why each missing judgement is missing: of replies, then of the person.
    """

    fluency: tuple[float | None, ...]
    coherency: tuple[float | None, ...]
    consistency: float | None
    reasons: tuple[str, ...]


class QualityJudge:
    """Judges replies one by one, and the replies of a persona together, with all names replaced.

    One by one, since a judge that sees a good reply beside a bad one compares them. It is told
    neither scores nor which arm speaks.

    Args:
        asker: gets the prompts answered.
        settings: how many replies of each persona callers are to hand in.
        names: names and aliases of further characters; those who speak are known.
    """

    def __init__(self, asker: Asking, settings: QualityJudgeSettings, names: People = ()) -> None:
        self.asker, self.settings = asker, settings
        self.anonymiser = Anonymiser(names)
        self.names = hidden(names)

    @property
    def identity(self) -> str:
        """The model, the prompts and all else that changes judgements."""
        return (
            f"litellm/{self.asker.identity}/quality-{VERSION}.{EDITION}/"
            f"replies={self.settings.replies}{self.names}"
        )

    @property
    def spent(self) -> float | None:
        """Dollars so far; None where prices are not known."""
        return self.asker.spent

    def knowing(self, names: People) -> QualityJudge:
        """The same judge, which replaces these names beside those of the speakers."""
        return QualityJudge(self.asker, self.settings, names)

    def judge(
        self, performances: Sequence[Performance], advance: Advance | None = None
    ) -> list[Judged]:
        """What is to be said of each performance, in order.

        Args:
            performances: what each persona said.
            advance: told how many questions are answered: one a reply, and one a performance.
        """
        asked = [self._questions(performance) for performance in performances]
        prompts = [q for questions in asked for q in questions if isinstance(q, Prompt)]
        if advance and (unasked := sum(map(len, asked)) - len(prompts)):
            advance(unasked)
        given = iter(self.asker.ask(prompts, advance) if prompts else [])
        return [
            _judged([next(given) if isinstance(q, Prompt) else Answer(None, q) for q in questions])
            for questions in asked
        ]

    def _questions(self, performance: Performance) -> list[Prompt | str]:
        """A prompt for each reply and one for all of them, or why there is none."""
        spoken = [exchange for exchange in performance.exchanges if exchange.reply.strip()]
        questions: list[Prompt | str] = [
            self._of_reply(performance, exchange) if exchange.reply.strip() else SILENT
            for exchange in performance.exchanges
        ]
        enough = len(spoken) > 1
        return [*questions, self._of_persona(performance, spoken) if enough else TOO_FEW]

    def _of_reply(self, performance: Performance, exchange: Exchange) -> Prompt:
        names, target = self._pseudonyms(performance, [exchange])
        own = {name.casefold() for name in performance.names}

        def label(who: str) -> str:
            if who.casefold() in own:
                return names.label(target)
            # A role such as a waiter is no name, but a person.
            return names.label(names.anonymiser.known([who]) or f"speaker {who}")

        context = [(label(who), names.apply(text)) for who, text in exchange.context]
        reply = names.apply(exchange.reply)
        return reply_prompt(context, reply, names.label(target), performance.language)

    def _of_persona(self, performance: Performance, exchanges: Sequence[Exchange]) -> Prompt:
        names, _ = self._pseudonyms(performance, exchanges)
        description = names.apply(performance.description)
        heard = [exchange.context[-1][1] if exchange.context else "" for exchange in exchanges]
        pairs = [
            (names.apply(before), names.apply(exchange.reply))
            for before, exchange in zip(heard, exchanges, strict=True)
        ]
        return persona_prompt(pairs, description, performance.language)

    def _pseudonyms(
        self, performance: Performance, exchanges: Sequence[Exchange]
    ) -> tuple[Pseudonyms, str]:
        """Labels for all who speak, and the key of the one who is judged."""
        others = {who for exchange in exchanges for who, _ in exchange.context}
        people = [performance.names, *([who] for who in sorted(others))]
        known = Anonymiser([names for names in people if names], self.anonymiser)
        target = known.known(performance.names) or "the speaker"
        return Pseudonyms(known, performance.language, target), target


def _judged(answers: Sequence[Answer]) -> Judged:
    """The judgements of a performance: of its replies, and last of the person."""
    values = [answer.value or {} for answer in answers]
    return Judged(
        fluency=tuple(value.get("fluency") for value in values[:-1]),
        coherency=tuple(value.get("coherency") for value in values[:-1]),
        consistency=values[-1].get("consistency"),
        reasons=tuple(answer.reason for answer in answers if answer.value is None),
    )
