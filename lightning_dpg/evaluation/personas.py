"""Who is asked to speak: held-out characters, and profiles drawn over the whole space."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import Sample
from lightning_dpg.errors import UserError
from lightning_dpg.records import HIGHEST, LOWEST, TRAITS, Profile, distinct
from lightning_dpg.regions import EVERYWHERE, Region, cover_all

DOSE = 4.0
"""Where a dose-response ends: short of the scale's ends, where measured scores are cut."""
CLEARLY = 1.0
"""How far from 0 a profile that is drawn in a region lies in each trait that the region names."""
DESCRIBED_SEED = 500
"""Added to the seed of profiles that are given a description."""


@dataclass(frozen=True)
class Persona:
    """A personality to put on.

    Attributes:
        id: stable name, such as `held_out/saltmarsh/mara`, `drawn/03` or `drawn/described/03`.
        kind: `held_out`, `seen`, `drawn`, `new_region`, `contradictory`, `dose` or `described`.
        name: for display.
        description: of the character; empty for drawn profiles, but for those of `half_described`.
        target: the prompted profile.
        language: two-letter code of what it hears and answers.
        character: identifier in the corpus of whom it is; empty for those who are nobody there.
            Personas of one character are one cluster in all statistics.
    """

    id: str
    kind: str
    name: str
    description: str
    target: Profile
    language: str = "en"
    character: str = ""

    @property
    def cluster(self) -> str:
        """What statistics resample: the character, or the persona itself where it is nobody's."""
        return self.character or self.id


def held_out_personas(corpus: Corpus, samples: Sequence[Sample]) -> list[Persona]:
    """The characters of held-out samples, each with its own centre as target."""
    return character_personas(corpus, samples, "held_out")


def character_personas(corpus: Corpus, samples: Sequence[Sample], kind: str) -> list[Persona]:
    """The characters that these samples are of, each with its own centre as target.

    The centre is the mean of the ratings of all its lines, scene by scene; characters without one
    are left out.
    """
    names = dict(zip(corpus.characters["id"], corpus.characters["name"], strict=True))
    centers = character_centers(corpus)
    described = {sample.character: sample.description for sample in samples}
    return [
        Persona(
            f"{kind}/{key}",
            kind,
            names[key].title(),
            described[key],
            centers[key],
            character=key,
        )
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


def drawn_personas(count: int, seed: int, avoiding: Sequence[Region] = ()) -> list[Persona]:
    """Profiles spread evenly over [-5, 5]^5, without description.

    Args:
        count: how many.
        seed: of the sequence.
        avoiding: regions that none of them lies in.

    Raises:
        UserError: the regions leave no profile.
    """
    return [
        Persona(f"drawn/{i:02d}", "drawn", f"Drawn {i}", "", profile)
        for i, profile in enumerate(drawn_profiles(count, seed, avoiding))
    ]


def drawn_profiles(count: int, seed: int, avoiding: Sequence[Region] = ()) -> list[Profile]:
    """The first `count` profiles of a scrambled Sobol sequence that lie in none of the regions.

    Raises:
        UserError: the regions leave no profile.
    """
    _check_left(EVERYWHERE, avoiding)
    power = max(0, (count - 1).bit_length())
    found: list[Profile] = []
    while len(found) < count:  # a longer sequence of the same seed begins with the shorter one
        scores = qmc.scale(_sobol(power, seed), LOWEST, HIGHEST).round(1)
        drawn = [Profile(tuple(row)) for row in scores.tolist()]
        found = [p for p in drawn if not any(p in region for region in avoiding)]
        power += 1
    return found[: max(0, count)]


def _check_left(region: Region, avoiding: Sequence[Region]) -> None:
    if cover_all(avoiding, region):
        which = f" of {region}" if str(region) else ""
        raise UserError(
            f"Every profile{which} lies in one of the regions {', '.join(map(str, avoiding))}, "
            "so none is left to draw: name fewer or smaller ones (data.held_out_regions)"
        )


def _sobol(power: int, seed: int) -> NDArray[np.float64]:
    """The first points of a scrambled Sobol sequence, (2^power, traits) in [0, 1)."""
    sampler = qmc.Sobol(len(TRAITS), rng=np.random.default_rng(seed))
    points: NDArray[np.float64] = sampler.random_base2(power)
    return points


def half_described(
    count: int, descriptions: Sequence[str], seed: int, avoiding: Sequence[Region] = ()
) -> list[Persona]:
    """Drawn profiles of which half have one of the descriptions, chosen by the seed.

    Both halves are spread evenly by sequences of their own: of one sequence, every other profile is
    high in the first trait, and a random half is lopsided. None lies in a region of `avoiding`.
    """
    texts = distinct(descriptions)
    if not texts:
        return drawn_personas(count, seed, avoiding)
    order = np.random.default_rng(seed).permutation(len(texts))
    drawn = drawn_personas(count // 2, seed + DESCRIBED_SEED, avoiding)
    described = [
        replace(p, id=p.id.replace("/", "/described/"), description=texts[order[i % len(texts)]])
        for i, p in enumerate(drawn)
    ]
    return drawn_personas(count - count // 2, seed, avoiding) + described


def profiles_in(
    region: Region, count: int, seed: int, avoiding: Sequence[Region] = ()
) -> list[Profile]:
    """Profiles spread evenly over a region by a scrambled Sobol sequence.

    Traits that the region names lie at `CLEARLY` or farther from 0. A profile that lies in a region
    of `avoiding` as well gives its place to a later one of the sequence; the others stay.

    Raises:
        UserError: the regions to avoid leave no profile.
    """
    _check_left(region, avoiding)

    def allowed(profile: Profile) -> bool:
        return not any(profile in other for other in avoiding)

    count, power = max(0, count), max(0, (count - 1).bit_length())
    found: list[Profile] = []
    while len(found) < count:  # a longer sequence of the same seed begins with the shorter one
        drawn = _first_in(region, power, seed)
        later = filter(allowed, drawn[count:])
        places = ([p] if allowed(p) else islice(later, 1) for p in drawn[:count])
        found = [profile for place in places for profile in place]
        power += 1
    return found


def _first_in(region: Region, power: int, seed: int) -> list[Profile]:
    """The first 2^power profiles of a region's sequence."""
    points = _sobol(power, seed)
    signs = np.array(region.signs)
    inside = signs * (CLEARLY + points * (HIGHEST - CLEARLY))
    scores = np.where(signs == 0, qmc.scale(points, LOWEST, HIGHEST), inside).round(1)
    return [Profile(tuple(row)) for row in scores.tolist()]


def dose_personas(levels: int, backgrounds: Sequence[Sequence[float]] = ()) -> list[Persona]:
    """One trait at a time over `levels` even steps from -4 to 4, the others at a background.

    Args:
        levels: doses of each trait.
        backgrounds: profiles that the others stand at after they have stood at 0.

    Returns:
        At 0, `dose/<trait>/<dose>`; at the k-th further background, `dose/<k>/<trait>/<dose>`.
    """
    doses = np.linspace(-DOSE, DOSE, levels).round(2).tolist()
    personas = []
    for k, background in enumerate([(0.0,) * len(TRAITS), *backgrounds]):
        where, at = (f"{k}/", f", background {k}") if k else ("", "")
        for i, trait in enumerate(TRAITS):
            for dose in doses:
                target = Profile((*background[:i], dose, *background[i + 1 :]))
                name, shown = f"dose/{where}{trait}/{dose:+g}", f"{trait} {dose:+g}{at}"
                personas.append(Persona(name, "dose", shown, "", target))
    return personas


def described_personas(characters: Sequence[Persona]) -> list[Persona]:
    """Characters with their description and all scores at 0: the description alone speaks."""
    neutral = Profile((0.0,) * len(TRAITS))
    return [
        replace(c, id=f"described/{c.id}", kind="described", target=neutral)
        for c in characters
        if c.description
    ]
