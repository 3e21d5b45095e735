"""Subjects for a reliability study: sets of speeches of the characters of a corpus."""

from __future__ import annotations

from collections import defaultdict

from lightning_dpg.assessment.base import count_words
from lightning_dpg.assessment.reliability.subjects import Subject
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.errors import UserError

LEAST_WORDS = 8
"""Of a speech: as much as a reply needs to become a training sample by default."""


def subjects_of(corpus: Corpus, passages: int, language: str) -> list[Subject]:
    """Sets of so many speeches of each character, in order, without overlap.

    Speeches that follow one another make a set, as in a scene; short ones and what is left at the
    end are left out, and so are characters with fewer.

    Args:
        corpus: whose characters.
        passages: speeches in a set, two at least so that there are halves.
        language: two-letter code; speeches in others are left out.

    Raises:
        UserError: fewer than two passages, or nobody says so much in that language.
    """
    if passages < 2:
        raise UserError(
            f"A set has two passages at least, so that it has halves, got {passages} (--passages)"
        )
    said: dict[str, list[str]] = defaultdict(list)
    for row in corpus.utterances:
        wanted = row["character"] and row["language"] == language
        if wanted and count_words(row["text"]) >= LEAST_WORDS:
            said[row["character"]].append(row["text"])
    poles = {row["id"]: tuple(row["poles"]) for row in corpus.characters}
    subjects = [
        Subject(
            id=f"{character} {number}",
            passages=tuple(speeches[start : start + passages]),
            poles=poles.get(character, ()),
            language=language,
            person=character,
        )
        for character, speeches in sorted(said.items())
        for number, start in enumerate(range(0, len(speeches) - passages + 1, passages), start=1)
    ]
    if not subjects:
        most = max(map(len, said.values()), default=0)
        raise UserError(
            f"No character says {passages} speeches of {LEAST_WORDS} words or more in "
            f"{language!r}; the most is {most}. Languages of the corpus: "
            f"{', '.join(corpus.card['languages'])} (--passages, --language)"
        )
    return subjects
