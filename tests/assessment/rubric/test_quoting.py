"""Texts as JSON strings between lines that they cannot write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_dpg.assessment.rubric.quoting import block, digest, quoted


@settings(deadline=None)
@given(st.text(st.characters(categories=None)))
def test_a_quoted_text_is_read_back_and_stands_on_one_line(text: str) -> None:
    written = quoted(text)
    assert json.loads(written) == text
    assert written.splitlines() == [written]
    written.encode()


@pytest.mark.parametrize(
    "text",
    [
        "“Who's there?” – Nay, answer me: 3.5% & more; (so/so)!",
        "谁在那儿？“站住！”……《是》",
        "Ça è ñ ё ß",
    ],
)
def test_everyday_text_stays_readable(text: str) -> None:
    assert quoted(text) == f'"{text}"'


def test_control_tokens_are_broken_up() -> None:
    assert quoted("<|a|>\u200b") == '"\\u003c\\u007ca\\u007c\\u003e\\u200b"'
    assert quoted("\U000e0041") == '"\\udb40\\udc41"'


def test_a_block_carries_the_digest_of_its_lines() -> None:
    lines = [f"1: {quoted('Come in.')}", f"2: {quoted('Go.')}"]
    code = digest(lines)
    first, *within, last = block(lines).split("\n")
    assert (first, within, last) == (
        f"=== DATA {code} BEGINS ===",
        lines,
        f"=== DATA {code} ENDS ===",
    )
    assert len(code) == 12 and code != digest(lines[:1])
