"""Assessors as settings describe them."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence

from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.assessment.base import Assessor
from lightning_dpg.assessment.dialogue_judge import DialogueJudge
from lightning_dpg.assessment.lexicon import LexiconAssessor
from lightning_dpg.assessment.llm import Asking, LLMAssessor
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.assessment.quality_judge import QualityJudge
from lightning_dpg.assessment.reference import Reference
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.config import (
    ApiConfig,
    AssessorSettings,
    Config,
    DialogueJudgeSettings,
    QualityJudgeSettings,
)
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.evaluation.instruments import Instruments, Panel
from lightning_dpg.models.backbone import CACHE, Backbone

ANSWERS = CACHE / "answers.sqlite"
"""All that language models were asked and answered, by every run: nothing is paid for twice."""


def make_assessor(
    settings: AssessorSettings,
    backbone: Backbone | None,
    corpus: Corpus | None = None,
    beside: Sequence[Asking] = (),
    language: str = "en",
) -> Assessor:
    """The assessor that settings describe.

    Args:
        settings: kind and limits.
        backbone: what a local assessor reads; others need none.
        corpus: a local assessor takes over its norms.
        beside: others who ask for money in this run: what they spent counts in a budget.
        language: of what is read, and so of the norms.
    """
    if settings.kind == "scripted":
        return ScriptedAssessor(min_words=settings.min_words)
    if settings.kind == "litellm":
        return LLMAssessor(make_asker(settings.api, beside), settings)
    assert backbone is not None, "a local assessor reads a backbone"
    local = LocalAssessor(
        backbone.model,
        backbone.tokenizer,
        backbone.identity,
        min_words=settings.min_words,
        batch_size=settings.batch_size,
    )
    if corpus and labelled(corpus, local):
        norms = corpus.reference.get(language)
        local.reference = Reference.from_dict(norms) if norms else None
    return local


def make_dialogue_judge(settings: DialogueJudgeSettings) -> DialogueJudge | None:
    """Who judges dialogues, if anybody does."""
    if settings.kind == "none":
        return None
    return DialogueJudge(make_asker(settings.api), settings)


def make_asker(api: ApiConfig, beside: Sequence[Asking] = ()) -> Asker:
    """The way to a language model, with all that was ever answered at hand."""
    return Asker(api, AnswerStore(ANSWERS), beside)


def make_quality_judge(
    settings: QualityJudgeSettings, beside: Sequence[Asking] = ()
) -> QualityJudge | None:
    """Who judges fluency, coherency and consistency, if anybody does."""
    if settings.kind == "none":
        return None
    return QualityJudge(make_asker(settings.api, beside), settings)


def make_judge(config: Config, corpus: Corpus, backbone: Backbone, language: str) -> Assessor:
    """Who judges replies in a language: with norms from the corpus, taken anew where need be."""
    judge = make_assessor(config.assessor.judge, backbone, corpus, language=language)
    if isinstance(judge, LocalAssessor) and judge.reference is None:
        judge.fit(spoken(corpus, language))
    return judge


def make_panel(config: Config, corpus: Corpus, backbone: Backbone, judge: Assessor) -> Panel:
    """Judge, reader of single replies, and second instrument, by language.

    Args:
        config: settings of the run.
        corpus: norms come from it.
        backbone: what local assessors read.
        judge: who judges in the language of the questions.
    """

    @functools.cache
    def panel(language: str) -> Instruments:
        same = language == config.evaluation.language or not isinstance(judge, LocalAssessor)
        own = judge if same else make_judge(config, corpus, backbone, language)
        second = LexiconAssessor(config.assessor.judge.min_words)
        second.fit(spoken(corpus, language))
        labels = config.assessor.labels
        reader = make_assessor(labels, backbone, corpus, purse(own), language)
        if isinstance(reader, LocalAssessor) and isinstance(own, LocalAssessor):
            reader.reference = own.reference
        if isinstance(reader, LocalAssessor) and reader.reference is None:
            reader.fit(spoken(corpus, language))
        return Instruments(own, reader, second)

    return panel


def purse(judge: Assessor) -> list[Asking]:
    """Those who have spent before: one budget holds for all who ask in a run."""
    return [judge.asker] if isinstance(judge, LLMAssessor) else []


def labelled(corpus: Corpus, judge: Assessor) -> bool:
    """Whether this instrument labelled the corpus, however little it was content with."""
    labels, least = str(corpus.card["labels"]), "/min_words="
    return labels.partition(least)[0] == judge.identity.partition(least)[0]


def spoken(corpus: Corpus, language: str) -> list[list[str]]:
    """What each character of a corpus says in a language, or in any where nobody speaks it."""
    said: dict[str, list[str]] = defaultdict(list)
    languages = {language} & set(corpus.card["languages"]) or corpus.card["languages"]
    for row in corpus.utterances:
        if row["character"] and row["language"] in languages:
            said[row["character"]].append(row["text"])
    return list(said.values())
