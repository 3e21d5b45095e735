"""Samples: a profile, a character, the turns before, and the reply; and how they are split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lightning_dpg.assessment.base import count_words
from lightning_dpg.config import DataConfig
from lightning_dpg.corpus.stages.split import PARTS, draw_by_language
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.prompts import Turn
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile
from lightning_dpg.regions import Region, parse_regions


@dataclass(frozen=True)
class Sample:
    """One reply to learn.

    Attributes:
        character: identifier of who speaks.
        work: where it stands.
        language: two-letter code.
        description: of the character, possibly empty.
        profile: scores in [-5, 5] that the label's assessor gave.
        context: the turns before the reply, oldest first.
        reply: what is said.
    """

    character: str
    work: str
    language: str
    description: str
    profile: Profile
    context: tuple[Turn, ...]
    reply: str


def make_samples(corpus: Corpus, config: DataConfig) -> list[Sample]:
    """The samples of a corpus, in its order.

    Left out: the first speech of a dialogue (it answers nothing), speeches of crowds, shorter than
    `min_reply_words`, without a rating, or dropped by a filter. A trait of which a speech shows too
    little stands at 0: where profiles turn dials, that dial is not turned, and learns nothing.
    """
    described = dict(zip(corpus.characters["id"], corpus.characters["description"], strict=True))
    column = "reply_scores" if config.profile_from == "reply" else "dialogue_scores"
    rows = list(corpus.utterances)
    samples = []
    for i, row in enumerate(rows):
        before = [
            r
            for r in rows[max(0, i - config.context_turns) : i]
            if r["dialogue"] == row["dialogue"]
        ]
        long_enough = count_words(row["text"]) >= config.min_reply_words
        wanted = row["character"] and row[column] and not row["dropped"]
        if not (before and wanted and long_enough):
            continue
        samples.append(
            Sample(
                row["character"],
                row["work"],
                row["language"],
                described[row["character"]],
                Profile.cut([0.0 if score is None else score for score in row[column]]),
                tuple((r["name"].title() or "Someone", r["text"]) for r in before),
                row["text"],
            )
        )
    return samples


def split_samples(
    samples: Sequence[Sample],
    config: DataConfig,
    seed: int,
    others: Sequence[Sample] | None = None,
) -> dict[str, list[Sample]]:
    """Train, validation and test, which share no character (or no work).

    Each language is drawn by itself: who is held out does not depend on the other languages.
    Samples in a region that is held out are left out of train and validation, and kept in test.

    Args:
        samples: of the corpus.
        config: fractions, and the regions that are held out.
        seed: of the draw.
        others: of another corpus, which are the test then. Who would have been test is trained on:
            validation is the same with and without.

    Raises:
        UserError: too few characters or works to fill three parts, a character in both corpora, or
            regions that leave nothing to train on or to validate with.
    """
    speeches = [(_key(sample, config), sample.language) for sample in samples]
    part = draw_by_language(speeches, config, seed)
    split: dict[str, list[Sample]] = {name: [] for name in PARTS}
    for sample in samples:
        split[part[_key(sample, config)]].append(sample)
    if others is not None:
        _check_apart(samples, others)
        learned = [s for s in samples if part[_key(s, config)] != "validation"]
        split |= {"train": learned, "test": list(others)}
    regions = parse_regions(config.held_out_regions)
    return split | {name: _outside(split[name], regions, name) for name in ("train", "validation")}


def _check_apart(samples: Sequence[Sample], others: Sequence[Sample]) -> None:
    both = {sample.character for sample in samples} & {sample.character for sample in others}
    if both:
        raise UserError(
            "data.sources and data.test_sources both hold "
            f"{', '.join(sorted({name.rpartition('/')[0] for name in both}))}, but nobody may be "
            "trained on and tested: leave such texts out of one, or rename them"
        )


def _outside(samples: list[Sample], regions: Sequence[Region], part: str) -> list[Sample]:
    """The samples of a part whose profiles lie in none of the regions, nor in their mirror image.

    The contrast of training would show that as somebody's opposite.
    """
    shown = [*regions, *(region.mirrored for region in regions)]
    kept = [s for s in samples if not any(s.profile in region for region in shown)]
    if not kept and samples:
        raise UserError(
            f"All {len(samples)} samples for {part} lie in {', '.join(map(str, regions))}: name "
            "fewer or smaller regions, or bring more dialogue (data.held_out_regions)"
        )
    return kept


def most_pronounced(samples: Sequence[Sample], share: float) -> list[Sample]:
    """A share in (0, 1] of the samples: those with the longest profiles, in their order."""
    lengths = [math.hypot(*sample.profile.scores) for sample in samples]
    farthest = sorted(range(len(samples)), key=lambda i: -lengths[i])
    return [samples[i] for i in sorted(farthest[: math.ceil(share * len(samples))])]


def _key(sample: Sample, config: DataConfig) -> str:
    return sample.work if config.split_by == "work" else sample.character
