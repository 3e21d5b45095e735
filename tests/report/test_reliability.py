"""The page and the tables of a reliability study say what the study found."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from lightning_dpg.assessment.reliability.study import study
from lightning_dpg.progress import Steps
from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import Estimate
from lightning_dpg.report.reliability import render, table, write_page
from lightning_dpg.report.reliability_plots import assessor_scatter, forest
from lightning_dpg.report.style import looks
from lightning_dpg.report.tables import number
from tests.assessment.test_reliability_study import Meter, Moody, people

KNOWING = "<b>knowing</b>"


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """Two assessors, one of them asked three times, on 12 persons."""
    assessors = {KNOWING: Moody(0.8), "plain": Meter(shift=0.5, silent="p00")}
    steps = Steps(Console(quiet=True))
    found = study(assessors, people(12, spread=2.0), repeats=3, seed=0, steps=steps, resamples=30)
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def shown(results: dict[str, Any]) -> str:
    console = Console(width=80, record=True, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        console.print(table(results))
    return captured.get()


class Reader(HTMLParser):
    """Collects elements, attributes and text, and fails on tags that do not match."""

    VOID = ("meta", "br", "use", "path", "image")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, given in attrs:
            self.ids += [given or ""] if name == "id" else []
            self.links += [given or ""] if name in ("src", "href", "xlink:href") else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader


def every_number(results: dict[str, Any]) -> set[str]:
    found = set()
    for about in [*results["assessors"].values(), *results["pairs"]]:
        for trait in about["traits"].values():
            for part in (trait, trait.get("sets"), trait.get("repeats")):
                for value in (part or {}).values():
                    if isinstance(value, dict) and value.get("value") is not None:
                        found.add(number(abs(value["value"])))
    return found


def test_page_and_table_say_every_coefficient(results: dict[str, Any]) -> None:
    text, terminal = read(render(results)).text, shown(results)
    numbers = every_number(results)
    assert len(numbers) > 50
    assert not {n for n in numbers if n not in text} - {"0.00"}
    assert not {n for n in numbers if n not in terminal} - {"0.00"}


def test_the_page_stands_alone(results: dict[str, Any]) -> None:
    page = render(results)
    reader = read(page)
    assert all(link.startswith("#") for link in reader.links)
    assert "http" not in page.replace("https://www.w3.org", "").replace("http://www.w3.org", "")
    assert len(reader.ids) == len(set(reader.ids))
    used = set(re.findall(r"var\((--[\w-]+)\)", page))
    assert used <= set(re.findall(r"(--[\w-]+):", page))
    assert page.count("<svg") == 4 + 5


def test_names_are_text(results: dict[str, Any]) -> None:
    page = render(results)
    assert KNOWING not in page
    assert page.count("&lt;b&gt;knowing") > 5


def test_insufficient_evidence_and_repeats_are_said(results: dict[str, Any]) -> None:
    for said in (" ".join(read(render(results)).text.split()), " ".join(shown(results).split())):
        assert "asked 3 times about 24 sets" in said
        assert "deterministic; asked 2 times about 8 sets, it gave the same" in said
        assert "insufficient evidence: N words, N are needed: 2" in said
    assert "Insufficient evidence: 2 of 24 sets; 4 of 48 halves" in " ".join(
        read(render(results)).text.split()
    )


def test_what_was_not_measured_is_a_dash_and_not_a_zero(results: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(results))
    nothing = {"value": None, "low": None, "high": None, "subjects": 0, "persons": 0}
    for trait in changed["assessors"]["plain"]["traits"].values():
        trait["auc"] = trait["split_half"] = nothing
    page = read(render(changed)).text
    assert "plain scored too few for any coefficient" in page
    assert shown(changed).count("–") >= 10


def test_one_assessor_alone_has_a_page(tmp_path: Path) -> None:
    steps = Steps(Console(quiet=True))
    found = study(
        {"mute": Meter(silent="p")}, people(7), repeats=1, seed=0, steps=steps, resamples=5
    )
    path = tmp_path / "page.html"
    write_page(found | {"about": {"corpus": "c0ffee"}, "notes": ["Chosen here."]}, path)
    page = path.read_text(encoding="utf-8")
    reader = read(page)
    assert "c0ffee" in reader.text and "Chosen here." in reader.text
    assert "14 of 14 sets" in " ".join(reader.text.split())
    assert "<svg" not in page
    assert "14" in shown(found)


def test_the_forest_holds_points_and_intervals() -> None:
    known = [Estimate(0.8, 0.7, 0.9), Estimate(0.6), None, Estimate(-0.2, -0.4, 0.1), None]
    look = looks(["dpg", "prompted"])
    figure = forest("AUC", {"dpg": known, "prompted": [None] * 5}, look, 0.5)
    drawn = [np.asarray(line.get_xdata()).tolist() for line in figure.axes[0].lines]
    assert [0.7, 0.9] in drawn and [0.8] in drawn and [0.6] in drawn and [-0.4, 0.1] in drawn
    assert figure.axes[0].get_xlim()[0] < -0.4
    said = [text.get_text() for text in figure.axes[0].texts]
    assert said == ["0.80", "0.60", "–", "−0.20", "–", *["–"] * 5]
    heights = [
        np.asarray(line.get_ydata())[0] for line in figure.axes[0].lines if line.get_marker() == "o"
    ]
    assert heights == sorted(heights)


def test_the_scatter_marks_poles() -> None:
    points, poles = [(1.0, 2.0), (-3.0, -1.0), (0.5, 0.0)], [1, -1, 0]
    figure = assessor_scatter(("a", "b"), points, poles, TRAITS[0], Estimate(0.5))
    parts = [np.asarray(part.get_offsets()).tolist() for part in figure.axes[0].collections]
    assert parts == [[[0.5, 0.0]], [[-3.0, -1.0]], [[1.0, 2.0]]]
    assert figure.axes[0].get_xlabel() == "a" and figure.axes[0].get_ylabel() == "b"
    assert figure.axes[0].get_title(loc="right") == "r +0.50"


def test_many_assessors_differ_in_colour(results: dict[str, Any]) -> None:
    one = results["assessors"]["plain"]
    changed = {**results, "pairs": [], "assessors": {str(i): one for i in range(6)}}
    page = render(changed)
    colours = re.findall(r"--assessor-\d: (#\w+);", page)
    assert len(set(colours[:6])) == 6
