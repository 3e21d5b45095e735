"""Read, label, store: from sources to a corpus that is built once and found again by its hash."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from lightning_dpg import __version__
from lightning_dpg.assessment.base import Assessor, count_words
from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.config import DataConfig, fingerprint
from lightning_dpg.corpus.sources import Sources, character_id, read_sources
from lightning_dpg.corpus.store import CHARACTERS, UTTERANCES, Corpus
from lightning_dpg.progress import Steps
from lightning_dpg.records import Rating

FORMAT = 1
POOLED_WORDS = 200
"""All that a character says in a dialogue is rated up to so many words: about what an evaluation
rates together, and norms need texts of that length."""

Row = dict[str, Any]


def build_corpus(config: DataConfig, assessor: Assessor, cache: Path, steps: Steps) -> Corpus:
    """The labelled corpus of these sources, from the cache where it was built before.

    Args:
        config: sources and languages.
        assessor: who labels; a local assessor without norms takes them from this corpus.
        cache: folder under which corpora are kept by their hash.
        steps: progress.

    Raises:
        UserError: what reading the sources raises.
    """
    sources = read_sources(config.sources, config.languages)
    identity = fingerprint(FORMAT, sources.hashes, config.languages, assessor.identity)
    folder = cache / identity
    if not (folder / "card.json").is_file():
        _label(sources, assessor, identity, steps).save(folder)
    return Corpus.load(folder)


def _label(sources: Sources, assessor: Assessor, identity: str, steps: Steps) -> Corpus:
    rows, pooled = _rows(sources), _pool(sources)
    own = [row for row in rows if row["character"]]
    texts = [row["text"] for row in own] + list(pooled.values())
    with steps.bar("Rating speeches", len(texts)) as advance:
        ratings, reference = _rate(assessor, texts, advance)
    whole = dict(zip(pooled, ratings[len(own) :], strict=True))
    for row, rating in zip(own, ratings, strict=False):
        row["reply_scores"] = list(rating.scores) if rating.complete else None
        row["reason"] = rating.reason
        together = whole[row["dialogue"], row["character"]]
        row["dialogue_scores"] = list(together.scores) if together.complete else None
    characters = [vars(character) for character in sources.characters.values()]
    return Corpus(
        Dataset.from_list(rows, features=UTTERANCES),
        Dataset.from_list(
            [{**c, "poles": list(c["poles"])} for c in characters], features=CHARACTERS
        ),
        _card(sources, rows, assessor, identity),
        reference,
    )


def _rate(
    assessor: Assessor, texts: Sequence[str], advance: Any
) -> tuple[list[Rating], dict[str, Any]]:
    """Ratings, and the norms behind them; a local assessor reads each text once for both."""
    if not isinstance(assessor, LocalAssessor):
        return assessor.rate(texts), {}
    logprobs = assessor.logprobs(texts, advance)
    if assessor.reference is None:
        assessor.set_norms(texts, logprobs)
    assert assessor.reference is not None
    return assessor.rate_logprobs(texts, logprobs), assessor.reference.to_dict()


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


def _pool(sources: Sources) -> dict[tuple[str, str], str]:
    """What each character says in each dialogue, line by line, up to `POOLED_WORDS`."""
    lines: dict[tuple[str, str], list[str]] = defaultdict(list)
    words: dict[tuple[str, str], int] = defaultdict(int)
    for dialogue in sources.dialogues:
        for utterance in dialogue.utterances:
            key = (dialogue.id, character_id(dialogue, utterance.speaker))
            if key[1] in sources.characters and words[key] < POOLED_WORDS:
                lines[key].append(utterance.text)
                words[key] += count_words(utterance.text)
    return {key: "\n".join(texts) for key, texts in lines.items()}


def _card(
    sources: Sources, rows: Sequence[Row], assessor: Assessor, identity: str
) -> dict[str, Any]:
    return {
        "hash": identity,
        "version": __version__,
        "labels": assessor.identity,
        "files": sources.hashes,
        "languages": sorted({row["language"] for row in rows}),
        "works": len({row["work"] for row in rows}),
        "dialogues": len(sources.dialogues),
        "characters": len(sources.characters),
        "utterances": len(rows),
        "words": sum(count_words(row["text"]) for row in rows),
        "unscored": sum(row["reply_scores"] is None for row in rows),
        "rejected": [vars(rejected) for rejected in sources.rejected],
    }
