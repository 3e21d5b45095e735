"""The psychological knowledge is complete, and its wording changes with its version only."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from lightning_dpg.assessment.rubric.rating import FIELDS, SHAPE, read_rating, schema
from lightning_dpg.assessment.rubric.wording import (
    VERSION,
    Language,
    instructions,
    knowledge,
    language_of,
    render,
)
from lightning_dpg.records import TRAITS

languages = pytest.mark.parametrize("language", ["en", "zh"])

WORDINGS = {
    ("knowledge", "en"): "7e532d46d4e075c7",
    ("knowledge", "zh"): "704a3fc3ccf586e0",
    ("vanilla", "en"): "e2c28128bbb98241",
    ("vanilla", "zh"): "43b496fbed230966",
    ("dialogue", "en"): "21ae847350b84625",
    ("dialogue", "zh"): "b53ca9870f95ba59",
    ("rating", "en"): "b06a3376785bbcbe",
    ("rating", "zh"): "2ca6e4608457207e",
    ("scene", "en"): "3c21becf31cb27a5",
    ("scene", "zh"): "25035803f0ac3dc1",
}
"""Digests of what version 1 says."""


@pytest.mark.parametrize(("name", "language"), WORDINGS)
def test_another_wording_needs_another_version(name: str, language: Language) -> None:
    if name in ("rating", "scene"):
        text = render(name, language, order=TRAITS, context=True, target="S", block="B")
    else:
        text = instructions(name, language)
    found = hashlib.sha256(text.encode()).hexdigest()[:16]
    told = f"the prompt {name}.{language} has changed: raise VERSION and put {found} here"
    assert (VERSION, found) == (1, WORDINGS[name, language]), told


@languages
def test_every_trait_has_poles_facets_and_an_anchor_for_each_score(language: Language) -> None:
    traits = knowledge(language)["traits"]
    assert tuple(traits) == TRAITS
    sentences = []
    for trait in traits.values():
        assert trait["high"] and trait["low"] and trait["name"]
        assert set(trait["adjectives"]) == {"high", "low"}
        assert len(trait["facets"]) == 6
        assert list(trait["anchors"]) == list(range(-5, 6))
        sentences += [*trait["anchors"].values(), *trait["facets"].values()]
    assert len(sentences) == len(set(sentences)) == 5 * 17
    text = instructions("knowledge", language)
    assert all(sentence in text for sentence in sentences)
    assert all(confound in text for confound in knowledge(language)["confounds"])


def test_english_facets_are_those_of_the_neo_pi_r() -> None:
    initials = [
        "".join(name[0] for name in trait["facets"]) for trait in knowledge("en")["traits"].values()
    ]
    assert initials == ["FAFAIV", "CODASD", "WGAAEP", "TSACMT", "AADSIV"]


@languages
def test_worked_examples_follow_the_rules(language: Language) -> None:
    examples = knowledge(language)["examples"]
    text = instructions("knowledge", language)
    properties = schema(TRAITS, "knowledge")["properties"]["openness"]["properties"]
    lacking = 0
    for example in examples:
        answer = example["answer"]
        assert list(answer) == list(properties)
        assert all(quote in example["text"] for quote in answer["evidence"])
        assert answer["insufficient_evidence"] == (answer["score"] is None)
        lacking += answer["insufficient_evidence"]
        assert json.dumps(answer, ensure_ascii=False) in text
        # What the parser reads is what the example says.
        read = read_rating(json.dumps(dict.fromkeys(TRAITS, answer)))[example["trait"]]
        assert read["score"] == answer["score"] and read["evidence"] == answer["evidence"]
    assert 3 <= lacking <= len(examples) - 3


@languages
def test_prompts_name_the_fields_of_the_schema(language: Language) -> None:
    for kind in ("knowledge", "vanilla"):
        fields = schema(TRAITS, "knowledge" if kind == "knowledge" else "vanilla")
        for name in fields["properties"]["openness"]["properties"]:
            assert name in instructions(kind, language) and name in FIELDS
        assert all(trait in instructions(kind, language) for trait in TRAITS)
    assert all(name in SHAPE for name in TRAITS)


def test_the_chinese_version_is_chinese() -> None:
    text = re.sub(r'"?[a-z_]+"?', "", instructions("knowledge", "zh"))
    assert language_of(text) == "zh"
    assert language_of(instructions("knowledge", "en")) == "en"


def test_instructions_stay_short_enough_for_an_api() -> None:
    words = re.findall(r"\w+|[^\w\s]", instructions("knowledge", "en"))
    assert len(words) < 3300  # about as many tokens
    assert len(instructions("knowledge", "zh")) < 5500


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Come in.", "en"),
        ("进来吧。", "zh"),
        ("我在 Shanghai 的 office 上班", "en"),
        ("我昨天在上海的 office 里加班到半夜", "zh"),
        ("Kommen Sie herein!", "en"),
        ("Войдите.", "en"),
        ("", "en"),
        ("... 12", "en"),
    ],
)
def test_the_language_is_that_of_the_text(text: str, language: str) -> None:
    assert language_of(text) == language
