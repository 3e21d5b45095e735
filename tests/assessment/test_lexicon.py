"""The second instrument: counted words."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from lightning_dpg.assessment.lexicon import LEXICON, VERSION, LexiconAssessor
from lightning_dpg.assessment.markers import MARKERS
from lightning_dpg.corpus.sources import read_sources
from lightning_dpg.records import TRAITS
from tests.assessment.test_local import speeches


@pytest.fixture(scope="module")
def said() -> dict[str, list[str]]:
    return speeches(read_sources(["bundled"], ["en"]), 16)


@pytest.fixture(scope="module")
def lexicon(said: dict[str, list[str]]) -> LexiconAssessor:
    assessor = LexiconAssessor(min_words=8)
    assessor.fit(list(said.values()))
    return assessor


POLES = {
    "openness": (
        "I dreamed of a strange river under the stars, and a song like coloured light in the dark.",
        "Same dinner as usual, and the price of bread is nonsense. I want no fuss, just my tea.",
    ),
    "conscientiousness": (
        "First the list, then the schedule. I checked every number and the report is finished.",
        "Whatever, I forgot. Maybe later. I lost it, and I never bother with it anyway, sorry.",
    ),
    "extraversion": (
        "Come on, everybody, dance! What a great party, tell all your friends! We sing tonight!",
        "I would rather stay alone with a book. Nobody in the room, the door closed, and I listen.",
    ),
    "agreeableness": (
        "Thank you, my dear. Please let us help. I hope your mother is home; we share the soup.",
        "You fool, it is your fault. Pay me the money you owe or I will beat you, liar. I hate it.",
    ),
    "neuroticism": (
        "I'm scared, I can't sleep. What if something terrible happens to me? I'm always crying.",
        "Yes, fine, there is plenty of time. We sit in the sun with tea, easily done, no problem.",
    ),
}


@pytest.mark.parametrize("trait", TRAITS)
def test_the_poles_of_each_trait_stand_apart(lexicon: LexiconAssessor, trait: str) -> None:
    index = TRAITS.index(trait)
    high, low = lexicon.rate([[text] for text in POLES[trait]])
    above, below = high.scores[index], low.scores[index]
    assert above is not None and below is not None
    assert above > 1 > -1 > below


def test_it_counts_no_marker(lexicon: LexiconAssessor) -> None:
    markers = " ".join(word for poles in MARKERS.values() for pole in poles for word in pole)
    assert not lexicon._use([markers]).any()
    assert lexicon._use(["imagination"]).any()  # though its stem is a marker's


def test_uses_are_counted_in_a_hundred_words(lexicon: LexiconAssessor) -> None:
    use = lexicon._use(["Thank you, thankful friend, for nothing much here, xx xx", "xx xx"])
    high = use[TRAITS.index("agreeableness"), 0]
    assert high == pytest.approx(100 * 3 / 12)  # thank, thankful, friend


def test_norms_have_mean_zero_and_spread_two(
    lexicon: LexiconAssessor, said: dict[str, list[str]]
) -> None:
    chunks = [spoken[i : i + 8] for spoken in said.values() for i in (0, 8)]
    scores = np.array([rating.scores for rating in lexicon.rate(chunks)], dtype=float)
    assert scores.mean(0) == pytest.approx([0] * 5, abs=0.15)
    assert scores.std(0) == pytest.approx([2] * 5, abs=0.3)  # a few are cut at the ends


def test_little_said_is_insufficient_evidence(lexicon: LexiconAssessor) -> None:
    short, enough = lexicon.rate([["Come in."], ["Come in.", "Sit down and eat with us now."]])
    assert short.reason == "insufficient evidence: 2 words, 8 are needed"
    assert enough.complete


def test_it_has_a_name_and_tells_progress(lexicon: LexiconAssessor) -> None:
    assert lexicon.identity == f"lexicon/{VERSION}/min_words=8"
    done: list[int] = []
    lexicon.rate([["a", "b"], ["c"]], advance=done.append)
    assert done == [2, 1]
    assert list(LEXICON) == list(TRAITS)


def test_without_a_corpus_it_still_answers() -> None:
    assessor = LexiconAssessor(min_words=1)
    assessor.fit([])
    assert all(score == score for score in assessor.rate([["Hello there."]])[0].scores)


def test_the_authors_poles_are_told_apart(
    lexicon: LexiconAssessor, said: dict[str, list[str]]
) -> None:
    """Known groups: what the bundled corpus's authors meant shows in counted words as well."""
    characters = read_sources(["bundled"], ["en"]).characters
    rated = dict(zip(said, lexicon.rate(list(said.values())), strict=True))
    for trait, name in enumerate(TRAITS):
        high = [r.scores[trait] for c, r in rated.items() if characters[c].poles[trait] > 0]
        low = [r.scores[trait] for c, r in rated.items() if characters[c].poles[trait] < 0]
        ranks = rankdata([*high, *low])[: len(high)]
        auc = (ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(high) * len(low))
        assert auc >= 0.65, (name, auc)
