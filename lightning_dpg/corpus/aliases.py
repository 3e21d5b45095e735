"""One character under several names: merged where a file's own names or its notes say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lightning_dpg.corpus.readers.speakers import slug
from lightning_dpg.records import Dialogue, Utterance

_TITLES = frozenset(
    (
        "mr mrs ms miss mister madam madame mme mlle monsieur sir lady lord dr doctor professor "
        "captain colonel general major sergeant officer inspector detective king queen prince "
        "princess duke duchess count countess judge father mother sister brother uncle aunt "
        "grandmother grandfather saint st old young little big the a an first second third "
        "herr frau fräulein graf gräfin don doña señor señora senhor"
    ).split()
)
"""Words that open the names of several people: `LADY` is not short for `LADY MACBETH`."""

Names = Mapping[str, str]
"""From the identifier of a speaker to the name that stands for it."""


def merge_aliases(
    dialogues: Sequence[Dialogue],
    notes: Mapping[str, Sequence[str]] | None = None,
    by_name: bool = True,
) -> list[Dialogue]:
    """The dialogues of one work with every character under one name.

    By rule, a first name stands for the one full name that begins with it (`JOEY` for
    `JOEY TRIBBIANI`), where a source knows speakers by their names alone: identifiers that it gives
    itself are believed. What the notes say goes before the rule.

    Args:
        dialogues: of one work.
        notes: from a name to its other names, as displayed; case does not matter.
        by_name: whether the rule holds: not for identifiers that a source gives.
    """
    names, notes = _names(dialogues), notes or {}
    same = (_by_rule(names) if by_name else {}) | _by_notes(notes, names)
    same = {speaker: _last(speaker, same) for speaker in same}
    names = {slug(name): name for name in notes} | names
    return [
        replace(d, utterances=tuple(_merged(u, same, names) for u in d.utterances))
        for d in dialogues
    ]


def _last(speaker: str, same: Names) -> str:
    """Where a chain of names ends; one that goes round ends where it began."""
    seen = {speaker}
    while (following := same.get(speaker, speaker)) not in seen:
        seen.add(following)
        speaker = following
    return speaker


def _names(dialogues: Iterable[Dialogue]) -> dict[str, str]:
    """The first name that each identifier of a character is displayed by."""
    names: dict[str, str] = {}
    for dialogue in dialogues:
        for utterance in dialogue.utterances:
            if utterance.speaker and not utterance.collective:
                names.setdefault(utterance.speaker, utterance.name)
    return names


def _by_rule(names: Names) -> dict[str, str]:
    """From the identifier of a first name to that of the only full name that begins with it."""
    words = {speaker: slug(name).split("-") for speaker, name in names.items()}
    found = {}
    for speaker, parts in words.items():
        longer = [s for s, w in words.items() if len(w) > 1 and w[0] == parts[0] and _named(w)]
        if len(parts) == 1 and parts[0] not in _TITLES and len(longer) == 1:
            found[speaker] = longer[0]
    return found


def _named(words: Sequence[str]) -> bool:
    """Whether more than a number or a letter follows the first word: `GUARD 2` is no full name."""
    return any(len(word) > 1 and not word.isdigit() for word in words[1:])


def _by_notes(notes: Mapping[str, Sequence[str]], names: Names) -> dict[str, str]:
    """From the identifiers of other names to that of the main one, as a person wrote them down."""
    known = {name.casefold(): speaker for speaker, name in names.items()}
    pairs = [
        (known.get(other.casefold()), known.get(name.casefold(), slug(name)))
        for name, others in notes.items()
        for other in others
    ]
    return {other: main for other, main in pairs if other is not None and other != main}


def _merged(utterance: Utterance, same: Names, names: Names) -> Utterance:
    addressees = tuple(dict.fromkeys(same.get(a, a) for a in utterance.addressees))
    main = same.get(utterance.speaker)
    if main is None:
        return replace(utterance, addressees=addressees)
    return replace(utterance, speaker=main, name=names[main], addressees=addressees)
