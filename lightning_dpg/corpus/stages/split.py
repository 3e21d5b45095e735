"""Sixth stage: who is for training, for validation and for test."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.config import DataConfig
from lightning_dpg.corpus.stages.read import Row
from lightning_dpg.errors import UserError

PARTS = ("train", "validation", "test")
SEED = 0
"""Of the column `split`; a run of `dpg train` draws a split of its own from its own seed."""


def draw_by_language(
    speeches: Iterable[tuple[str, str]], config: DataConfig, seed: int
) -> dict[str, str]:
    """The part of `PARTS` that each character, or work, falls to, language by language.

    Each language is drawn by itself with the same seed: it holds out the same whichever other
    languages are there. Who speaks several is of the one that most of its speeches are in, of two
    with as many of the first by name. A language that is too small for three parts holds out one
    for test, and none where there is only one, as long as it is not the only language.

    Args:
        speeches: of each speech that counts, or sample, whose it is and its language.
        config: fractions.
        seed: of the draws.

    Raises:
        UserError: too few to fill three parts.
    """
    groups = _by_language(speeches)
    if len(groups) < 2:
        return draw_split(itertools.chain(*groups.values()), config, seed)
    part: dict[str, str] = {}
    for keys in groups.values():
        shuffled = _shuffled(keys, seed)
        shares = _shares(len(shuffled), config)
        if len(shuffled) - sum(shares) < 1:
            shares = min(1, len(shuffled) - 1), 0
        part |= _dealt(shuffled, *shares)
    if missing := [name for name in PARTS if name not in part.values()]:
        raise UserError(
            f"{len(part)} {config.split_by}s with samples in {len(groups)} languages "
            f"({', '.join(groups)}), each split by itself, leave none for {' and '.join(missing)}: "
            "bring more dialogue or name one language (data.languages)"
        )
    return part


def draw_split(keys: Iterable[str], config: DataConfig, seed: int) -> dict[str, str]:
    """The part of `PARTS` that each character, or work, of one language falls to.

    Args:
        keys: characters or works that have samples.
        config: fractions.
        seed: of the draw.

    Raises:
        UserError: too few to fill three parts.
    """
    shuffled = _shuffled(keys, seed)
    test, validation = _shares(len(shuffled), config)
    if len(shuffled) - test - validation < 1:
        raise UserError(
            f"{len(shuffled)} {config.split_by}s with samples are too few to hold out {test} for "
            f"test and {validation} for validation: bring more dialogue or change "
            "data.test_fraction and data.validation_fraction"
        )
    return _dealt(shuffled, test, validation)


def split_rows(rows: Sequence[Row], config: DataConfig, kept: Artefacts) -> list[Row]:
    """The rows with `split`, by character or work as in training; all `train` where they are few.

    It is for those who load the tables themselves. Training draws among the characters that have a
    sample by its own settings (words of a reply, turns before it), anew for each seed: a result
    over seeds says then how far it depends on who was held out.
    """
    by = config.split_by
    speeches = [(r[by], r["language"]) for r in rows if r["reply_scores"] and not r["dropped"]]
    counts = sorted((*speech, count) for speech, count in Counter(speeches).items())

    def make() -> dict[str, str]:
        try:
            return draw_by_language(speeches, config, SEED)
        except UserError:
            return {key: "train" for key, _ in speeches}

    given = [by, config.validation_fraction, config.test_fraction, counts]
    part = kept.get("split", given, make)
    return [{**row, "split": part.get(row[by], "")} for row in rows]


def split_counts(rows: Sequence[Row], by: str) -> dict[str, Any]:
    """For each part, how many characters or works (`by`) and rated speeches are in it."""
    used = [row for row in rows if row["reply_scores"] and not row["dropped"]]
    speeches = Counter(row["split"] for row in used)
    return {
        part: {f"{by}s": len({row[by] for row in used if row["split"] == part}), "speeches": count}
        for part in PARTS
        if (count := speeches[part])
    }


def _by_language(speeches: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Whose speeches they are, by the language of most of them, sorted."""
    counts: dict[str, Counter[str]] = {}
    for key, language in speeches:
        counts.setdefault(key, Counter())[language] += 1
    groups: dict[str, list[str]] = {}
    for key, found in sorted(counts.items()):
        groups.setdefault(min(found, key=lambda name: (-found[name], name)), []).append(key)
    return dict(sorted(groups.items()))


def _shuffled(keys: Iterable[str], seed: int) -> list[str]:
    shuffled = sorted(set(keys))
    random.Random(seed).shuffle(shuffled)
    return shuffled


def _shares(count: int, config: DataConfig) -> tuple[int, int]:
    """How many of so many are for test and for validation, at least one each."""
    test = max(1, round(config.test_fraction * count))
    return test, max(1, round(config.validation_fraction * count))


def _dealt(shuffled: Sequence[str], test: int, validation: int) -> dict[str, str]:
    return {
        key: "test" if i < test else "validation" if i < test + validation else "train"
        for i, key in enumerate(shuffled)
    }
