"""The bundled corpus: what the rest of the house relies on in it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
import yaml

import lightning_dpg.corpus
from lightning_dpg.corpus.readers.registry import read_file
from lightning_dpg.records import TRAITS, Dialogue

SAMPLE = Path(lightning_dpg.corpus.__file__).parent / "sample"


def sidecar(path: Path) -> Path:
    return path.with_suffix(".characters.yaml")


# A text whose sidecar is still being written is not judged yet.
WORKS = sorted(
    path
    for path in SAMPLE.iterdir()
    if path.suffix in (".fountain", ".txt") and sidecar(path).exists()
)
ENGLISH = [path for path in WORKS if path.suffix == ".fountain"]
CHINESE = [path for path in WORKS if path.suffix == ".txt"]
complete = pytest.mark.skipif(len(WORKS) < 8, reason="not all eight works are written")
each_work = pytest.mark.parametrize("path", WORKS, ids=lambda path: path.stem)


@cache
def dialogues(path: Path) -> tuple[Dialogue, ...]:
    """The scenes of a work, of which the reader must reject nothing."""
    rejects: list[tuple[str, str]] = []
    found = read_file(path, lambda where, why: rejects.append((where, why)))
    assert rejects == []
    return tuple(found)


@cache
def poles(path: Path) -> dict[str, dict[str, int]]:
    """What the sidecar says, per character."""
    entries = yaml.safe_load(sidecar(path).read_text(encoding="utf-8"))
    return {name: entry["poles"] for name, entry in entries.items()}


def speeches(*paths: Path) -> list[tuple[str, str]]:
    """Each speech with where it stands and who says it, for a failure's message."""
    return [
        (f"{path.stem}, {spoken.position}, {spoken.name}", spoken.text)
        for path in paths
        for dialogue in dialogues(path)
        for spoken in dialogue.utterances
    ]


@complete
def test_size() -> None:
    assert (len(ENGLISH), len(CHINESE)) == (7, 1)
    assert sum(len(poles(path)) for path in ENGLISH) >= 20
    assert len(speeches(*ENGLISH)) >= 1000
    assert len(speeches(*CHINESE)) >= 120


@each_work
def test_language_and_title(path: Path) -> None:
    languages = {dialogue.language for dialogue in dialogues(path)}
    assert languages == {"en" if path in ENGLISH else "zh"}
    assert all(dialogue.work != path.stem and dialogue.scene for dialogue in dialogues(path))


@each_work
def test_who_speaks_is_described_and_who_is_described_speaks(path: Path) -> None:
    speakers = {spoken.name for dialogue in dialogues(path) for spoken in dialogue.utterances}
    assert speakers == set(poles(path))
    assert not any(
        spoken.collective for dialogue in dialogues(path) for spoken in dialogue.utterances
    )


@each_work
def test_sidecars_are_whole(path: Path) -> None:
    for entry in yaml.safe_load(sidecar(path).read_text(encoding="utf-8")).values():
        assert set(entry) == {"description", "poles"}
        assert entry["description"].strip()
        assert tuple(entry["poles"]) == TRAITS
        assert set(entry["poles"].values()) <= {-1, 0, 1}


@complete
def test_poles_cover_every_trait_and_two_rare_pairs() -> None:
    people = [person for path in ENGLISH for person in poles(path).values()]
    for trait in TRAITS:
        assert {-1, 1} <= {person[trait] for person in people}
    assert any(person["neuroticism"] == person["extraversion"] == 1 for person in people)
    assert any(
        person["agreeableness"] == 1 and person["conscientiousness"] == -1 for person in people
    )


@each_work
def test_every_character_meets_at_least_three_others(path: Path) -> None:
    met: dict[str, set[str]] = defaultdict(set)
    for dialogue in dialogues(path):
        names = {spoken.name for spoken in dialogue.utterances}
        for name in names:
            met[name] |= names - {name}
    assert {name: len(others) for name, others in met.items() if len(others) < 3} == {}


def shingles(text: str) -> set[tuple[str, ...]]:
    """The runs of five words (in Chinese: characters) of a speech of at least eight, else none."""
    words = re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+(?:'\w+)?", text.lower())
    return set(zip(*(words[i:] for i in range(5)), strict=False)) if len(words) >= 8 else set()


def near_duplicates(texts: list[str]) -> Iterator[tuple[int, int]]:
    """Pairs of speeches that share more than half of all their shingles (Jaccard)."""
    bags = [shingles(text) for text in texts]
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, bag in enumerate(bags):
        for shingle in bag:
            holders[shingle].append(number)
    # Only pairs that share a shingle are ever looked at.
    shared = Counter(pair for found in holders.values() for pair in combinations(found, 2))
    for (one, other), count in shared.items():
        if count > 0.5 * len(bags[one] | bags[other]):
            yield one, other


def test_near_duplicates_are_found() -> None:
    one = "The lamp was out when I came down the stairs."
    other = "And the lamp was out when I came down the stairs."
    assert list(near_duplicates([one, "Nobody has seen the lamp since I came.", other])) == [(0, 2)]
    assert list(near_duplicates(["Who is there?", "Who is there?"])) == []


def test_no_two_speeches_are_nearly_the_same() -> None:
    found = speeches(*WORKS)
    pairs = near_duplicates([text for _, text in found])
    assert [(found[one], found[other]) for one, other in pairs] == []


TRAIT_WORDS = (
    "anxious nervous shy outgoing talkative bold timid quiet reserved withdrawn energetic "
    "extraverted extroverted introverted sociable bashful solitary lonely cheerful lively tidy "
    "messy neat organi[sz]ed disorgani[sz]ed careful careless reliable unreliable responsible "
    "irresponsible lazy sloppy punctual forgetful hard-?working efficient inefficient thorough "
    "systematic disciplined meticulous reckless impulsive spontaneous scatterbrained kind unkind "
    "cold warm rude polite harsh cruel sympathetic generous selfish stubborn arrogant cooperative "
    "demanding trusting suspicious bossy argumentative quarrelsome friendly unfriendly "
    "considerate blunt modest humble vain gentle calm relaxed moody jealous envious touchy "
    "fretful temperamental tense sensitive emotional insecure confident hot-tempered easy-?going "
    "unflappable stable neurotic creative imaginative unimaginative inquisitive philosophical "
    "intellectual artistic inventive poetic conventional traditional old-fashioned conservative "
    "adventurous open-minded narrow-minded impatient patient pessimistic optimistic worrier loner "
    "perfectionist optimist pessimist chatterbox dreamer homebody hermit recluse introvert "
    "extravert extrovert"
).split()
ADVERBS = (
    "so very just really too quite rather such always never not only naturally pretty terribly "
    "awfully usually generally a an the bit little more less"
).split()
SELF_DESCRIPTIONS = (
    re.compile(
        r"\bI(?:[’']m| am|[’']ve always been| have always been| was always| was born)\s+"
        rf"(?:(?:{'|'.join(ADVERBS)})\s+)*(?:{'|'.join(TRAIT_WORDS)})\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\bI(?:[’']m| am)\s+(?:\w+\s+){0,2}(?:an?|the)\s+(?:[\w-]+\s+){0,3}"
        r"(?:person|type|sort)\b|\b(?:kind|type|sort) of \w+ I am\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"我(?:这人|这个人)?(?:就|很|太|真|最|特别|是个|是|一向|从来|天生|生来|有点)+"
        r"(?:内向|外向|急性子|慢性子|胆小|胆大|害羞|腼腆|焦虑|敏感|马虎|粗心|细心|懒|勤快|爱操心|爱热闹"
        r"|较真|死板|古板|随和|善良|心软|小气|大方|乐观|悲观|固执|多疑|爱哭|认真|严谨)"
    ),
)
"""A character who says what they are would let a bag of words pass for a judge of personality."""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Well, I'm very anxious.", True),
        ("I am just a bit disorganised", True),
        ("I've always been shy", True),
        ("I'm not a morning person", True),
        ("That's the kind of man I am.", True),
        ("我这人就是太内向。", True),
        ("I'm kindling the fire, anxious man.", False),
        ("You're careless and I'm going.", False),
        ("我是合不上眼了。", False),
    ],
)
def test_self_descriptions_are_found(text: str, found: bool) -> None:
    assert any(pattern.search(text) for pattern in SELF_DESCRIPTIONS) is found


def test_nobody_describes_their_own_personality() -> None:
    assert [
        (where, match[0])
        for where, text in speeches(*WORKS)
        for pattern in SELF_DESCRIPTIONS
        for match in pattern.finditer(text)
    ] == []
