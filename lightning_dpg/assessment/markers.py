"""Big Five marker adjectives: single words that English speakers use for the poles of each trait.

Chosen among the markers of Goldberg (1992, "The development of markers for the Big-Five factor
structure") and Saucier (1994, "Mini-markers"), with near synonyms where their word is rare in
ordinary prose. `VERSION` changes with the lists and with how they are read.
"""

from __future__ import annotations

VERSION = "markers-3"

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
        ("anxious", "nervous", "worried", "moody", "emotional", "insecure", "tense", "fearful"),
        ("calm", "relaxed", "stable", "confident", "steady", "composed", "secure", "peaceful"),
    ),
}
"""Per trait the adjectives of the high pole and of the low pole."""

QUESTION = "\n\nIn one word, what kind of person is the speaker? The speaker is very"
"""What stands after the text: the model's next word is the answer."""
