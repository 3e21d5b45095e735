"""Sixth stage: who is for training, for validation and for test."""

from __future__ import annotations

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


def draw_split(keys: Iterable[str], config: DataConfig, seed: int) -> dict[str, str]:
    """The part of `PARTS` that each character, or work, falls to.

    Args:
        keys: characters or works that have samples.
        config: fractions.
        seed: of the draw.

    Raises:
        UserError: too few to fill three parts.
    """
    shuffled = sorted(set(keys))
    random.Random(seed).shuffle(shuffled)
    test = max(1, round(config.test_fraction * len(shuffled)))
    validation = max(1, round(config.validation_fraction * len(shuffled)))
    if len(shuffled) - test - validation < 1:
        raise UserError(
            f"{len(shuffled)} {config.split_by}s with samples are too few to hold out {test} for "
            f"test and {validation} for validation: bring more dialogue or change "
            "data.test_fraction and data.validation_fraction"
        )
    return {
        key: "test" if i < test else "validation" if i < test + validation else "train"
        for i, key in enumerate(shuffled)
    }


def split_rows(rows: Sequence[Row], config: DataConfig, kept: Artefacts) -> list[Row]:
    """The rows with `split`, by character or work as in training; all `train` where they are few.

    It is for those who load the tables themselves. Training draws among the characters that have a
    sample by its own settings (words of a reply, turns before it), anew for each seed: a result
    over seeds says then how far it depends on who was held out.
    """
    by = config.split_by
    keys = sorted({row[by] for row in rows if row["reply_scores"] and not row["dropped"]})

    def make() -> dict[str, str]:
        try:
            return draw_split(keys, config, SEED)
        except UserError:
            return dict.fromkeys(keys, "train")

    given = [by, config.validation_fraction, config.test_fraction, keys]
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
