"""Who is asked to speak."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lightning_dpg.config import DataConfig
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.samples import make_samples
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.personas import (
    CLEARLY,
    Persona,
    character_centers,
    character_personas,
    described_personas,
    drawn_personas,
    half_described,
    held_out_personas,
    profiles_in,
)
from lightning_dpg.records import Profile
from lightning_dpg.regions import Region, parse_regions


@pytest.mark.parametrize("count", [16, 24, 64])
@pytest.mark.parametrize("seed", range(4))
def test_drawn_profiles_cover_the_space(count: int, seed: int) -> None:
    personas = drawn_personas(count, seed)
    scores = np.array([p.target.scores for p in personas])
    assert scores.shape == (count, 5)
    assert len({p.id for p in personas}) == count
    for trait in scores.T:
        assert min((trait > 0).sum(), (trait < 0).sum()) >= count / 2 - 4
        # Of the four quarters of the scale none is left empty.
        assert np.histogram(trait, bins=4, range=(-5, 5))[0].min() >= count // 8
    assert np.abs(scores).max() > 4
    assert np.abs(np.corrcoef(scores.T) - np.eye(5)).max() < 0.6


def test_drawn_profiles_have_no_description_and_one_decimal() -> None:
    for persona in drawn_personas(16, 0):
        assert (persona.kind, persona.description) == ("drawn", "")
        assert all(score == round(score, 1) for score in persona.target.scores)


@pytest.mark.parametrize("seed", range(4))
def test_half_of_the_profiles_are_described_whatever_they_are(seed: int) -> None:
    texts = ["A cook.", "A judge.", "", "A cook."]
    personas = half_described(24, texts, seed)
    described = np.array([bool(p.description) for p in personas])
    assert len({p.id for p in personas}) == 24 and described.sum() == 12
    assert [p.description for p in personas].count("A cook.") == 6
    # Every other one of a single sequence would be all that are high in the first trait.
    scores = np.array([p.target.scores for p in personas])
    assert np.abs(scores[described].mean(0) - scores[~described].mean(0)).max() < 2
    assert half_described(24, texts, seed) == personas != half_described(24, texts, seed + 1)
    many = [f"Person {i:02d}." for i in range(30)]
    chosen = [{p.description for p in half_described(24, many, s)} - {""} for s in range(4)]
    assert [len(texts) for texts in chosen] == [12] * 4 and len(set.union(*chosen)) > 20
    assert half_described(24, [" "], seed) == drawn_personas(24, seed)


@pytest.mark.parametrize("regions", [["E+ N+"], ["E+", "N+", "O-"], ["O+ C+ E+ A+ N+"]])
def test_drawn_profiles_keep_out_of_regions(regions: list[str]) -> None:
    avoiding = parse_regions(regions)
    personas = drawn_personas(24, 3, avoiding)
    assert [p.id for p in personas] == [p.id for p in drawn_personas(24, 3)]
    assert not any(p.target in region for p in personas for region in avoiding)
    # What is left of the same sequence, in its order: no other draw.
    left = [p.target for p in drawn_personas(512, 3) if not any(p.target in r for r in avoiding)]
    assert [p.target for p in personas] == left[:24]
    described = half_described(24, ["A cook."], 3, avoiding)
    assert sum(bool(p.description) for p in described) == 12
    assert not any(p.target in region for p in described for region in avoiding)
    for trait in np.array([p.target.scores for p in described]).T[[1, 3]]:  # named by none alone
        assert min((trait > 0).sum(), (trait < 0).sum()) >= 8


def test_drawn_profiles_are_as_they_always_were() -> None:
    first, second = drawn_personas(2, 7)
    assert first.target.scores == (1.5, 4.2, -4.0, 4.3, 2.1)
    assert second.target.scores == (-3.4, -2.4, 0.0, -4.0, -3.9)
    assert drawn_personas(16, 7, ()) == drawn_personas(16, 7)


def test_regions_that_leave_nothing_to_draw_are_named() -> None:
    with pytest.raises(UserError, match=r"Every profile lies in one of the regions E\+, E-, so"):
        drawn_personas(4, 0, parse_regions(["E+", "E-"]))


@pytest.mark.parametrize("text", ["E+ N+", "A- C+ O-"])
@pytest.mark.parametrize("count", [0, 1, 5, 16])
def test_profiles_of_a_region_lie_clearly_in_it(text: str, count: int) -> None:
    region = Region.parse(text)
    profiles = profiles_in(region, count, 0)
    assert len(set(profiles)) == len(profiles) == count
    assert all(profile in region for profile in profiles)
    scores = np.array([profile.scores for profile in profiles]).reshape(count, 5)
    named = np.array(region.signs) != 0
    assert (np.abs(scores[:, named]) >= CLEARLY).all()
    if count == 16:
        assert np.abs(scores).max() > 4.5 and np.abs(scores[:, named]).min() < 2
        assert (scores[:, ~named].min(0) < -2.5).all() and (scores[:, ~named].max(0) > 2.5).all()
    assert profiles == profiles_in(region, count, 0)
    assert count == 0 or profiles != profiles_in(region, count, 1)


@pytest.mark.parametrize("count", [1, 5, 8, 16])
@pytest.mark.parametrize("seed", range(3))
def test_a_profile_in_a_region_to_avoid_is_drawn_again_and_the_others_stay(
    count: int, seed: int
) -> None:
    region, avoiding = Region.parse("E+ N+"), parse_regions(["C- A+", "O+ E+ A+"])

    def hit(profile: Profile) -> bool:
        return any(profile in other for other in avoiding)

    plain = profiles_in(region, count, seed)
    found = profiles_in(region, count, seed, avoiding)
    assert len(set(found)) == count and all(p in region and not hit(p) for p in found)
    for before, after in zip(plain, found, strict=True):
        assert (before == after) is not hit(before)
    assert count < 8 or any(map(hit, plain))
    further = profiles_in(region, 256, seed)[count:]
    assert [p for p in found if p not in plain] == [p for p in further if not hit(p)][
        : sum(map(hit, plain))
    ]


def test_a_region_of_which_nothing_is_left_is_named() -> None:
    with pytest.raises(
        UserError, match=r"Every profile of E\+ N\+ lies in one of the regions E\+,"
    ):
        profiles_in(Region.parse("E+ N+"), 2, 0, parse_regions(["E+"]))


def test_drawn_profiles_follow_from_the_seed() -> None:
    assert drawn_personas(16, 3) == drawn_personas(16, 3)
    assert drawn_personas(16, 3) != drawn_personas(16, 4)


@pytest.mark.parametrize(("count", "expected"), [(-1, 0), (0, 0), (1, 1), (3, 3), (5, 5)])
def test_any_number_can_be_drawn(count: int, expected: int) -> None:
    assert len(drawn_personas(count, 0)) == expected


def test_a_center_is_the_mean_over_the_scenes_and_not_over_the_lines(corpus: Corpus) -> None:
    centers = character_centers(corpus)
    rows = [row for row in corpus.utterances if row["character"] == "ferry/anna"]
    assert [row["dialogue"][-1] for row in rows] == ["1", "1", "2", "3"]
    by_scene = [rows[0]["dialogue_scores"], rows[2]["dialogue_scores"], rows[3]["dialogue_scores"]]
    assert centers["ferry/anna"].scores == pytest.approx(np.mean(by_scene, axis=0), abs=1e-5)
    by_line = np.mean([row["dialogue_scores"] for row in rows], axis=0)
    assert centers["ferry/anna"].scores != pytest.approx(by_line, abs=1e-2)


def test_held_out_characters_ask_for_their_own_centers(corpus: Corpus) -> None:
    samples = [s for s in make_samples(corpus, DataConfig()) if s.character != "ferry/ben"]
    personas = held_out_personas(corpus, samples)
    assert [p.id for p in personas] == [
        "held_out/ferry/anna",
        "held_out/ferry/carla",
        "held_out/ferry/dora",
        "held_out/ferry/emil",
    ]
    assert {p.kind for p in personas} == {"held_out"}
    assert personas[0].name == "Anna"
    assert personas[0].description == "Captain of the ferry, blunt and quick."
    assert personas[1].description == ""
    centers = character_centers(corpus)
    assert all(p.target == centers[p.id.removeprefix("held_out/")] for p in personas)
    assert [p.cluster for p in personas] == [p.id.removeprefix("held_out/") for p in personas]
    seen = character_personas(corpus, samples, "seen")
    assert [replace(p, id=p.id.replace("seen", "held_out"), kind="held_out") for p in seen] == (
        personas
    )


def test_a_described_persona_is_the_same_character_with_its_dials_at_0() -> None:
    anna = Persona("held_out/f/a", "held_out", "Anna", "Blunt.", Profile((1.0,) * 5), "zh", "f/a")
    (found,) = described_personas([anna, replace(anna, description="")])
    neutral = Profile((0.0,) * 5)
    assert found == replace(anna, id="described/held_out/f/a", kind="described", target=neutral)
    assert found.cluster == anna.cluster == "f/a"
    assert drawn_personas(1, 0)[0].cluster == "drawn/00"


def test_a_character_that_was_never_rated_is_not_asked(corpus: Corpus) -> None:
    unrated = corpus.utterances.map(
        lambda row: {"dialogue_scores": None} if row["character"] == "ferry/anna" else {}
    )
    samples = make_samples(corpus, DataConfig())
    personas = held_out_personas(replace(corpus, utterances=unrated), samples)
    assert "held_out/ferry/anna" not in [p.id for p in personas]
    assert len(personas) == 4
