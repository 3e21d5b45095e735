"""Assessors as settings describe them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.assessment.base import Assessor
from lightning_dpg.assessment.dialogue_judge import DialogueJudge
from lightning_dpg.assessment.lexicon import LexiconAssessor
from lightning_dpg.assessment.llm import Asking, LLMAssessor
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.assessment.reference import Reference
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.config import AssessorSettings, Config, DialogueJudgeSettings
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.questions import LANGUAGE as QUESTIONS_LANGUAGE
from lightning_dpg.models.backbone import CACHE, Backbone

ANSWERS = CACHE / "answers.sqlite"
"""All that language models were asked and answered, by every run: nothing is paid for twice."""


def make_assessor(
    settings: AssessorSettings,
    backbone: Backbone | None,
    corpus: Corpus | None = None,
    beside: Sequence[Asking] = (),
) -> Assessor:
    """The assessor that settings describe.

    Args:
        settings: kind and limits.
        backbone: what a local assessor reads; others need none.
        corpus: a local assessor takes over its norms, of the language that replies are in.
        beside: others who ask for money in this run: what they spent counts in a budget.
    """
    if settings.kind == "scripted":
        return ScriptedAssessor(min_words=settings.min_words)
    if settings.kind == "litellm":
        return LLMAssessor(Asker(settings.api, AnswerStore(ANSWERS), beside), settings)
    assert backbone is not None, "a local assessor reads a backbone"
    local = LocalAssessor(
        backbone.model,
        backbone.tokenizer,
        backbone.identity,
        min_words=settings.min_words,
        batch_size=settings.batch_size,
    )
    if corpus and labelled(corpus, local):
        norms = corpus.reference.get(QUESTIONS_LANGUAGE)
        local.reference = Reference.from_dict(norms) if norms else None
    return local


def make_dialogue_judge(settings: DialogueJudgeSettings) -> DialogueJudge | None:
    """Who judges dialogues, if anybody does."""
    if settings.kind == "none":
        return None
    return DialogueJudge(Asker(settings.api, AnswerStore(ANSWERS)), settings)


def make_instruments(
    config: Config, corpus: Corpus, backbone: Backbone, judge: Assessor
) -> Instruments:
    """Judge, reader of single replies, and second instrument of the closing evaluation."""
    second = LexiconAssessor(config.assessor.judge.min_words)
    second.fit(spoken(corpus))
    asked = [judge.asker] if isinstance(judge, LLMAssessor) else []
    reader = make_assessor(config.assessor.labels, backbone, corpus, asked)
    if isinstance(reader, LocalAssessor) and isinstance(judge, LocalAssessor):
        reader.reference = judge.reference
    return Instruments(judge, reader, second)


def labelled(corpus: Corpus, judge: Assessor) -> bool:
    """Whether this instrument labelled the corpus, however little it was content with."""
    labels, least = str(corpus.card["labels"]), "/min_words="
    return labels.partition(least)[0] == judge.identity.partition(least)[0]


def spoken(corpus: Corpus) -> list[list[str]]:
    """What each character of a corpus says in the language of the questions, or in any."""
    said: dict[str, list[str]] = defaultdict(list)
    languages = {QUESTIONS_LANGUAGE} & set(corpus.card["languages"]) or corpus.card["languages"]
    for row in corpus.utterances:
        if row["character"] and row["language"] in languages:
            said[row["character"]].append(row["text"])
    return list(said.values())
