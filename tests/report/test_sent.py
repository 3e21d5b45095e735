"""What the page shows is what is sent: by the names of its tables, and number by number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from lightning_dpg.report.flat import flat_tables
from lightning_dpg.report.flat_table import Flat
from lightning_dpg.report.page import render
from lightning_dpg.report.reading import read_run
from tests.report.conftest import write_fake_run

NOT_SENT = {
    "scatter": "figures; their numbers are those of `personas`",
    "training": "curves, which each training sends while it runs",
    "reading": "words",
}
"""Sections without a table, and why."""
NOT_SHOWN = {"matrix": "a figure"}
"""Tables that no part of the page names."""
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?%?")


@pytest.fixture
def shown(tmp_path: Path, no_figures: None) -> tuple[Any, dict[str, Flat]]:
    """The page of a run with all parts, two languages included, and its plain tables."""

    def change(results: dict[str, Any]) -> None:
        task = results["tasks"]["questions"]
        for persona in task["personas"][::2]:
            persona["language"] = "zh"
        for arm in task["arms"].values():
            arm["by_language"] = dict(zip(("zh", "en"), arm["by_kind"].values(), strict=True))
        del results["controls"]["mixed"]

    run = read_run(write_fake_run(tmp_path / "run", change))
    return html.fromstring(render(run)), flat_tables(run)


def test_every_section_is_sent_as_tables(shown: tuple[Any, dict[str, Flat]]) -> None:
    page, tables = shown
    named = {
        section.get("id"): set(section.xpath(".//@data-table")) for section in page.iter("section")
    }
    assert {name for name, found in named.items() if not found} == set(NOT_SENT)
    header = set(page.xpath("//header//@data-table"))
    assert header == {"targets"}
    assert header.union(*named.values()) == set(tables) - set(NOT_SHOWN)
    # No table of the page is without a name.
    assert page.xpath("//table[not(@data-table)]") == []
    assert page.xpath("//section//ul[not(@data-table)]") == []


def test_every_number_of_a_table_is_sent(shown: tuple[Any, dict[str, Flat]]) -> None:
    page, tables = shown
    known = {name: sorted(set(_numbers(table))) for name, table in tables.items()}
    count = 0
    for part in page.xpath("//*[@data-table]"):
        name = part.get("data-table")
        cells = part.xpath(".//td[not(contains(@class, 'text'))]") or [part]
        for cell in cells:
            for text in _texts(cell):
                count += 1
                assert _is_in(text, known[name]), f"{text} of {name} is not sent"
    assert count > 500


def test_a_number_that_is_not_sent_is_noticed() -> None:
    assert _is_in("+1.23", [1.2345]) and not _is_in("1.23", [1.24, -1.23])
    assert _is_in("12.3%", [0.1234]) and not _is_in("12.3%", [0.125])
    assert _is_in("0.001", [0.0004]) and _is_in("32", [32.0]) and not _is_in("32", [31.0])


def _texts(cell: Any) -> list[str]:
    return _written(" ".join(cell.itertext()))


def _written(text: str) -> list[str]:
    return NUMBER.findall(text.replace("\N{MINUS SIGN}", "-").replace(",", " "))


def _numbers(table: Flat) -> Iterator[float]:
    for row in table.rows:
        for cell in row:
            if isinstance(cell, str):
                yield from (float(text.rstrip("%")) for text in _written(cell))
            elif cell is not None:
                yield float(cell)


def _is_in(text: str, known: list[float]) -> bool:
    """Whether a number as the page rounds it is one of those; <0.001 stands for smaller ones."""
    plain = text.rstrip("%")
    scale = 100 if text.endswith("%") else 1
    half = 0.5 * 10 ** -len(plain.partition(".")[2]) + 1e-9
    small = text == "0.001" and any(0 <= value < 0.001 for value in known)
    return small or any(abs(float(plain) - scale * value) <= half for value in known)
