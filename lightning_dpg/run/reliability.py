"""The reliability study of some assessors on a corpus."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

from lightning_dpg import __version__
from lightning_dpg.assessment.base import Assessor, knowing
from lightning_dpg.assessment.lexicon import LexiconAssessor
from lightning_dpg.assessment.llm import Asking, LLMAssessor
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.assessment.reference import Reference
from lightning_dpg.assessment.reliability.study import study
from lightning_dpg.assessment.reliability.subjects import Subject
from lightning_dpg.config import Config
from lightning_dpg.corpus.sources import is_bundled
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.corpus.subjects import subjects_of
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone, load_backbone
from lightning_dpg.progress import Steps
from lightning_dpg.report.reliability import table, write_page
from lightning_dpg.run.assessors import labelled, make_assessor
from lightning_dpg.run.corpus import make_corpus
from lightning_dpg.run.quiet import quieten
from lightning_dpg.runs import write_atomically

Name = Literal["local", "lexicon", "knowledge", "vanilla", "scripted"]
PAGE, DATA = "reliability.html", "reliability.json"
CHOSEN_HERE = (
    "The local assessor's markers and the lexicon's words were picked by what they tell apart in "
    "the bundled corpus: their figures on it are a guard and no evidence."
)
OWN_NORMS = "Norms of the local assessor and of the lexicon are from the people who are rated here."


def reliability(
    config: Config, names: Sequence[str], language: str, passages: int, repeats: int, out: Path
) -> Path:
    """Rate sets of speeches of the data's sources by each assessor; write data and a page.

    Args:
        config: sources, backbone, and `assessor.judge` with its least words, model and prices.
        names: the assessors; `knowledge` and `vanilla` ask `assessor.judge.api` in that way.
        language: of the speeches.
        passages: speeches in a set.
        repeats: how often a language model is asked about each set.
        out: folder of the page and of the numbers.

    Returns:
        The path of the page.

    Raises:
        UserError: an unknown assessor, one twice, the lexicon in another language than English, or
            what building the corpus, finding subjects and rating raise.
    """
    checked = _checked(names, language)
    steps = Steps()
    quieten(config.trainer.threads)
    backbone: Backbone | None = None
    if "local" in names or config.assessor.labels.kind == "local":
        with steps.step("backbone", f"Loading {config.backbone.name}"):
            backbone = load_backbone(config.backbone, config.seed)
    corpus = make_corpus(config, steps, backbone)
    subjects = subjects_of(corpus, passages, language)
    with steps.step("study", f"Rating {len(subjects)} sets of {passages} speeches"):
        assessors: dict[str, Assessor] = {}
        for name in checked:
            # One budget for all who ask.
            beside = [a.asker for a in assessors.values() if isinstance(a, LLMAssessor)]
            assessors[name] = _assessor(name, config, backbone, corpus, subjects, beside)
        results = study(assessors, subjects, repeats=repeats, seed=config.seed, steps=steps)
    results |= {"about": _about(config, corpus), "notes": _notes(config, names)}
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / DATA, json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    write_page(results, out / PAGE)
    steps.console.print(table(results))
    return out / PAGE


def _checked(names: Sequence[str], language: str) -> list[Name]:
    for name in names:
        if name not in get_args(Name):
            raise UserError(
                f"There is no assessor {name!r} (--assessor): "
                f"expected one of {', '.join(get_args(Name))}"
            )
        if list(names).count(name) > 1:
            raise UserError(f"Assessor {name!r} was named twice (--assessor)")
    if "lexicon" in names and language != "en":
        raise UserError(
            f"The lexicon counts English words and cannot read {language!r}: leave it out "
            "(--assessor) or take English speeches (--language en)"
        )
    return [cast(Name, name) for name in names]


def _assessor(
    name: Name,
    config: Config,
    backbone: Backbone | None,
    corpus: Corpus,
    subjects: Sequence[Subject],
    beside: Sequence[Asking],
) -> Assessor:
    """An assessor with the norms of the language that it is to read."""
    judge = config.assessor.judge
    if name == "lexicon":
        lexicon = LexiconAssessor(judge.min_words)
        lexicon.fit(_said(subjects))
        return lexicon
    if name == "knowledge" or name == "vanilla":
        asked = replace(judge, kind="litellm", prompt=name)
        if not judge.api.model:
            raise UserError(
                f"Assessor {name!r} asks a language model, and none is given: "
                "--set assessor.judge.api.model=openai/gpt-4o, for example"
            )
        names = [[name] for name in corpus.characters["name"]]
        return knowing(make_assessor(asked, backbone, corpus, beside), names)
    assessor = make_assessor(replace(judge, kind=name), backbone, corpus)
    if isinstance(assessor, LocalAssessor):
        norms = corpus.reference.get(subjects[0].language) if labelled(corpus, assessor) else None
        assessor.reference = Reference.from_dict(norms) if norms else None
        if assessor.reference is None:
            assessor.fit(_said(subjects))
    return assessor


def _said(subjects: Sequence[Subject]) -> list[list[str]]:
    """All speeches of each person."""
    said: dict[str, list[str]] = defaultdict(list)
    for subject in subjects:
        said[subject.speaker] += subject.passages
    return list(said.values())


def _about(config: Config, corpus: Corpus) -> dict[str, Any]:
    return {
        "sources": ", ".join(config.data.sources),
        "corpus": corpus.card["hash"],
        "lightning_dpg": __version__,
    }


def _notes(config: Config, names: Sequence[str]) -> list[str]:
    notes = [OWN_NORMS] if {"local", "lexicon"} & set(names) else []
    if notes and any(map(is_bundled, config.data.sources)):
        notes.insert(0, CHOSEN_HERE)
    return notes
