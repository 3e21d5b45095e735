"""The page is complete, self-contained and safe, whatever a run lacks."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.report import write_report

MakeRun = Callable[..., Path]
VOID = {"meta", "br", "link", "img", "hr"}


class _Page(HTMLParser):
    """Collects ids, tags and addresses, and fails on elements that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        links = ("src", "href", "xlink:href", "action", "srcset")
        self.addresses += [value or "" for name, value in attrs if name in links]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _draw(folder: Path) -> str:
    file = write_report(folder)
    assert file == folder / "report.html"
    return file.read_text(encoding="utf-8")


def test_page_shows_doses_and_what_descriptions_do(make_run: MakeRun) -> None:
    text = " ".join(_draw(make_run()).split())
    for index in range(5):
        assert f"<td>+{0.61 + index / 100:.2f}</td>" in text
    assert "explain 12.3% of how single replies to one question differ in their traits" in text
    assert "explain 23.4% of how single replies to one question differ in their words" in text
    assert "(p = 0.004, 80 replies)" in text


def test_a_run_of_before_words_were_compared_is_drawn(make_run: MakeRun) -> None:
    old = {"explained": 0.2, "expected": 0.15, "p": 0.143, "replies": 48}
    text = _draw(make_run(lambda results: results.update(descriptions=old)))
    assert "differ in their traits" in text and "p = 0.143" in text


def test_page_is_self_contained_and_well_formed(make_run: MakeRun) -> None:
    text = _draw(make_run())
    page = _Page(text)
    assert all(address.startswith("#") for address in page.addresses)
    assert set(page.addresses) <= {f"#{name}" for name in page.ids}
    assert len(page.ids) == len(set(page.ids))
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert "@import" not in text
    assert "http" not in text


def test_sections_come_in_order(make_run: MakeRun) -> None:
    ids = re.findall(r'<section id="(\w+)"', _draw(make_run()))
    order = "headline ratios deviations scatter doses personas training unscored reading provenance"
    assert ids == order.split()


def test_untrusted_text_is_escaped(make_run: MakeRun) -> None:
    attack = '<script>alert("x")</script><svg onload=alert(1)>'

    def change(results: dict[str, Any]) -> None:
        for persona in results["personas"]:
            persona["name"] = persona["description"] = attack
        results["prompts"] = [attack]
        results["experiment"] = results["judge_note"] = attack
        results["arms"][attack] = results["arms"].pop("prompted")
        results["arms"]["dpg"]["reasons"] = {attack: attack}

    folder = make_run(change)
    replies = (folder / "replies.jsonl").read_text(encoding="utf-8")
    (folder / "replies.jsonl").write_text(replies.replace("Hm.", r"<script>alert(2)</script>"))
    (folder / "config.yaml").write_text(attack, encoding="utf-8")
    text = _draw(folder)
    assert "<script" not in text
    assert "<svg onload" not in text
    assert "&lt;script&gt;alert(2)" in text


def test_drawn_twice_is_the_same_page(make_run: MakeRun) -> None:
    folder = make_run()
    assert _draw(folder) == _draw(folder)


def test_numbers_in_the_table_are_those_of_the_results(make_run: MakeRun) -> None:
    folder = make_run()
    text = _draw(folder)
    table = text[text.index('id="headline"') : text.index('id="ratios"')]
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    for arm in [*results["arms"].values(), *results["trivial"].values()]:
        l2 = arm["psdc"]["l2"]
        assert f'<td class="main">{l2["mean"]:.2f}</td>' in table
        assert f"<td>[{l2['low']:.2f}, {l2['high']:.2f}]</td>" in table
    for r in results["arms"]["dpg"]["trait_r"].values():
        assert f"<td>{r:+.2f}</td>" in table


@pytest.mark.parametrize("kept", [("dpg",), ("unadapted", "prompted"), ("lora_sft", "few_shot")])
def test_any_subset_of_arms(make_run: MakeRun, kept: tuple[str, ...]) -> None:
    def change(results: dict[str, Any]) -> None:
        results["arms"]["few_shot"] = results["arms"]["prompted"]
        results["arms"] = {name: results["arms"][name] for name in kept}
        results["ratios"] = {}

    text = _draw(make_run(change))
    _Page(text)
    assert 'id="ratios"' not in text
    doses = 1
    assert len(re.findall('<div class="panels">', text)) == len(kept) + doses


def test_arm_without_any_score(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        people = [persona["id"] for persona in results["personas"]]
        results["arms"]["dpg"] = {
            "psdc": {"l2": {"mean": None, "low": None, "high": None}, "l1": None},
            "trait_r": {},
            "unscored": 32,
            "scored": 0,
            "measured": dict.fromkeys(people),
            "reasons": dict.fromkeys(people, "insufficient evidence: empty replies"),
        }
        results["ratios"] = {}

    text = _draw(make_run(change))
    _Page(text)
    assert "DPG could not be measured: no persona was scored." in text
    assert "no persona scored" in text
    assert "32 of 32" in text
    assert "insufficient evidence: empty replies (32 personas)" in text
    assert not re.search(r"\bnan\b", text.lower())


def test_single_persona_and_null_correlations(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        results["personas"] = results["personas"][:1]
        only = results["personas"][0]["id"]
        for arm in results["arms"].values():
            arm["trait_r"] = dict.fromkeys(arm["trait_r"])
            arm["measured"] = {only: arm["measured"][only]}

    text = _draw(make_run(change))
    _Page(text)
    assert len(re.findall('<article class="card">', text)) == 1
    assert "best of this run" in text
    assert "worst of this run" not in text


def test_only_the_results_are_needed(make_run: MakeRun) -> None:
    folder = make_run()
    for name in ("dpg", "lora_sft"):
        shutil.rmtree(folder / name)
    (folder / "replies.jsonl").unlink()
    (folder / "config.yaml").unlink()
    text = _draw(folder)
    _Page(text)
    assert 'id="training"' not in text
    assert "No replies of this persona were recorded." in text


def test_facts_may_be_missing(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        for name in set(results) - {"arms", "personas"}:
            del results[name]

    text = _draw(make_run(change))
    _Page(text)
    assert "not recorded" in text
    assert "None" not in text
