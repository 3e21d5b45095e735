"""The assessor that asks a language model."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lightning_dpg.assessment.asking.prompt import Answer, Prompt
from lightning_dpg.assessment.base import too_short
from lightning_dpg.assessment.rubric.anonymise import Anonymiser, Pseudonyms
from lightning_dpg.assessment.rubric.rating import rating_prompts
from lightning_dpg.assessment.rubric.wording import VERSION, language_of
from lightning_dpg.config import AssessorSettings
from lightning_dpg.progress import Advance
from lightning_dpg.records import TRAITS, Rating

People = Sequence[Sequence[str]]
"""Names and aliases of each of some people."""


class Asking(Protocol):
    """Whoever gets prompts answered: `asking.ask.Asker`, or a stand-in."""

    @property
    def identity(self) -> str:
        """The model and the settings that change its answers."""
        ...

    @property
    def spent(self) -> float | None:
        """Dollars so far; None where prices are not known."""
        ...

    @property
    def committed(self) -> float:
        """Dollars spent, and the most that lost answers may have cost: both count in a budget."""
        ...

    def ask(self, prompts: Sequence[Prompt], advance: Advance | None = None) -> list[Answer]:
        """One answer for each prompt, in order; `advance` is told how many are done."""
        ...


@dataclass(frozen=True)
class Details:
    """A rating with what stands behind it; tuples by trait are in the order of `TRAITS`.

    Attributes:
        rating: the median over repeats.
        repeats: the scores of each repeat that was answered.
        spread: standard deviation (n - 1) over repeats; None with fewer than two scores.
        confidence: median of what the model says of itself, in [0, 1].
        evidence: quotes per trait, names replaced, each once.
    """

    rating: Rating
    repeats: tuple[tuple[float | None, ...], ...] = ()
    spread: tuple[float | None, ...] = (None,) * len(TRAITS)
    confidence: tuple[float | None, ...] = (None,) * len(TRAITS)
    evidence: tuple[tuple[str, ...], ...] = ((),) * len(TRAITS)


class LLMAssessor:
    """Rates people by asking a language model `settings.repeats` times and taking the median.

    A trait has a score where most of the answers give one; else it is insufficient evidence.

    Args:
        asker: gets the prompts answered.
        settings: prompt, repeats and the least number of words.
        names: names and aliases of the characters of the corpus, which are replaced in texts and
            contexts before they are sent: `[[c.name, *aliases] for c in characters]`.
    """

    def __init__(self, asker: Asking, settings: AssessorSettings, names: People = ()) -> None:
        self.asker, self.settings = asker, settings
        self.anonymiser = Anonymiser(names)
        self.names = hidden(names)

    @property
    def identity(self) -> str:
        """The model, the prompt and all else that changes ratings."""
        return (
            f"litellm/{self.asker.identity}/{self.settings.prompt}-{VERSION}/"
            f"repeats={self.settings.repeats}/min_words={self.settings.min_words}{self.names}"
        )

    @property
    def spent(self) -> float | None:
        """Dollars so far; None where prices are not known."""
        return self.asker.spent

    def knowing(self, names: People) -> LLMAssessor:
        """The same assessor, which replaces these names instead."""
        return LLMAssessor(self.asker, self.settings, names)

    def rate(
        self,
        persons: Sequence[Sequence[str]],
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
        read: int | None = None,
        speakers: People | None = None,
    ) -> list[Rating]:
        """One rating for each person, of all its passages in one prompt; see `Assessor`.

        `speakers` are the names of each person, where the caller knows whom it asks about.
        """
        del read
        return [given.rating for given in self.details(persons, contexts, advance, speakers)]

    def repeated(
        self,
        persons: Sequence[Sequence[str]],
        times: int,
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
    ) -> list[list[Rating]]:
        """Each of `times` answers about each person as a rating (`reliability.subjects`)."""
        often = LLMAssessor(self.asker, replace(self.settings, repeats=times))
        often.anonymiser, often.names = self.anonymiser, self.names
        return [_apart(details, times) for details in often.details(persons, contexts, advance)]

    def details(
        self,
        persons: Sequence[Sequence[str]],
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
        speakers: People | None = None,
    ) -> list[Details]:
        """What `rate` gives, with spread, confidence and evidence.

        Args:
            persons: what each of them said, passage by passage.
            contexts: what was said before.
            advance: told how many passages were read.
            speakers: the names of each person, where the caller knows whom it asks about.
        """
        short = [too_short(passages, self.settings.min_words) for passages in persons]
        asked = [i for i, rating in enumerate(short) if rating is None]
        prompts: list[Prompt] = []
        for i in asked:
            context = contexts[i] if contexts else ""
            prompts += self._prompts(persons[i], context, speakers[i] if speakers else ())
        told = _Passages(advance, len(prompts), sum(len(persons[i]) for i in asked))
        told.skip(sum(map(len, persons)) - told.passages)
        answers = self.asker.ask(prompts, told.answered) if prompts else []
        told.finish()
        result = [Details(rating) if rating else None for rating in short]
        step = self.settings.repeats
        for turn, i in enumerate(asked):
            result[i] = combined(answers[turn * step : (turn + 1) * step])
        return [details for details in result if details is not None]

    def _prompts(
        self, passages: Sequence[str], context: str, speaker: Sequence[str]
    ) -> list[Prompt]:
        spoken = [passage for passage in passages if passage.strip()]
        language = language_of("\n".join(spoken))
        known = Anonymiser([speaker], self.anonymiser) if speaker else self.anonymiser
        target = known.known(speaker)
        names = Pseudonyms(known, language, target)
        # What was said before comes first, so that its people have the first letters.
        context = names.apply(context)
        return rating_prompts(
            [names.apply(passage) for passage in spoken],
            context,
            kind=self.settings.prompt,
            language=language,
            repeats=self.settings.repeats,
            target=names.label(target) if target else "",
        )


def hidden(names: People) -> str:
    """The names that are replaced, as a part of an identity; empty without any."""
    if not names:
        return ""
    listed = json.dumps(sorted(sorted(set(person)) for person in names))
    return f"/names={hashlib.sha256(listed.encode()).hexdigest()[:8]}"


def combined(answers: Sequence[Answer]) -> Details:
    """One rating from the answers of all repeats; those without a value are left out.

    Where one may still come, there is no rating yet: another run is to ask for it.
    """
    if waiting := [answer for answer in answers if not answer.final]:
        return Details(Rating.unscored(waiting[0].reason))
    values = [answer.value for answer in answers if answer.value is not None]
    if not values:
        return Details(Rating.unscored(answers[0].reason))
    by_trait = [[value[trait] for value in values] for trait in TRAITS]
    scores = [_known(given, "score") for given in by_trait]
    medians = tuple(
        statistics.median(known) if 2 * len(known) > len(values) else None for known in scores
    )
    lacking = [trait for trait, score in zip(TRAITS, medians, strict=True) if score is None]
    reason = f"insufficient evidence: {', '.join(lacking)}" if lacking else ""
    return Details(
        Rating(medians, reason),
        tuple(tuple(value[trait]["score"] for trait in TRAITS) for value in values),
        tuple(statistics.stdev(known) if len(known) > 1 else None for known in scores),
        tuple(
            statistics.median(sure) if (sure := _known(given, "confidence")) else None
            for given in by_trait
        ),
        tuple(
            tuple(dict.fromkeys(quote for value in given for quote in value["evidence"]))
            for given in by_trait
        ),
    )


def _apart(details: Details, times: int) -> list[Rating]:
    """The repeats as ratings of their own; those that gave none are unscored."""
    given = [Rating(s, "insufficient evidence" if None in s else "") for s in details.repeats]
    missing = Rating.unscored(details.rating.reason or "no valid answer")
    return given + [missing] * (times - len(given))


def _known(given: Sequence[dict[str, Any]], field: str) -> list[float]:
    return [value[field] for value in given if value[field] is not None]


class _Passages:
    """Tells progress in passages while prompts are answered, of which each person has several."""

    def __init__(self, advance: Advance | None, prompts: int, passages: int) -> None:
        self.advance, self.prompts, self.passages = advance, prompts, passages
        self.done = self.told = 0

    def skip(self, passages: int) -> None:
        """Some were read without a prompt."""
        if self.advance and passages:
            self.advance(passages)

    def answered(self, prompts: int) -> None:
        """So many more prompts are answered."""
        self.done = min(self.done + prompts, self.prompts)
        due = self.passages * self.done // max(1, self.prompts) - self.told
        self.told += due
        self.skip(due)

    def finish(self) -> None:
        """All are answered, whether that was told or not."""
        self.answered(self.prompts)
