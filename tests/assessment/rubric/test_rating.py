"""Prompts that ask for a rating, and the reading of answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lightning_dpg.assessment.asking.prompt import Unreadable
from lightning_dpg.assessment.rubric.rating import (
    rating_prompts,
    read_rating,
    schema,
    trait_order,
)
from lightning_dpg.records import TRAITS

FLAT = '"openness": 1, "conscientiousness": -2, "extraversion": 3, "agreeableness": 0, '
GOOD = "{" + FLAT + '"neuroticism": -5}'


def scores(text: str, material: str = "") -> list[float | None]:
    return [value["score"] for value in read_rating(text, material).values()]


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"I think {{so}}.\n\n{GOOD}\n\nHope this helps {{really}}!",
        '{"Openness": "1", "CONSCIENTIOUSNESS": "-2", "extraversion": "+3", '
        '"agreeableness": "0", "Neuroticism": "−5",}',
        "{'openness': 1, 'conscientiousness': -2, 'extraversion': 3.0, 'agreeableness': 0, "
        "'neuroticism': -5}",
        "{O: 1, C: -2, E: +3, A: 0, N: -5}",
        '{"n": -5, "a": 0, "e": 3, "c": -2, "o": 1}',
        "｛“开放性”：１，“尽责性”：－２，“外向性”：＋３，“宜人性”：０，“神经质”：－５｝",
        '{"Openness to experience": {"score": 1}, "责任心": {"分数": -2}, '
        '"Extroversion": {"Score": "3"}, "agreeableness": {"rating": 0}, '
        '"neuroticism": {"score": -5, "insufficient_evidence": false}}',
    ],
)
def test_tolerant_reading(text: str) -> None:
    assert scores(text) == [1, -2, 3, 0, -5]


def test_the_last_complete_answer_counts() -> None:
    draft = "{" + FLAT + '"neuroticism": 5}'
    assert scores(f"First I thought {draft}, but no: {GOOD}") == [1, -2, 3, 0, -5]
    assert scores(f'{draft} {GOOD} {{"note": "done"}}') == [1, -2, 3, 0, -5]
    with pytest.raises(Unreadable, match="cut off"):
        read_rating(f"{draft} {GOOD[:-3]}")


def test_json_that_stands_in_the_text_is_no_answer() -> None:
    fake = "{" + FLAT + '"neuroticism": 5}'
    spaced = fake.replace(", ", ",\n   ")
    assert scores(f"{GOOD} The speaker says {spaced}", f"I say {fake}!") == [1, -2, 3, 0, -5]
    assert scores(f"{GOOD} And now {spaced}", "I say nothing.") == [1, -2, 3, 0, 5]
    with pytest.raises(Unreadable, match="repeats what stands in the text"):
        read_rating(spaced, f"I say {fake}!")


@pytest.mark.parametrize(
    ("value", "score"),
    [
        ({"score": 3, "insufficient_evidence": True}, None),
        ({"score": 0, "insufficient_evidence": "yes"}, None),
        ({"score": 9, "insufficient_evidence": True}, None),
        ({"score": None, "insufficient_evidence": True}, None),
        ({"score": None, "insufficient_evidence": False}, None),
        ({"score": "null"}, None),
        ({"insufficient_evidence": True}, None),
        (None, None),
        ({"score": 0, "insufficient_evidence": False}, 0),
        ({"score": 2, "insufficient_evidence": 0}, 2),
        ({"score": 2.5}, 2.5),
        (4, 4),
    ],
)
def test_insufficient_evidence_is_no_score(value: Any, score: float | None) -> None:
    given = dict.fromkeys(TRAITS, 1) | {"extraversion": value}
    assert scores(json.dumps(given)) == [1, 1, score, 1, 1]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (6, "extraversion.score must be a whole number from -5 to 5, got 6"),
        (-5.1, "extraversion.score must be a whole number from -5 to 5, got -5.1"),
        ("3/5", 'extraversion.score must be a whole number from -5 to 5, got "3/5"'),
        ("high", 'extraversion.score must be a whole number from -5 to 5, got "high"'),
        (True, "extraversion.score must be a whole number from -5 to 5, got True"),
        ([3], "extraversion.score must be a whole number from -5 to 5, got a list"),
        ({}, "extraversion.score is missing"),
        ({"evidence": ["x"]}, "extraversion.score is missing"),
        ({"score": 1, "insufficient_evidence": "perhaps"}, 'must be true or false, got "perhaps"'),
        ({"score": 1, "rating": 2}, "extraversion gives score twice"),
        ({"score": 1, "more": {"score": 5}}, 'extraversion has an unknown key "more"'),
        ({"score": 1, "more": ["x"]}, 'extraversion has an unknown key "more"'),
    ],
)
def test_what_is_wrong_is_told(value: Any, message: str) -> None:
    given = dict.fromkeys(TRAITS, 1) | {"extraversion": value}
    with pytest.raises(Unreadable) as caught:
        read_rating(json.dumps(given))
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the answer holds no such object. Answer with one JSON object with the keys openness"),
        ("I cannot rate people.", "holds no such object"),
        ('{"coherence": 3}', "holds no such object"),
        ("[1, -2, 3, 0, -5]", "holds no such object"),
        ("{" + FLAT.rstrip(", ") + "}", "neuroticism is missing"),
        ('{"openness": 1, "extraversion": 2}', "conscientiousness, agreeableness, neuroticism is"),
        ("{" + FLAT + '"emotional stability": 5}', "neuroticism is missing"),
        (GOOD[:-1] + ', "O": 5}', "the answer gives openness twice"),
        (GOOD[:-1] + ', "other": {"score": 5}}', 'the answer has an unknown key "other"'),
        ("{" + FLAT + '"neuroticism": 3/5}', "expected a comma or } at '/5}'"),
    ],
)
def test_what_is_no_answer_is_told(text: str, message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_rating(text)
    assert message in str(caught.value)


def test_harmless_additions_are_left_out() -> None:
    assert scores(GOOD[:-1] + ', "summary": "A quiet person.", "id": 7}') == [1, -2, 3, 0, -5]


def test_evidence_and_confidence_are_kept() -> None:
    given: dict[str, Any] = {trait: {"score": 1} for trait in TRAITS}
    given["openness"] = {
        "evidence": ["a “b”", "", 3, "c"],
        "facets": ["Ideas high", "Fantasy low"],
        "score": 1,
        "confidence": "0.8",
    }
    given["extraversion"] = {"evidence": "one", "facets": "Warmth", "score": 1, "confidence": 80}
    read = read_rating(json.dumps(given))
    assert list(read) == list(TRAITS)
    assert read["openness"] == {
        "score": 1.0,
        "confidence": 0.8,
        "evidence": ["a “b”", "c"],
        "facets": "Ideas high Fantasy low",
    }
    assert read["extraversion"]["evidence"] == ["one"]
    assert read["extraversion"]["confidence"] is None  # no reason to ask again
    assert read["agreeableness"] == {"score": 1.0, "confidence": None, "evidence": [], "facets": ""}
    assert json.loads(json.dumps(read)) == read


def test_orders_of_traits() -> None:
    assert trait_order("abc", 0) == TRAITS
    orders = {trait_order(code, repeat) for code in ("abc", "abd") for repeat in range(1, 9)}
    assert len(orders) > 10
    assert all(sorted(order) == sorted(TRAITS) for order in orders)
    # The same on every machine and in every version: ratings are found again by it.
    assert "".join(trait[0] for trait in trait_order("abc", 1)) == "naceo"


def test_the_schema_is_strict_and_asks_for_evidence_first() -> None:
    def strict(part: dict[str, Any]) -> None:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])

    order = TRAITS[::-1]
    for kind, fields in (
        ("knowledge", ["evidence", "facets", "insufficient_evidence", "score", "confidence"]),
        ("vanilla", ["insufficient_evidence", "score", "confidence"]),
    ):
        made = schema(order, kind)  # type: ignore[arg-type]
        strict(made)
        assert tuple(made["properties"]) == order
        for trait in made["properties"].values():
            strict(trait)
            assert list(trait["properties"]) == fields
        assert "imum" not in json.dumps(made)


def test_repeats_ask_in_other_orders_and_say_nothing_else_differently() -> None:
    asked = rating_prompts(["Come in.", "Sit."], kind="knowledge", language="en", repeats=4)
    assert [prompt.sample for prompt in asked] == [0, 1, 2, 3]
    assert len({prompt.messages[1] for prompt in asked}) > 1
    assert len({prompt.messages[0] for prompt in asked}) == 1
    for prompt in asked:
        assert [role for role, _ in prompt.messages] == ["system", "user"]
        keys = ", ".join(prompt.schema["properties"])
        # Told before the text and after it.
        before, after = prompt.messages[1][1].split("=== DATA")[::2]
        assert keys in before and keys in after
        assert prompt.version == "knowledge-en-1" and prompt.name == "big_five_rating"
    again = rating_prompts(["Come in.", "Sit."], kind="knowledge", language="en", repeats=2)
    assert again == asked[:2]


def test_a_context_is_marked_and_a_target_named() -> None:
    with_context, without = (
        rating_prompts(["Yes."], context, kind="vanilla", language="en", target=target)[0]
        for context, target in (("Are you there?", "Speaker A"), ("", ""))
    )
    user = with_context.messages[1][1]
    assert '\ncontext: "Are you there?"\n1: "Yes."\n' in user
    assert "neither quote nor rate it" in user and "the speaker (Speaker A) on" in user
    assert "context" not in without.messages[1][1] and "Speaker A" not in without.messages[1][1]
    assert with_context.version == "vanilla-en-1"


def test_the_reader_of_a_prompt_knows_its_text() -> None:
    fake = "{" + FLAT + '"neuroticism": 5}'
    for passages, context in (([f"I say {fake}"], ""), (["I say."], fake)):
        (prompt,) = rating_prompts(passages, context, kind="vanilla", language="en")
        with pytest.raises(Unreadable):
            prompt.read(fake)
        assert prompt.read(GOOD)["neuroticism"]["score"] == -5
