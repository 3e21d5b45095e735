"""Assessors as settings describe them."""

from __future__ import annotations

from collections import defaultdict

from lightning_dpg.assessment.base import Assessor
from lightning_dpg.assessment.lexicon import LexiconAssessor
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.assessment.reference import Reference
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.config import AssessorSettings, Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.questions import LANGUAGE as QUESTIONS_LANGUAGE
from lightning_dpg.models.backbone import Backbone


def make_assessor(
    settings: AssessorSettings, backbone: Backbone, corpus: Corpus | None = None
) -> Assessor:
    """The assessor that settings describe; with a corpus, a local one takes over its norms.

    They are those of the language that replies are in.
    """
    if settings.kind == "scripted":
        return ScriptedAssessor(min_words=settings.min_words)
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


def make_instruments(
    config: Config, corpus: Corpus, backbone: Backbone, judge: Assessor
) -> Instruments:
    """Judge, reader of single replies, and second instrument of the closing evaluation."""
    second = LexiconAssessor(config.assessor.judge.min_words)
    second.fit(spoken(corpus))
    reader = make_assessor(config.assessor.labels, backbone, corpus)
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
