"""From sources to a labelled and filtered corpus, in stages that can be entered again.

Speeches are rows of a table, and each stage fills columns of it. What a stage has found lies in the
cache under the digest of what it was given, so that a build that was killed goes on where it was,
and a threshold that changes runs only what follows it. Each stage is one file under `stages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from lightning_dpg import __version__
from lightning_dpg.artefacts import FORMAT, Artefacts
from lightning_dpg.assessment.base import Assessor
from lightning_dpg.config import DataConfig, DialogueJudgeSettings, FilterConfig, fingerprint
from lightning_dpg.corpus.card import counts
from lightning_dpg.corpus.licences import read_licences
from lightning_dpg.corpus.sources import read_sources
from lightning_dpg.corpus.stages.centre import measure_distances
from lightning_dpg.corpus.stages.drop import distribution, drop_distant, dropped_by
from lightning_dpg.corpus.stages.judge import DialogueJudge, drop_incoherent, judge_dialogues
from lightning_dpg.corpus.stages.rate import rate_speeches
from lightning_dpg.corpus.stages.read import Row, as_rows
from lightning_dpg.corpus.stages.split import SEED, split_counts, split_rows
from lightning_dpg.corpus.store import CHARACTERS, UTTERANCES, Corpus, is_corpus
from lightning_dpg.errors import UserError
from lightning_dpg.progress import Steps

STAGES = "stages"
"""Folder of the cache with what stages left."""


def build_corpus(
    config: DataConfig,
    assessor: Assessor,
    cache: Path,
    steps: Steps,
    judge: DialogueJudge | None = None,
    least: DialogueJudgeSettings | None = None,
) -> Corpus:
    """The labelled corpus of these sources; what the cache holds of it is not done again.

    Args:
        config: sources, languages, filters and split.
        assessor: who labels; a local assessor without norms takes them from this corpus, by
            language.
        cache: folder under which corpora are kept by their hash, and stages beside them.
        steps: progress.
        judge: of dialogues; None judges none and lets all pass.
        least: what it must find at least; None for the defaults.

    Raises:
        UserError: what reading the sources raises, or every dialogue was judged too low.
    """
    built = [Path(source) for source in config.sources if is_corpus(Path(source))]
    if built:
        return _take(built, config, cache)
    kept, least = Artefacts(cache / STAGES), least or DialogueJudgeSettings()

    sources = read_sources(config.sources, config.languages, config.columns)
    text = as_rows(sources, read_licences(config.sources, config.columns), kept)
    rows, unjudged = judge_dialogues(text.rows, sources.dialogues, judge, kept, steps)
    rows = drop_incoherent(rows, least)
    rows, norms = rate_speeches(rows, assessor, kept, steps)
    rows = measure_distances(rows, kept)
    rows = drop_distant(rows, config.filters, kept)
    rows = split_rows(rows, config, kept)

    card = {
        "version": __version__,
        "labels": assessor.identity,
        "judge": judge and {"identity": judge.identity, "unjudged": unjudged},
        "thresholds": _thresholds(config.filters, least if judge else None),
        "files": text.files,
        "licences": text.licences,
        "rejected": len(text.rejected),
        **_measures(rows, config),
    }
    return _store(rows, text.characters, card, norms, text.rejected, cache)


def _take(built: Sequence[Path], config: DataConfig, cache: Path) -> Corpus:
    """A corpus that was built before, with the labels that it has, in these languages.

    Where `data.filters.max_distance` is given, it is filtered by that; null leaves it as it is.
    """
    if len(config.sources) > 1:
        raise UserError(
            f"{built[0]} is a corpus that was built already, which stands alone as a source, "
            f"got {', '.join(config.sources)} (data.sources). Build one corpus of all the texts"
        )
    corpus = Corpus.load(built[0])
    card, known = corpus.card, corpus.card["languages"]
    own = FilterConfig(card["thresholds"]["max_distance"], card["thresholds"]["least_support"])
    filters = own if config.filters.max_distance is None else config.filters
    if (not config.languages or set(known) <= set(config.languages)) and filters == own:
        return corpus
    rows = [r for r in corpus.utterances if r["language"] in (config.languages or known)]
    if not rows:
        raise UserError(
            f"No dialogue in {', '.join(config.languages)} (data.languages) in {built[0]}; "
            f"languages found: {', '.join(known)}"
        )
    kept = Artefacts(cache / STAGES)
    rows = drop_distant(rows, filters, kept)
    rows = split_rows(rows, config, kept)
    people = {row["character"] for row in rows}
    characters = [row for row in corpus.characters if row["id"] in people]
    thresholds = card["thresholds"] | vars(filters)
    card = card | {"thresholds": thresholds} | _measures(rows, config)
    return _store(rows, characters, card, corpus.reference, corpus.rejected, cache)


def _store(
    rows: Sequence[Row],
    characters: Sequence[dict[str, Any]],
    card: dict[str, Any],
    norms: dict[str, Any],
    rejected: list[dict[str, str]],
    cache: Path,
) -> Corpus:
    """Last stage: the corpus in Arrow, in a folder that its hash names.

    The hash is of all that the corpus holds, but for the version of the package: with the same hash
    it is the same corpus, however it came about.
    """
    card = {name: value for name, value in card.items() if name != "hash"}
    content = {name: value for name, value in card.items() if name != "version"}
    speeches = Dataset.from_list(list(rows), features=UTTERANCES)
    people = Dataset.from_list(list(characters), features=CHARACTERS)
    identity = fingerprint(FORMAT, list(speeches), list(people), content, norms, rejected)
    folder = cache / identity
    if not is_corpus(folder):
        Corpus(speeches, people, {"hash": identity, **card}, norms, rejected).save(folder)
    return Corpus.load(folder)


def _thresholds(filters: FilterConfig, least: DialogueJudgeSettings | None) -> dict[str, Any]:
    return {
        "least_coherence": least and least.least_coherence,
        "least_integrity": least and least.least_integrity,
        **vars(filters),
    }


def _measures(rows: Sequence[Row], config: DataConfig) -> dict[str, Any]:
    """What the card says of the rows."""
    return {
        "languages": sorted({row["language"] for row in rows}),
        **counts(rows),
        "dropped": dropped_by(rows),
        "distribution": distribution(rows),
        "split": {
            "by": config.split_by,
            "seed": SEED,
            "validation_fraction": config.validation_fraction,
            "test_fraction": config.test_fraction,
            "parts": split_counts(rows, config.split_by),
        },
    }
