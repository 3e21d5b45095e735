"""Read, label, store: from sources to a corpus that is built once and found again by its hash."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from datasets import Dataset

from lightning_dpg import __version__
from lightning_dpg.assessment.base import Assessor, count_words
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.assessment.reference import Floats
from lightning_dpg.config import DataConfig, fingerprint
from lightning_dpg.corpus.sources import Sources, character_id, read_sources
from lightning_dpg.corpus.store import CHARACTERS, UTTERANCES, Corpus, is_corpus
from lightning_dpg.errors import UserError
from lightning_dpg.progress import Advance, Steps
from lightning_dpg.records import Rating

FORMAT = 3
FEWEST = 2
"""Speeches in a language for norms."""

Row = dict[str, Any]
Part = tuple[str, str]
"""A dialogue and a character that speaks in it."""


def build_corpus(config: DataConfig, assessor: Assessor, cache: Path, steps: Steps) -> Corpus:
    """The labelled corpus of these sources, from the cache where it was built before.

    Args:
        config: sources and languages.
        assessor: who labels; a local assessor without norms takes them from this corpus, by
            language.
        cache: folder under which corpora are kept by their hash.
        steps: progress.

    Raises:
        UserError: what reading the sources raises.
    """
    built = [Path(source) for source in config.sources if is_corpus(Path(source))]
    if built:
        return _load(built, config)
    sources = read_sources(config.sources, config.languages, config.columns)
    identity = fingerprint(
        FORMAT, sources.content, sources.hashes, config.languages, assessor.identity
    )
    folder = cache / identity
    if not is_corpus(folder):
        _label(sources, assessor, identity, steps).save(folder)
    return Corpus.load(folder)


def _load(built: Sequence[Path], config: DataConfig) -> Corpus:
    """A corpus that `dpg corpus build` made, with the labels that it has, in these languages."""
    if len(config.sources) > 1:
        raise UserError(
            f"{built[0]} is a corpus that was built already, which stands alone as a source, "
            f"got {', '.join(config.sources)} (data.sources). Build one corpus of all the texts"
        )
    corpus = Corpus.load(built[0])
    known = corpus.card["languages"]
    if not config.languages or set(known) <= set(config.languages):
        return corpus
    kept = [row for row in corpus.utterances if row["language"] in config.languages]
    if not kept:
        raise UserError(
            f"No dialogue in {', '.join(config.languages)} (data.languages) in {built[0]}; "
            f"languages found: {', '.join(known)}"
        )
    people = {row["character"] for row in kept}
    characters = [row for row in corpus.characters if row["id"] in people]
    return replace(
        corpus,
        utterances=Dataset.from_list(kept, features=UTTERANCES),
        characters=Dataset.from_list(characters, features=CHARACTERS),
        card=corpus.card | _counts(kept, len(characters)),
    )


def _label(sources: Sources, assessor: Assessor, identity: str, steps: Steps) -> Corpus:
    rows = _rows(sources)
    own = [row for row in rows if row["character"]]
    with steps.bar("Rating speeches", len(own)) as advance:
        replies, dialogues, reference = _rate(assessor, own, advance)
    for row, rating in zip(own, replies, strict=True):
        row["reply_scores"] = list(rating.scores) if rating.complete else None
        row["reason"] = rating.reason
        together = dialogues[row["dialogue"], row["character"]]
        row["dialogue_scores"] = list(together.scores) if together.complete else None
    characters = [vars(character) for character in sources.characters.values()]
    return Corpus(
        Dataset.from_list(rows, features=UTTERANCES),
        Dataset.from_list(
            [{**c, "poles": list(c["poles"])} for c in characters], features=CHARACTERS
        ),
        _card(sources, rows, assessor, identity),
        reference,
        [asdict(rejected) for rejected in sources.rejected],
    )


def _rate(
    assessor: Assessor, rows: Sequence[Row], advance: Advance
) -> tuple[list[Rating], dict[Part, Rating], dict[str, Any]]:
    """Ratings of each speech, of each character in each dialogue, and norms by language.

    A local assessor reads each speech once for all of them, and against norms of its own language:
    English adjectives are likelier after English.
    """
    if not isinstance(assessor, LocalAssessor):
        replies = assessor.rate([[row["text"]] for row in rows], advance=advance)
        parts = _parts(rows)
        said = [[rows[i]["text"] for i in part] for part in parts.values()]
        return replies, dict(zip(parts, assessor.rate(said), strict=True)), {}
    logprobs = assessor.logprobs([row["text"] for row in rows], advance)
    single: dict[int, Rating] = {}
    together: dict[Part, Rating] = {}
    norms: dict[str, Any] = {}
    for language in sorted({row["language"] for row in rows}):
        mine = [i for i, row in enumerate(rows) if row["language"] == language]
        reader = copy(assessor)
        rated, shared = _rate_alike(reader, [rows[i] for i in mine], logprobs[mine])
        single |= dict(zip(mine, rated, strict=True))
        together |= shared
        if reader.reference is not None:
            norms[language] = reader.reference.to_dict()
    return [single[i] for i in range(len(rows))], together, norms


def _rate_alike(
    assessor: LocalAssessor, rows: Sequence[Row], logprobs: Floats
) -> tuple[list[Rating], dict[Part, Rating]]:
    """The same of speeches in one language; an assessor without norms takes and keeps theirs."""
    texts, parts = [row["text"] for row in rows], _parts(rows)
    if assessor.reference is None:
        if len(rows) < FEWEST:
            few = Rating.unscored(f"no norms: {len(rows)} speech in {rows[0]['language']}")
            return [few] * len(rows), dict.fromkeys(parts, few)
        assessor.set_norms(texts, [row["character"] for row in rows], logprobs)
    readings = assessor.readings(texts, logprobs)
    replies = [assessor.rating([t], [r]) for t, r in zip(texts, readings, strict=True)]
    together = {
        key: assessor.rating([texts[i] for i in part], list(readings[part]))
        for key, part in parts.items()
    }
    return replies, together


def _parts(rows: Sequence[Row]) -> dict[Part, list[int]]:
    """The rows of what each character says in each dialogue."""
    parts: dict[Part, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        parts[row["dialogue"], row["character"]].append(i)
    return parts


def _rows(sources: Sources) -> list[Row]:
    rows = []
    for dialogue in sources.dialogues:
        for utterance in dialogue.utterances:
            nobody = utterance.collective or not utterance.speaker
            rows.append(
                {
                    "dialogue": dialogue.id,
                    "work": dialogue.work,
                    "scene": dialogue.scene,
                    "language": dialogue.language,
                    "source": dialogue.source,
                    "position": utterance.position,
                    "character": "" if nobody else character_id(dialogue, utterance.speaker),
                    "name": utterance.name,
                    "text": utterance.text,
                    "reply_scores": None,
                    "dialogue_scores": None,
                    "reason": "said by a group or by nobody named" if nobody else "",
                }
            )
    return rows


def _card(
    sources: Sources, rows: Sequence[Row], assessor: Assessor, identity: str
) -> dict[str, Any]:
    return {
        "hash": identity,
        "version": __version__,
        "labels": assessor.identity,
        "files": sources.hashes,
        "rejected": len(sources.rejected),
        **_counts(rows, len(sources.characters)),
    }


def _counts(rows: Sequence[Row], characters: int) -> dict[str, Any]:
    return {
        "languages": sorted({row["language"] for row in rows}),
        "works": len({row["work"] for row in rows}),
        "dialogues": len({row["dialogue"] for row in rows}),
        "characters": characters,
        "utterances": len(rows),
        "words": sum(count_words(row["text"]) for row in rows),
        "unscored": sum(row["reply_scores"] is None for row in rows),
    }
