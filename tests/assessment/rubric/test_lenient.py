"""JSON as language models write it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_dpg.assessment.rubric.lenient import DEEPEST, Malformed, find_objects, number

words = st.text(max_size=8)
leaves = st.none() | st.booleans() | st.integers(-99, 99) | words | st.floats(-9, 9, width=16)
values = st.recursive(leaves, lambda v: st.lists(v) | st.dictionaries(words, v), max_leaves=8)
objects = st.dictionaries(words, values, min_size=1, max_size=4)


def only(text: str) -> dict[str, Any]:
    ((value, _),) = find_objects(text)
    return value


@settings(max_examples=60, deadline=None)
@given(objects, st.booleans(), st.sampled_from([None, 1]))
def test_json_is_read_as_json_reads_it(value: dict[str, Any], ascii_: bool, indent: int) -> None:
    text = json.dumps(value, ensure_ascii=ascii_, indent=indent)
    assert only(text) == json.loads(text)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(words, st.none() | st.booleans() | st.integers(-9, 9), min_size=1))
def test_python_literals_are_read(value: dict[str, Any]) -> None:
    text = repr(value)
    if "\\x" not in text and "\\U" not in text:  # which JSON does not have
        assert only(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, "b": [1, 2,],}', {"a": 1, "b": [1, 2]}),
        ("{'a': None, 'b': True, 'c': FALSE}", {"a": None, "b": True, "c": False}),
        ("{a: +3, B_1: −2}", {"a": 3, "B_1": -2}),
        ("｛“分数”：－３，＂b＂：１．５｝", {"分数": -3, "b": 1.5}),
        ('{"a": "he said “no” and \'yes\'"}', {"a": "he said “no” and 'yes'"}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        (r'{"a": "\"\\\/\n\u4f60\ud83d\ude00\'"}', {"a": "\"\\/\n你😀'"}),
        ('{"a": "}{\\"b\\": 1}"}', {"a": '}{"b": 1}'}),
        ('{"a": {}}', {"a": {}}),
    ],
)
def test_slips_are_forgiven(text: str, value: dict[str, Any]) -> None:
    assert only(text) == value


def test_objects_are_found_among_prose_in_order() -> None:
    text = 'So {x} it is: {"a": {"b": 1}} or ```json\n{"c": 2}\n``` {done}'
    assert [value for value, _ in find_objects(text)] == [{"a": {"b": 1}}, {"c": 2}]
    assert [source for _, source in find_objects(text)] == ['{"a": {"b": 1}}', '{"c": 2}']
    assert find_objects("nothing {here}") == find_objects("") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1', "cut off"),
        ('{"a": "b', "cut off"),
        ('{"a', "cut off"),
        ('{"a": 3/5}', "expected a comma or } at '/5}'"),
        ('{"a" 3}', "expected a colon after the key 'a'"),
        ('{"a": high}', "expected a value at 'high}'"),
        ('{"a": 1, , }', "expected a key"),
        ('{"a": [1 2]}', "expected a comma or ] at '2]}'"),
        ('{"a": 1, "a": 2}', "the key 'a' comes twice"),
        ('{"a": "he said "no""}', "expected a comma or }"),
        ('{"a": 1}}', "a brace closes nothing"),
        ('{"a": ' * (DEEPEST + 2), "objects in one another"),
    ],
)
def test_what_is_no_object_is_named(text: str, message: str) -> None:
    with pytest.raises(Malformed) as caught:
        find_objects(text)
    assert message in str(caught.value)


def test_nothing_is_looked_for_in_a_broken_object() -> None:
    with pytest.raises(Malformed):
        find_objects('{"a": "he said "{"b": 1}" and left"}')


@settings(deadline=None)
@given(st.text(alphabet="{}[]\"'“：:,\\ua1 \n-n｛", max_size=60))
def test_no_text_crashes_it(text: str) -> None:
    with suppress(Malformed):
        find_objects(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), (" +3 ", 3), ("-0.5", -0.5), ("−2", -2), ("－２", -2), ("４．５", 4.5), ("1e1", 10)],
)
def test_numbers(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["3/5", "high", "", "3 of 5", "nan", "inf", "--1", "½", "0x1"])
def test_no_numbers(text: str) -> None:
    assert number(text) is None
