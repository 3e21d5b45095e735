"""Big Five marker adjectives: single words that English speakers use for the poles of each trait.

Chosen among the markers of Goldberg (1992, "The development of markers for the Big-Five factor
structure") and Saucier (1994, "Mini-markers"), with near synonyms where their word is rare in
ordinary prose. Those of neuroticism are words for its facets (anxiety, depression, vulnerability)
and their absence, chosen by how well each tells the authors' poles of the bundled corpus apart:
calm, moody and other classical markers do not, behind this question (docs/log.md).

`VERSION` changes with the lists and with how they are read.
"""

from __future__ import annotations

VERSION = "markers-4"

MARKERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "openness": (
        (
            "creative",
            "imaginative",
            "curious",
            "artistic",
            "philosophical",
            "inventive",
            "original",
            "poetic",
        ),
        (
            "conventional",
            "unimaginative",
            "traditional",
            "simple",
            "narrow",
            "conservative",
            "plain",
            "dull",
        ),
    ),
    "conscientiousness": (
        (
            "organized",
            "careful",
            "efficient",
            "thorough",
            "disciplined",
            "responsible",
            "precise",
            "reliable",
        ),
        (
            "careless",
            "lazy",
            "messy",
            "irresponsible",
            "sloppy",
            "reckless",
            "forgetful",
            "disorganized",
        ),
    ),
    "extraversion": (
        (
            "talkative",
            "outgoing",
            "energetic",
            "bold",
            "sociable",
            "enthusiastic",
            "lively",
            "cheerful",
        ),
        ("quiet", "shy", "reserved", "withdrawn", "silent", "solitary", "timid", "lonely"),
    ),
    "agreeableness": (
        ("kind", "warm", "sympathetic", "generous", "gentle", "helpful", "caring", "considerate"),
        ("rude", "cold", "harsh", "selfish", "cruel", "arrogant", "stubborn", "critical"),
    ),
    "neuroticism": (
        (
            "anxious",
            "nervous",
            "tense",
            "fearful",
            "emotional",
            "troubled",
            "vulnerable",
            "frightened",
        ),
        (
            "relaxed",
            "stable",
            "confident",
            "balanced",
            "secure",
            "collected",
            "optimistic",
            "sure",
        ),
    ),
}
"""Per trait the adjectives of the high pole and of the low pole."""

BEFORE = 'In one word, what kind of person says this?\n\n"'
AFTER = '"\n\nIn one word, the speaker is very'
"""What stands around a passage: the model's next word is the answer.

Chosen among twelve on the bundled corpus (docs/log.md).
"""
