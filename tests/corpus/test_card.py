"""The card that people read says what the card for machines says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lightning_dpg.corpus.card import as_markdown, counts, distribution_table, markdown_table


@pytest.fixture
def card() -> dict[str, Any]:
    lie = {"parts": 40, "within": [1.5, 1, 1, 1, 1], "between": [0.25, 0.1, 0.1, 0.1, 0.1]}
    return {
        "hash": "abc123",
        "version": "1.2.3",
        "labels": "scripted/1",
        "judge": {"identity": "judge/2", "unjudged": {"refused: no": 3}},
        "thresholds": {
            "least_coherence": 3.5,
            "least_integrity": 2.0,
            "max_distance": 4.0,
            "least_support": 5,
        },
        "files": {"a|b.xml": "0123456789abcdef", "a.characters.yaml": "fedcba9876543210"},
        "licences": {"a|b.xml": "CC0"},
        "rejected": 7,
        "languages": ["de", "no"],  # which YAML takes for false
        "works": 1,
        "dialogues": 9,
        "characters": 4,
        "utterances": 1234,
        "unscored": 34,
        "kept": 1150,
        "words": 9876,
        "dropped": {"distance": {"dialogues": 2, "parts": 3, "speeches": 50}},
        "distribution": {"before": lie, "after": {**lie, "parts": 37, "within": [1.25] + [1] * 4}},
        "split": {
            "by": "character",
            "seed": 0,
            "parts": {"train": {"characters": 4, "speeches": 1150}},
        },
    }


def test_the_front_matter_is_a_dataset_cards(card: dict[str, Any]) -> None:
    front = yaml.safe_load(as_markdown(card).split("---\n")[1])
    assert front["language"] == ["de", "no"]
    licences = {"CC0": "other", "Apache-2.0": "apache-2.0", "not stated": "unknown"}
    for stated, expected in licences.items():
        card["licences"] = {"a": stated}
        assert yaml.safe_load(as_markdown(card).split("---\n")[1])["license"] == expected
    card["licences"] = {"a": "Apache-2.0", "b": "not stated"}
    assert yaml.safe_load(as_markdown(card).split("---\n")[1])["license"] == "other"


def test_it_names_what_a_reader_must_know(card: dict[str, Any]) -> None:
    text = as_markdown(card)
    for told in (
        "corpus abc123",
        "lightning_dpg 1.2.3",
        "1,234 speeches (9,876 words) in de, no",
        "1,150 speeches have a label to use, 34 have no scores. 7 records were left out",
        "| `a\\|b.xml` | CC0 | `0123456789ab` |",
        "Assessor: `scripted/1`",
        "Judge of dialogues: `judge/2`; 3 were not judged.\n  - 3: refused: no",
        "coherence below 3.5 or an integrity below 2 (1 to 5)",
        "farther than 4 robust standard deviations",
        "where it has 5 or more",
        "| distance | 2 | 3 | 50 |",
        "| trait | within, before | after | between, before | after |",
        "| openness | 1.50 | 1.25 | 0.25 | 0.25 |",
        "says nothing of better labels",
        "By character, drawn with seed 0. Too few characters to hold any out.",
        "| train | 4 | 1150 |",
    ):
        assert told in text, told


def test_without_filters_it_says_so(card: dict[str, Any]) -> None:
    card["judge"], card["dropped"], card["thresholds"]["max_distance"] = None, {}, None
    card["distribution"]["after"] = card["distribution"]["before"]
    text = as_markdown(card)
    assert "Nothing was to be dropped." in text and "were not judged" in text
    assert "says nothing of better labels" not in text
    assert distribution_table(card)[0] == ["trait", "within", "between"]
    card["distribution"]["before"]["within"] = None
    assert distribution_table(card)[1][0] == ["openness", "n/a", "0.25"]


def test_kept_is_scored_and_not_dropped() -> None:
    base = {"work": "w", "dialogue": "w/1", "text": "Two words.", "dropped": "", "character": "a"}
    rows = [
        {**base, "reply_scores": [0.0] * 5},
        {**base, "reply_scores": [0.0] * 5, "dropped": "distance: 9, 4 is allowed"},
        {**base, "reply_scores": None, "character": ""},
        {**base, "reply_scores": None, "character": "b", "dropped": "coherence: 1, 3 is needed"},
    ]
    assert counts(rows) == {
        "works": 1,
        "dialogues": 1,
        "characters": 2,
        "utterances": 4,
        "unscored": 2,
        "kept": 1,
        "words": 8,
    }


def test_a_bar_in_a_cell_is_no_border() -> None:
    assert markdown_table(("a",), [("b|c",)]) == "| a |\n| --- |\n| b\\|c |"
