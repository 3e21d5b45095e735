"""Big Five marker adjectives: single words that English speakers use for the poles of each trait.

Candidates are the markers of Goldberg (1992, "The development of markers for the Big-Five factor
structure") and Saucier (1994, "Mini-markers") with near synonyms and words for facets, 20 to 40 for
each pole, of which a model reads the whole word or most of it as its first token. Taken are those
that tell the authors' poles of the bundled corpus apart: many classical markers (calm, moody,
careless, shy, selfish) do not, behind this question. Neuroticism has fewer, since its dial moved
less with more of them (docs/log.md).

`VERSION` changes with the lists and with how they are read.
"""

from __future__ import annotations

VERSION = "markers-5"

_WORDS: dict[str, tuple[str, str]] = {
    "openness": (
        "creative imaginative artistic curious innovative philosophical "
        "inventive poetic fascinated mystical experimental visionary",
        "predictable straightforward blunt average traditional plain "
        "mundane basic conservative conventional routine literal",
    ),
    "conscientiousness": (
        "organized careful efficient thorough disciplined precise "
        "reliable rigorous diligent systematic meticulous strict",
        "messy reckless irresponsible lazy forgetful impulsive "
        "foolish impractical chaotic indifferent unreliable inconsistent",
    ),
    "extraversion": (
        "talkative sociable energetic enthusiastic lively cheerful "
        "loud excited animated passionate vibrant fun",
        "quiet reserved withdrawn silent solitary detached "
        "isolated passive subdued inhibited distant private",
    ),
    "agreeableness": (
        "kind warm sympathetic generous gentle caring "
        "loving grateful compassionate tender patient friendly",
        "harsh stubborn critical aggressive hostile ruthless "
        "suspicious nasty rude arrogant violent insulting",
    ),
    "neuroticism": (
        "anxious nervous tense fearful emotional troubled vulnerable frightened",
        "relaxed stable confident balanced secure collected optimistic sure",
    ),
}

MARKERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    trait: (tuple(high.split()), tuple(low.split())) for trait, (high, low) in _WORDS.items()
}
"""Per trait the adjectives of the high pole and of the low pole."""

BEFORE = 'In one word, what kind of person says this?\n\n"'
AFTER = '"\n\nIn one word, the speaker is very'
"""What stands around a passage: the model's next word is the answer.

Chosen among twelve on the bundled corpus (docs/log.md).
"""
