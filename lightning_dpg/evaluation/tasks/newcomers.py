"""New personalities: profiles that training never saw, and such as rarely occur."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, cycle

import numpy as np

from lightning_dpg.config import DataConfig, EvaluationConfig
from lightning_dpg.evaluation.bank import read_bank
from lightning_dpg.evaluation.personas import CLEARLY, Persona, profiles_in
from lightning_dpg.evaluation.tasks.open_questions import asked
from lightning_dpg.evaluation.tasks.task import Task
from lightning_dpg.records import Profile
from lightning_dpg.regions import EVERYWHERE, Region, cover_all, parse_regions

SEED = 2000
"""Added to the run's seed: other profiles than those drawn for the questions or for calibration."""


def newcomers(config: EvaluationConfig, data: DataConfig, seed: int) -> Task:
    """Half new regions, half contradictory profiles; every second one has a description.

    Nobody is both: a contradictory profile lies in no region that is named as held out. Training
    may have seen it.

    Args:
        config: how many, the contradictory regions, the questions.
        data: the regions that are held out; without any, new profiles are of the whole space.
        seed: of profiles and descriptions.
    """
    held_out = parse_regions(data.held_out_regions)
    contradictory = _apart(parse_regions(config.contradictory), held_out)
    rare = config.newcomers // 2 if contradictory else 0
    kind = "new_region" if held_out else "drawn"  # training saw the whole space
    strangers = _strangers(config.language, seed)
    personas = chain(
        _people(kind, held_out or [EVERYWHERE], config.newcomers - rare, strangers, seed + SEED),
        _people("contradictory", contradictory, rare, strangers, seed + 2 * SEED, held_out),
    )
    return Task("newcomers", "New personalities", asked(personas, config))


def _apart(regions: Sequence[Region], held_out: Sequence[Region]) -> list[Region]:
    """The regions, each that is held out altogether replaced by one that is not.

    The others keep their places, and with them their profiles. Empty where none is left.
    """
    left = [region for region in regions if not cover_all(held_out, region)]
    others = cycle(left)
    return [region if region in left else next(others) for region in regions] if left else []


def _strangers(language: str, seed: int) -> Iterator[tuple[str, str]]:
    """Name and description of one new character after another, in an order of the seed."""
    bank = read_bank("newcomers", language)
    order = np.random.default_rng(seed).permutation(len(bank))
    while True:
        yield from ((bank[i]["name"], bank[i]["description"]) for i in order)


def _people(
    kind: str,
    regions: Sequence[Region],
    count: int,
    strangers: Iterator[tuple[str, str]],
    seed: int,
    avoiding: Sequence[Region] = (),
) -> Iterator[Persona]:
    """So many personas, the regions in turn and every other one of a region described.

    None lies in a region of `avoiding`. Described and others are drawn by sequences of
    their own, see `personas.half_described`.
    """
    rounds = (divmod(i, len(regions)) for i in range(count))
    turns = [(place, (turn + place) % 2 == 0) for turn, place in rounds]
    drawn = {
        turn: iter(profiles_in(regions[turn[0]], turns.count(turn), seed + i, avoiding))
        for i, turn in enumerate(dict.fromkeys(turns))
    }
    for i, (place, described) in enumerate(turns):
        profile, region = next(drawn[place, described]), regions[place]
        name, description = next(strangers) if described else (f"Newcomer {i}", "")
        yield Persona(f"{kind}/{i:02d}", kind, _named(name, region, profile), description, profile)


def _named(name: str, region: Region, profile: Profile) -> str:
    """`Piano tuner, E+ N+`: the region, or of the whole space all that is clear in the profile."""
    label = str(region) or str(Region.of(profile, CLEARLY))
    return f"{name}, {label}" if label else name
