"""Which speeches become samples, and who is held out."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from lightning_dpg.assessment.base import count_words
from lightning_dpg.config import DataConfig
from lightning_dpg.corpus.stages.split import PARTS
from lightning_dpg.corpus.store import CHARACTERS, UTTERANCES, Corpus
from lightning_dpg.data.samples import Sample, make_samples, most_pronounced, split_samples
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile

LONG = "this is a line of more than eight words, I think"
SCORES = [1.0, -2.0, 0.5, 4.0, -5.0]


def row(who: str, text: str, dialogue: str = "play/001", **other: Any) -> dict[str, Any]:
    return {
        "dialogue": dialogue,
        "work": "play",
        "scene": "",
        "language": "en",
        "source": "play.txt",
        "position": "",
        "character": f"play/{who}" if who else "",
        "name": who.upper(),
        "text": text,
        "reply_scores": SCORES,
        "dialogue_scores": [0.0] * 5,
        "reason": "",
        "coherence": None,
        "integrity": None,
        "distance": None,
        "dropped": "",
        "split": "",
        **other,
    }


def corpus_of(*rows: dict[str, Any]) -> Corpus:
    people = sorted({r["character"] for r in rows} - {""})
    described = [
        {"id": p, "name": p, "description": f"About {p}.", "poles": [1] * 5} for p in people
    ]
    return Corpus(
        Dataset.from_list(list(rows), features=UTTERANCES),
        Dataset.from_list(described, features=CHARACTERS),
        {},
        {},
    )


def samples_of(*rows: dict[str, Any], **settings: Any) -> list[Sample]:
    return make_samples(corpus_of(*rows), DataConfig(**settings))


def test_a_sample_holds_who_answers_what_with_which_scores() -> None:
    (sample,) = samples_of(row("ann", "Who is there?"), row("ben", LONG))
    assert sample == Sample(
        "play/ben",
        "play",
        "en",
        "About play/ben.",
        Profile(tuple(SCORES)),
        (("Ann", "Who is there?"),),
        LONG,
    )


def test_the_first_speech_of_a_dialogue_is_left_out() -> None:
    samples = samples_of(
        row("ann", f"{LONG} 1"),
        row("ben", f"{LONG} 2"),
        row("ann", f"{LONG} 3", "play/002"),
        row("ben", f"{LONG} 4", "play/002"),
    )
    assert [s.reply[-1] for s in samples] == ["2", "4"]


def test_the_context_is_bounded_and_stays_in_the_dialogue() -> None:
    rows = [row("ann", f"{LONG} {i}") for i in range(5)]
    rows += [row("ann", f"{LONG} {i}", "play/002") for i in range(5, 7)]
    for turns in (1, 2, 3):
        samples = samples_of(*rows, context_turns=turns)
        contexts = [[text[-1] for _, text in s.context] for s in samples]
        whole = ["0", "01", "012", "0123", "5"]
        assert contexts == [list(said[-turns:]) for said in whole]


def test_short_speeches_are_left_out_but_stay_in_the_context() -> None:
    rows = [row("ann", LONG), row("ben", "Yes, I am here."), row("ann", LONG)]
    assert [s.context for s in samples_of(*rows)] == [(("Ann", LONG), ("Ben", "Yes, I am here."))]
    assert len(samples_of(*rows, min_reply_words=4)) == 2
    assert count_words(LONG) == 11
    assert len(samples_of(*rows, min_reply_words=11)) == 1
    assert len(samples_of(*rows, min_reply_words=12)) == 0


def test_unrated_speeches_and_crowds_are_left_out() -> None:
    rows = [
        row("ann", LONG),
        row("ben", f"{LONG} 1", reply_scores=None),
        row("", f"{LONG} 2", name="ALL", reply_scores=None, dialogue_scores=None),
        row("ben", f"{LONG} 3"),
    ]
    (sample,) = samples_of(*rows)
    assert sample.reply[-1] == "3"
    assert sample.context[-1][0] == "All"


def test_what_a_filter_dropped_is_context_and_no_sample() -> None:
    rows = [row("ann", LONG), row("ben", f"{LONG} 1", dropped="distance: 4"), row("ann", LONG)]
    (sample,) = samples_of(*rows)
    assert sample.character == "play/ann"
    assert sample.context[-1] == ("Ben", f"{LONG} 1")


def test_a_trait_that_does_not_show_turns_no_dial() -> None:
    partly = [None, -2.0, None, 4.0, None]
    rows = [row("ann", LONG), row("ben", LONG, reply_scores=partly)]
    (sample,) = samples_of(*rows)
    assert sample.profile.scores == (0.0, -2.0, 0.0, 4.0, 0.0)


def test_whoever_has_no_name_is_someone() -> None:
    (sample,) = samples_of(row("", LONG, name=""), row("ben", LONG))
    assert sample.context == (("Someone", LONG),)


def test_the_profile_comes_from_the_reply_or_from_the_dialogue() -> None:
    rows = [row("ann", LONG), row("ben", LONG), row("ann", LONG, reply_scores=None)]
    by_reply = samples_of(*rows)
    by_dialogue = samples_of(*rows, profile_from="dialogue")
    assert [s.profile.scores for s in by_reply] == [tuple(SCORES)]
    assert [s.profile.scores for s in by_dialogue] == [(0.0,) * 5] * 2


def cast(characters: int, works: int = 3, each: int = 4) -> list[Sample]:
    """Samples of many characters, `each` for everybody, the characters spread over the works."""
    return [
        Sample(
            f"work{i % works}/{i}",
            f"work{i % works}",
            "en",
            "",
            Profile((0.0,) * 5),
            (("A", "Hm?"),),
            f"{i}.{j}",
        )
        for i in range(characters)
        for j in range(each)
    ]


@pytest.mark.parametrize("split_by", ["character", "work"])
@pytest.mark.parametrize("seed", range(10))
def test_parts_share_nobody_and_lose_nothing(split_by: Any, seed: int) -> None:
    samples = cast(20, works=5)
    split = split_samples(samples, DataConfig(split_by=split_by), seed)
    assert set(split) == set(PARTS)
    assert sorted((s for part in split.values() for s in part), key=samples.index) == samples
    groups = [{getattr(s, split_by) for s in split[part]} for part in PARTS]
    assert all(groups)
    assert (
        sum(map(len, groups)) == len(set.union(*groups)) == (20 if split_by == "character" else 5)
    )
    for part in split.values():
        assert sorted(part, key=samples.index) == part  # in the order of the corpus


def test_the_parts_are_as_large_as_asked() -> None:
    split = split_samples(
        cast(20), DataConfig(validation_fraction=0.15, test_fraction=0.25), seed=3
    )
    people = {part: len({s.character for s in split[part]}) for part in PARTS}
    assert people == {"train": 12, "validation": 3, "test": 5}
    tiny = split_samples(
        cast(3), DataConfig(validation_fraction=0.001, test_fraction=0.001), seed=0
    )
    assert {part: len({s.character for s in tiny[part]}) for part in PARTS} == dict.fromkeys(
        PARTS, 1
    )


def test_the_split_follows_from_the_seed() -> None:
    samples, config = cast(20), DataConfig()
    assert split_samples(samples, config, 1) == split_samples(samples, config, 1)
    assert len({str(split_samples(samples, config, seed)["test"]) for seed in range(6)}) > 3
    order = split_samples(samples[::-1], config, 1)  # the order of the corpus does not matter
    assert {s.character for s in order["test"]} == {
        s.character for s in split_samples(samples, config, 1)["test"]
    }


def by_hand(keys: list[str], seed: int, test: int, validation: int) -> dict[str, set[str]]:
    """The draw of one language, as runs that are published were split."""
    order = sorted(keys)
    random.Random(seed).shuffle(order)
    parts = order[:test], order[test : test + validation], order[test + validation :]
    return dict(zip(("test", "validation", "train"), map(set, parts), strict=True))


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize(("people", "test", "validation"), [(48, 10, 5), (6, 1, 1), (3, 1, 1)])
def test_a_corpus_of_one_language_is_split_as_it_always_was(
    seed: int, people: int, test: int, validation: int
) -> None:
    samples = cast(people)
    split = split_samples(samples, DataConfig(), seed)
    expected = by_hand([s.character for s in samples[::4]], seed, test, validation)
    for part, found in split.items():
        assert found == [s for s in samples if s.character in expected[part]]


def in_chinese(samples: list[Sample]) -> list[Sample]:
    """Others, who speak Chinese."""
    return [
        replace(s, character=f"a{s.character}", work=f"a{s.work}", language="zh") for s in samples
    ]


@pytest.mark.parametrize("split_by", ["character", "work"])
@pytest.mark.parametrize("seed", range(5))
def test_a_language_holds_out_the_same_whichever_others_are_there(split_by: Any, seed: int) -> None:
    config = DataConfig(split_by=split_by)
    english, chinese = cast(20, works=5), in_chinese(cast(6, works=3))
    alone = [split_samples(samples, config, seed) for samples in (english, chinese)]
    whole = split_samples([*english, *chinese], config, seed)
    assert whole == {part: alone[0][part] + alone[1][part] for part in PARTS}
    assert {s.language for s in whole["test"]} == {"en", "zh"}


def test_whoever_speaks_several_languages_is_of_the_one_of_most_lines() -> None:
    english, chinese = cast(20), in_chinese(cast(6))
    guests = [replace(s, language="zh") if s.reply.endswith(".0") else s for s in english]
    whole = split_samples([*guests, *chinese], DataConfig(), 0)
    alone = split_samples(english, DataConfig(), 0)
    for part in PARTS:
        people = {s.character for s in whole[part] if not s.character.startswith("a")}
        assert people == {s.character for s in alone[part]}


@pytest.mark.parametrize(("few", "tested"), [(2, 1), (1, 0)])
def test_a_language_of_few_holds_out_one_where_it_can(few: int, tested: int) -> None:
    english, chinese = cast(20), in_chinese(cast(few))
    whole = split_samples([*english, *chinese], DataConfig(), 3)
    people = {part: {s.character for s in whole[part] if s.language == "zh"} for part in PARTS}
    assert [len(people[part]) for part in ("train", "validation", "test")] == [1, 0, tested]
    with pytest.raises(UserError, match=r"in 2 languages \(en, zh\), .* none for validation"):
        split_samples([*cast(2), *in_chinese(cast(2))], DataConfig(), 0)


def in_regions(samples: list[Sample]) -> list[Sample]:
    """Every third sample outgoing and anxious, every third outgoing alone, the others neither."""
    profiles = [(0, 0, 2, 0, 1), (0, 0, 2, 0, 0), (0, 0, -2, 0, -1)]
    return [
        replace(sample, profile=Profile(tuple(map(float, profiles[i % 3]))))
        for i, sample in enumerate(samples)
    ]


@pytest.mark.parametrize("regions", [["E+ N+"], ["E+ N+", "E- N-"], ["O+"]])
def test_regions_are_held_out_of_training_and_validation_but_not_of_test(
    regions: list[str],
) -> None:
    samples = in_regions(cast(20, each=6))
    whole = split_samples(samples, DataConfig(), 0)
    held = split_samples(samples, DataConfig(held_out_regions=regions), 0)
    signs = {"E+ N+": (1, 1), "E- N-": (-1, -1)}
    for part in ("train", "validation"):
        assert held[part] == [
            s
            for s in whole[part]
            if not any(
                s.profile.scores[2] * e * side > 0 and s.profile.scores[4] * n * side > 0
                for e, n in (signs[region] for region in regions if region in signs)
                for side in (1, -1)  # the opposite is left out with it
            )
        ]
        assert (held[part] == whole[part]) is (regions == ["O+"])  # 0 lies in no region
    assert held["test"] == whole["test"]


@pytest.mark.parametrize("part", ["train", "validation"])
def test_regions_that_leave_nothing_are_named(part: str) -> None:
    whole = split_samples(cast(20), DataConfig(), 0)
    samples = [replace(s, profile=Profile((1.0,) * 5)) if s in whole[part] else s for s in cast(20)]
    with pytest.raises(UserError) as caught:
        split_samples(samples, DataConfig(held_out_regions=["E+ N+", "A-"]), 0)
    assert str(caught.value).startswith(
        f"All {len(whole[part])} samples for {part} lie in E+ N+, A-: name fewer"
    )
    assert "data.held_out_regions" in str(caught.value)


@pytest.mark.parametrize("split_by", ["character", "work"])
def test_the_test_may_be_another_corpus(split_by: Any) -> None:
    samples, config = cast(20, works=5), DataConfig(split_by=split_by)
    others = [replace(s, character=f"other{s.character}", work="other") for s in cast(3)]
    alone, both = split_samples(samples, config, 0), split_samples(samples, config, 0, others)
    assert both["test"] == others
    assert both["validation"] == alone["validation"]
    assert both["train"] == [s for s in samples if s not in alone["validation"]]
    regions = replace(config, held_out_regions=["E+ N+"])
    others = in_regions(others)
    assert split_samples(in_regions(samples), regions, 0, others)["test"] == others


def test_nobody_is_trained_on_and_tested() -> None:
    samples = cast(20)
    with pytest.raises(UserError) as caught:
        split_samples(samples, DataConfig(), 0, samples[:1])
    assert str(caught.value).startswith(
        "data.sources and data.test_sources both hold work0, but nobody may be trained on and"
    )


def test_the_most_pronounced_are_those_farthest_from_the_middle_in_their_order() -> None:
    profiles = [(0.0, 0.0, 3.0, 0.0, 0.0), (1.0,) * 5, (0.0,) * 5, (-5.0, 0.0, 0.0, 0.0, 0.0)]
    samples = [replace(cast(1)[0], profile=Profile(scores)) for scores in profiles]
    assert most_pronounced(samples, 0.5) == [samples[0], samples[3]]
    assert most_pronounced(samples, 0.6) == [samples[0], samples[1], samples[3]]  # of 2.4 the next
    assert most_pronounced(samples, 0.01) == [samples[3]]
    assert most_pronounced(samples, 1.0) == samples
    assert most_pronounced([], 0.5) == []


@pytest.mark.parametrize("split_by", ["character", "work"])
def test_too_few_to_split_is_named(split_by: Any) -> None:
    samples = cast(2, works=2)
    with pytest.raises(UserError) as caught:
        split_samples(samples, DataConfig(split_by=split_by), 0)
    assert str(caught.value).startswith(
        f"2 {split_by}s with samples are too few to hold out 1 for test and 1 for validation"
    )


def test_the_bundled_corpus_splits(tmp_path: Path) -> None:
    from lightning_dpg.assessment.scripted import ScriptedAssessor
    from lightning_dpg.corpus.build import build_corpus
    from lightning_dpg.progress import Steps

    config = DataConfig()
    samples = make_samples(build_corpus(config, ScriptedAssessor(), tmp_path, Steps()), config)
    assert len(samples) > 1500
    assert all(s.context and s.description and count_words(s.reply) >= 8 for s in samples)
    split = split_samples(samples, config, 0)
    assert len({s.character for s in split["test"]}) >= 6
