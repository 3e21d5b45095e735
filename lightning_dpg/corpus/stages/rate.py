"""Third stage: the ratings of every speech and of every character's part in a dialogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

import numpy as np

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.assessment.base import Anonymising, Assessor, knowing, spending
from lightning_dpg.assessment.local import MAX_TOKENS, LocalAssessor
from lightning_dpg.assessment.reference import Floats
from lightning_dpg.corpus.stages.read import Part, Row, names_by_work, parts_of
from lightning_dpg.errors import UserError
from lightning_dpg.progress import Advance, Steps
from lightning_dpg.records import Rating

FEWEST = 2
"""Speeches in a language for norms."""
CHUNK = 256
"""Speeches whose readings are kept together: what a kill may cost."""


def rate_speeches(
    rows: Sequence[Row], assessor: Assessor, kept: Artefacts, steps: Steps
) -> tuple[list[Row], dict[str, Any]]:
    """The rows with `reply_scores`, `dialogue_scores` and `reason`, and norms by language.

    What was dropped before is not rated: it would be paid for in vain. A language model's answers
    lie in a store of its own, a local assessor's readings of all speeches beside this stage, so
    that after a change of thresholds nothing is paid for again.
    """
    spoken = [i for i, row in enumerate(rows) if row["character"]]
    asked = [i for i in spoken if not rows[i]["dropped"]]
    if not asked:
        raise UserError(
            f"All {len({row['dialogue'] for row in rows})} dialogues were judged too low: lower "
            "assessor.dialogues.least_coherence or assessor.dialogues.least_integrity"
        )

    def make() -> dict[str, Any]:
        own = [rows[i] for i in asked]
        if isinstance(assessor, LocalAssessor):
            with steps.bar("Rating speeches", len(spoken)) as advance:
                logprobs = read_off(assessor, [rows[i]["text"] for i in spoken], kept, advance)
            mine = np.array([not rows[i]["dropped"] for i in spoken])
            return _plain(*_by_language(assessor, own, logprobs[mine]))
        with steps.bar("Rating speeches and parts", 2 * len(own), spending(assessor)) as advance:
            return _plain(*_apart(assessor, own, advance), {})

    given = [_settings(assessor), [_given(rows[i]) for i in spoken]]
    rated = kept.get("rated", given, make, _reasons)
    result = [
        {**row, "reason": f"not rated: {row['dropped']}"} if row["dropped"] else dict(row)
        for row in rows
    ]
    for i, (scores, reason) in zip(asked, rated["replies"], strict=True):
        result[i] |= {"reply_scores": scores, "reason": reason}
    parts = parts_of([rows[i] for i in asked]).values()
    for part, (scores, _) in zip(parts, rated["parts"], strict=True):
        for i in part:
            result[asked[i]]["dialogue_scores"] = scores
    return result, rated["norms"]


def read_off(
    assessor: LocalAssessor, texts: Sequence[str], kept: Artefacts, advance: Advance
) -> Floats:
    """What `LocalAssessor.logprobs` gives for these texts, (texts, markers), kept in chunks.

    In half precision a text's numbers depend a little on the batch that it is read in. So chunks
    are cut from all texts, done or not, in the order and to a multiple of the size in which the
    assessor itself would read them: a build that was killed ends with the numbers of one that was
    not, and with those of reading all at once.
    """
    length = [
        len(ids) for ids in assessor.tokenizer(list(texts), add_special_tokens=False).input_ids
    ]
    order = sorted(range(len(texts)), key=lambda i: min(length[i], MAX_TOKENS))
    size = max(1, CHUNK // assessor.batch_size) * assessor.batch_size
    result = np.zeros((len(texts), len(assessor.tokens)))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        result[chosen] = _chunk(assessor, [texts[i] for i in chosen], kept, advance)
    return result


def _chunk(
    assessor: LocalAssessor, texts: Sequence[str], kept: Artefacts, advance: Advance
) -> Floats:
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        told += done
        advance(done)

    given = [assessor.identity, assessor.batch_size, texts]
    found = kept.get_array("readings", given, lambda: assessor.logprobs(texts, tell))
    advance(len(texts) - told)  # those that lay there
    return found


Rated = tuple[list[Rating], dict[Part, Rating]]
"""Of speeches in order, and of parts in the order of `parts_of`."""


def _apart(assessor: Assessor, rows: Sequence[Row], advance: Advance) -> Rated:
    """Ratings by an assessor that is asked of speeches and parts one by one.

    One that replaces names is told those of each work for its own texts: a name of one play may be
    a word of another, and a text's question must not change with what else is in a corpus.
    """
    replies: list[Rating] = []
    parts: dict[Part, Rating] = {}
    for work, names in names_by_work(rows).items():
        mine = [row for row in rows if row["work"] == work]
        reader = knowing(assessor, names)
        own = parts_of(mine)
        said = [[mine[i]["text"] for i in part] for part in own.values()]
        who: dict[str, Any] = {}
        whose: dict[str, Any] = {}
        if isinstance(reader, Anonymising):  # it is to know which of the labels is the speaker
            who["speakers"] = [[row["name"]] for row in mine]
            whose["speakers"] = [sorted({mine[i]["name"] for i in part}) for part in own.values()]
        replies += reader.rate([[row["text"]] for row in mine], _before(mine), advance, **who)
        parts |= zip(own, reader.rate(said, advance=advance, **whose), strict=True)
    return replies, parts


def _before(rows: Sequence[Row]) -> list[str]:
    """What was said right before each of these speeches; empty for the first of a dialogue."""
    return [
        before["text"] if before["dialogue"] == row["dialogue"] else ""
        for before, row in zip([{"dialogue": None}, *rows], rows, strict=False)
    ]


def _by_language(
    assessor: LocalAssessor, rows: Sequence[Row], logprobs: Floats
) -> tuple[list[Rating], dict[Part, Rating], dict[str, Any]]:
    """Ratings against norms of the speeches' own language, and these norms.

    English adjectives are likelier after English.
    """
    single: dict[int, Rating] = {}
    together: dict[Part, Rating] = {}
    norms: dict[str, Any] = {}
    for language in sorted({row["language"] for row in rows}):
        mine = [i for i, row in enumerate(rows) if row["language"] == language]
        reader = copy(assessor)
        rated, shared = _alike(reader, [rows[i] for i in mine], logprobs[mine])
        single |= dict(zip(mine, rated, strict=True))
        together |= shared
        if reader.reference is not None:
            norms[language] = reader.reference.to_dict()
    parts = {part: together[part] for part in parts_of(rows)}
    return [single[i] for i in range(len(rows))], parts, norms


def _alike(assessor: LocalAssessor, rows: Sequence[Row], logprobs: Floats) -> Rated:
    """The same of speeches in one language; an assessor without norms takes and keeps theirs."""
    texts, parts = [row["text"] for row in rows], parts_of(rows)
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


def _settings(assessor: Assessor) -> list[Any]:
    """What ratings depend on beside the texts."""
    if not isinstance(assessor, LocalAssessor):
        return [assessor.identity]
    norms = assessor.reference and assessor.reference.to_dict()
    return [assessor.identity, assessor.batch_size, norms]


def _given(row: Row) -> list[Any]:
    keys = ("dialogue", "character", "name", "language", "text")
    return [*(row[key] for key in keys), bool(row["dropped"])]


def _plain(
    replies: Sequence[Rating], parts: dict[Part, Rating], norms: dict[str, Any]
) -> dict[str, Any]:
    def plain(ratings: Iterable[Rating]) -> list[Any]:
        return [[list(r.scores) if r.known else None, r.reason] for r in ratings]

    return {"replies": plain(replies), "parts": plain(parts.values()), "norms": norms}


def _reasons(rated: dict[str, Any]) -> list[str]:
    return [reason for key in ("replies", "parts") for _, reason in rated[key]]
