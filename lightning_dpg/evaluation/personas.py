"""Who is asked to speak: held-out characters, and profiles drawn over the whole space."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import qmc

from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample
from lightning_dpg.records import HIGHEST, LOWEST, TRAITS, Profile, distinct

DOSE = 4.0
"""Where a dose-response ends: short of the scale's ends, where measured scores are cut."""
DESCRIBED_SEED = 500
"""Added to the seed of profiles that are given a description."""


@dataclass(frozen=True)
class Persona:
    """A personality to put on.

    Attributes:
        id: stable name, such as `held_out/saltmarsh/mara`, `drawn/03` or `drawn/described/03`.
        kind: `held_out`, `drawn`, `dose` or `described`.
        name: for display.
        description: of the character; empty for drawn profiles, but for those of `half_described`.
        target: the prompted profile.
    """

    id: str
    kind: str
    name: str
    description: str
    target: Profile


def held_out_personas(corpus: Corpus, samples: Sequence[Sample]) -> list[Persona]:
    """The characters of held-out samples, each with its own centre as target.

    The centre is the mean of the ratings of all its lines, scene by scene.
    """
    names = dict(zip(corpus.characters["id"], corpus.characters["name"], strict=True))
    centers = character_centers(corpus)
    described = {sample.character: sample.description for sample in samples}
    return [
        Persona(f"held_out/{key}", "held_out", names[key].title(), described[key], centers[key])
        for key in sorted(described)
        if key in centers
    ]


def character_centers(corpus: Corpus) -> dict[str, Profile]:
    """The mean of each character's ratings over the dialogues it speaks in.

    A character has none where a trait shows in none of them.
    """
    scenes: dict[str, dict[str, list[float | None]]] = defaultdict(dict)
    for row in corpus.utterances:
        if row["character"] and row["dialogue_scores"] and not row["dropped"]:
            scenes[row["character"]][row["dialogue"]] = row["dialogue_scores"]
    centers = {}
    for character, ratings in scenes.items():
        scores = np.array(list(ratings.values()), dtype=float)  # None becomes NaN
        if not np.isnan(scores).all(0).any():
            centers[character] = Profile.cut(np.nanmean(scores, axis=0).tolist())
    return centers


def drawn_personas(count: int, seed: int) -> list[Persona]:
    """Profiles spread evenly over [-5, 5]^5 by a scrambled Sobol sequence, without description."""
    if count < 1:
        return []
    sampler = qmc.Sobol(len(TRAITS), rng=np.random.default_rng(seed))
    points = sampler.random_base2(max(0, (count - 1).bit_length()))[:count]
    scores = qmc.scale(points, LOWEST, HIGHEST).round(1)
    return [
        Persona(f"drawn/{i:02d}", "drawn", f"Drawn {i}", "", Profile(tuple(row)))
        for i, row in enumerate(scores.tolist())
    ]


def half_described(count: int, descriptions: Sequence[str], seed: int) -> list[Persona]:
    """Drawn profiles of which half have one of the descriptions, chosen by the seed.

    Both halves are spread evenly by sequences of their own: of one sequence, every other profile is
    high in the first trait, and a random half is lopsided.
    """
    texts = distinct(descriptions)
    if not texts:
        return drawn_personas(count, seed)
    order = np.random.default_rng(seed).permutation(len(texts))
    described = [
        replace(p, id=p.id.replace("/", "/described/"), description=texts[order[i % len(texts)]])
        for i, p in enumerate(drawn_personas(count // 2, seed + DESCRIBED_SEED))
    ]
    return drawn_personas(count - count // 2, seed) + described


def dose_personas(levels: int) -> list[Persona]:
    """One trait at a time over `levels` even steps from -4 to 4, the others at 0."""
    doses = np.linspace(-DOSE, DOSE, levels).round(2).tolist()
    return [
        Persona(
            f"dose/{trait}/{dose:+g}",
            "dose",
            f"{trait} {dose:+g}",
            "",
            Profile(tuple(dose if t == trait else 0.0 for t in TRAITS)),
        )
        for trait in TRAITS
        for dose in doses
    ]


def described_personas(characters: Sequence[Persona]) -> list[Persona]:
    """Characters with their description and all scores at 0: the description alone speaks."""
    neutral = Profile((0.0,) * len(TRAITS))
    return [
        Persona(f"described/{c.id}", "described", c.name, c.description, neutral)
        for c in characters
        if c.description
    ]
