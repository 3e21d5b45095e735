"""Big Five marker adjectives: single words that English speakers use for the poles of each trait.

Candidates are the markers of Goldberg (1992, "The development of markers for the Big-Five factor
structure") and Saucier (1994, "Mini-markers") with near synonyms and words for facets. Of 20 to 40
for each pole these tell the authors' poles of the bundled corpus apart best: many classical markers
(calm, moody, careless, shy, selfish) do not, behind this question (docs/log.md).

`VERSION` changes with the lists and with how they are read.
"""

from __future__ import annotations

VERSION = "markers-5"

_WORDS: dict[str, tuple[str, str]] = {
    "openness": (
        "creative imaginative artistic curious innovative inquisitive "
        "philosophical inventive poetic fascinated mystical experimental",
        "predictable straightforward blunt bland average traditional "
        "plain ordinary mundane basic conservative conventional",
    ),
    "conscientiousness": (
        "organized careful efficient thorough disciplined precise "
        "reliable rigorous diligent systematic punctual methodical",
        "disorganized messy reckless irresponsible lazy forgetful "
        "clumsy impulsive foolish impractical aimless chaotic",
    ),
    "extraversion": (
        "talkative energetic sociable enthusiastic lively cheerful "
        "loud boisterous exuberant excited animated passionate",
        "quiet reserved withdrawn silent solitary detached "
        "isolated passive subdued inhibited distant introverted",
    ),
    "agreeableness": (
        "kind warm sympathetic generous gentle caring "
        "loving grateful compassionate tender patient considerate",
        "harsh stubborn critical aggressive hostile ruthless "
        "insulting contemptuous cynical suspicious nasty rude",
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
