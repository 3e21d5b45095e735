"""The page, tables and figure of an ablation say what it found."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from lightning_dpg.ablation.grid import read_ablation
from lightning_dpg.ablation.plan import plan
from lightning_dpg.ablation.results import summarise
from lightning_dpg.ablation.running import Outcome
from lightning_dpg.ablation.state import Done
from lightning_dpg.records import TRAITS
from lightning_dpg.report.ablation import render, write_page
from lightning_dpg.report.ablation_plots import as_png, cell_chart
from lightning_dpg.report.ablation_tables import Table, markdown, tables
from lightning_dpg.report.ablation_words import notes, outcome
from lightning_dpg.report.tables import number, p_value, signed
from tests.ablation.fake_runs import SCENES, fake_results, write_run, write_scenes

FILE = """\
# Who reads what.
experiment: smoke
cells:
  both: {}
  blind: {hypernetwork.reads_scores: false}
  linear_map: {evaluation.arms: [linear]}
  broken: {lora.rank: 3}
  keyless: {lora.rank: 4}
  later: {lora.rank: 5}
"""
EVIL = "<script>alert(1)</script>"
Results = dict[str, Any]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Three cells with numbers, one that failed, one that was skipped, one that waits."""
    folder = tmp_path_factory.mktemp("ablation")
    (folder / "who.yaml").write_text(FILE, encoding="utf-8")
    outcomes = []
    for cell, given in (
        ("both", {}),
        ("blind", {"scores": 0.0}),
        ("linear_map", {"arm": "linear", "scores": 0.5}),
    ):
        found = fake_results(**given)
        found["tasks"]["questions"]["personas"][0]["description"] = EVIL
        write_run(folder / cell, found)
        write_scenes(folder / cell, found)
        outcomes.append(Outcome("done", "", Done(folder / cell, 120.0)))
    outcomes += [Outcome("failed", f"RuntimeError: {EVIL}"), Outcome("skipped", "needs A_KEY")]
    whole = plan(read_ablation(str(folder / "who.yaml")))
    found = summarise(whole, [*outcomes, Outcome()])
    plain: Results = json.loads(json.dumps(found))
    return plain


class Reader(HTMLParser):
    """Collects attributes and text, and fails on tags that do not match."""

    VOID = ("meta", "br", "use", "path", "image")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)
        assert not self.open

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


def table(results: Results, key: str) -> Table:
    (found,) = [table for table in tables(results) if table.key == key]
    return found


def row(found: Table, cell: str) -> Sequence[str]:
    (line,) = [line for line in found.rows if line[0] == cell]
    return line


def test_the_headline_has_every_cell_with_its_numbers(results: Results) -> None:
    found = table(results, "headline")
    assert [line[0] for line in found.rows] == list(results["cells"])
    assert all(len(line) == len(found.head) for line in found.rows)
    for name in ("both", "blind", "linear_map"):
        numbers = results["cells"][name]["numbers"]
        cells = dict(zip(found.head[3:], row(found, name)[3:], strict=True))
        assert row(found, name)[2] == number(numbers["psdc"]["mean"])
        for trait in TRAITS:
            assert cells[trait[0].upper()] == signed(numbers["traits"][trait]["mean"])
        assert cells["mean r"] == signed(numbers["mean_r"]["mean"])
        shown = "–" if name == "both" else number(numbers["ratio"]["mean"])
        assert cells["over both"] == shown
        assert cells["Unscored"] == "1 of 24"
    arms = [row(found, name)[1] for name in results["cells"]]
    assert arms == ["DPG", "DPG", "Linear map", "failed", "skipped", "waiting"]
    assert set(row(found, "broken")[2:]) == {"–"}


def test_each_cell_is_tested_against_its_reference(results: Results) -> None:
    found = table(results, "compared")
    assert [line[0] for line in found.rows] == ["blind", "linear_map"]
    ps = {}
    for name in ("blind", "linear_map"):
        tested = results["cells"][name]["numbers"]["compared"]
        ps[name] = tested["p"]
        assert row(found, name)[1:] == (
            "both",
            signed(tested["difference"]["mean"]),
            f"[{number(tested['difference']['low'])}, {number(tested['difference']['high'])}]",
            signed(tested["effect"]),
            p_value(tested["p"]),
            p_value(tested["p_holm"]),
            "23",
        )
    expected = multipletests(list(ps.values()), method="holm")[1]
    corrected = [results["cells"][name]["numbers"]["compared"]["p_holm"] for name in ps]
    assert corrected == pytest.approx(expected)
    assert "p_holm" not in results["cells"]["both"]["numbers"]["compared"]


def test_personas_with_other_targets_are_counted(results: Results) -> None:
    changed = json.loads(json.dumps(results))
    changed["cells"]["blind"]["numbers"]["ratio"] |= {"pairs": 15, "other_targets": 8}
    found = table(changed, "headline")
    assert "15 (8 left out)" in row(found, "blind")
    assert "23" in row(found, "linear_map")
    assert any("another target for them: blind (8 personas)" in note for note in notes(changed))
    assert not any("another target" in note for note in notes(results))


def test_whoever_has_no_score_is_listed_with_the_reason(results: Results) -> None:
    found = table(results, "unscored")
    expected = ("both", "1", "insufficient evidence: 12 words", "drawn/03")
    assert row(found, "both") == expected
    changed = json.loads(json.dumps(results))
    for cell in ("both", "blind", "linear_map"):
        changed["cells"][cell]["numbers"]["reasons"] = {}
    assert not [one for one in tables(changed) if one.key == "unscored"]


def test_a_cell_may_have_a_reference_of_its_own(results: Results) -> None:
    changed = json.loads(json.dumps(results))
    changed["references"] |= {"blind": "blind", "linear_map": "blind"}
    found = table(changed, "headline")
    assert found.head[4:6] == ("over", "ratio")
    assert all(len(line) == len(found.head) for line in found.rows)
    ratio = number(results["cells"]["linear_map"]["numbers"]["ratio"]["mean"])
    assert row(found, "linear_map")[4:6] == ("blind", ratio)
    assert row(found, "blind")[4:6] == row(found, "both")[4:6] == ("–", "–")
    assert [line[:2] for line in table(changed, "compared").rows] == [("linear_map", "blind")]
    told = {line[0]: line[1:] for line in table(changed, "settings").rows}
    assert told["blind"] == ("–", "a reference")
    assert told["broken"] == ("both", "lora.rank: 2 → 3")
    assert "hypernetwork.reads_scores: false → true" in told["linear_map"][1]
    said = outcome(changed)
    for name in ("both", "blind"):
        deviation = number(results["cells"][name]["numbers"]["psdc"]["mean"])
        assert f"The reference, {name}, deviates by {deviation}" in said
    assert said.index("The reference, blind") < said.index("linear_map (")
    changed["cells"]["blind"]["status"] = "failed"
    assert "The reference cell blind has no numbers (failed): nothing can be compared with it" in (
        outcome(changed)
    )
    assert Reader(render(changed, cell_chart(changed))).text


def test_what_a_cell_has_no_number_for_is_a_dash(results: Results) -> None:
    found = table(results, "effects")
    assert row(found, "linear_map")[1:7] == ("–",) * 6
    assert row(found, "both")[1:4] == ("16.0%", "7.0%", "0.0005")
    assert row(found, "both")[-1] == "2.0"


def test_trivial_answers_and_groups_stand_beside(results: Results) -> None:
    found = table(results, "trivial")
    assert found.head == ("Cell", "Constant zero", "Corpus mean", "Shuffled")
    zero = results["cells"]["both"]["numbers"]["trivial"]["constant_zero"]
    assert [line[:2] for line in found.rows] == [("all cells", number(zero))]
    split = table(results, "groups")
    assert split.head == ("Cell", "held-out", "zero (personas)", "drawn", "zero (personas)")
    assert row(split, "both")[2].endswith("(8)")


def test_settings_are_told_against_the_reference(results: Results) -> None:
    found = table(results, "settings")
    assert row(found, "both")[1] == "the reference"
    assert row(found, "blind")[1] == "hypernetwork.reads_scores: true → false"
    assert row(found, "broken")[1] == "lora.rank: 2 → 3"


def test_the_outcome_says_who_is_clearly_worse(results: Results) -> None:
    said = outcome(results)
    reference = results["cells"]["both"]["numbers"]
    assert said.startswith(f"The reference, both, deviates by {number(reference['psdc']['mean'])}")
    assert "better than constant zero" in said
    assert re.search(r"Clearly farther [^.]*\(times as much\): blind \(2\.\d\d \[", said)
    assert any("linear_map (linear)" in note for note in notes(results))


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        ({"mean": 0.8, "low": 0.7, "high": 0.9}, "Clearly nearer: blind (0.80"),
        ({"mean": 1.1, "low": 0.9, "high": 1.3}, "No clear difference: blind (1.10"),
        ({"mean": None, "low": None, "high": None}, "Not comparable by persona: blind"),
    ],
)
def test_a_verdict_follows_the_interval(results: Results, ratio: Results, words: str) -> None:
    changed = json.loads(json.dumps(results))
    changed["cells"]["blind"]["numbers"]["ratio"] = ratio
    assert words in outcome(changed)


@pytest.mark.parametrize(
    ("psdc", "words"),
    [
        ({"mean": 9.0, "low": 8.0, "high": 9.5}, "no better than constant zero"),
        ({"mean": 5.0, "low": 4.0, "high": 9.5}, "not clearly better than constant zero"),
        ({"mean": None, "low": None, "high": None}, "no persona was scored"),
    ],
)
def test_a_poor_reference_is_said_plainly(results: Results, psdc: Results, words: str) -> None:
    changed = json.loads(json.dumps(results))
    changed["cells"]["both"]["numbers"]["psdc"] = psdc
    assert words in outcome(changed)


def test_cells_of_other_texts_and_judges_are_told(results: Results) -> None:
    changed = json.loads(json.dumps(results))
    assert not [note for note in notes(changed) if "corpus" in note or "judge" in note]
    changed["cells"]["blind"]["corpora"] = ["another"]
    changed["cells"]["blind"]["facts"]["judge"] = "another"
    said = " ".join(notes(changed))
    assert "Of another corpus than the reference: blind." in said
    assert "Not all cells have the same judge" in said


def test_markdown_holds_all_tables_and_the_reasons(results: Results) -> None:
    text = markdown(results)
    shown = [
        tuple(cell.strip() for cell in line.strip("|").split(" | "))
        for line in text.splitlines()
        if line.startswith("|")
    ]
    for found in tables(results):
        assert f"## {found.title}" in text
        assert {found.head, *found.rows} <= set(shown)
    assert "- keyless: skipped. needs A_KEY" in text
    assert "- later: waiting. " in text


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return render(results, cell_chart(results))


def test_the_page_says_every_number_of_every_table(results: Results, page: str) -> None:
    text = Reader(page).text
    for found in tables(results):
        for line in (found.head, *found.rows):
            assert not [cell for cell in line if cell not in text]
    for example in results["examples"]:
        for answered in example["answered"]:
            assert all(said in text for _, said in answered["heard"])
            assert all(reply in text for reply in answered["replies"].values())
    assert all(gold in text for _, gold in SCENES[1:])
    assert "Tom: The boat is gone." in text


def test_the_page_stands_alone(page: str) -> None:
    reader = Reader(page)
    assert all(link.startswith(("#", "../")) for link in reader.links)
    assert "http" not in page.replace("https://www.w3.org", "").replace("http://www.w3.org", "")
    assert len(reader.ids) == len(set(reader.ids))
    assert page.count("<svg") == 1
    drawn = page[page.index("<svg") : page.index("</svg>")]
    used = set(re.findall(r"var\((--[\w-]+)\)", drawn))
    assert "--cell-reference" in used
    assert used <= set(re.findall(r"(--[\w-]+):", page))


def test_each_cell_leads_to_its_own_report(results: Results) -> None:
    changed = json.loads(json.dumps(results))
    changed["cells"]["blind"]["runs"].append(
        {"seed": 1, "folder": "elsewhere", "report": "blind/seed-1/x/report.html", "seconds": 1.0}
    )
    reader = Reader(render(changed, cell_chart(changed)))
    links = [link for link in reader.links if not link.startswith("#")]
    for name in ("both", "blind", "linear_map"):
        for made in changed["cells"][name]["runs"]:
            assert links.count(made["report"]) == 2  # beside its numbers, and in the list of runs
    (made,) = results["cells"]["both"]["runs"]
    page = Path("runs/ablations/who/smoke")
    assert Path(os.path.normpath(page.absolute() / made["report"])) == Path(
        os.path.normpath(Path(made["folder"]).absolute() / "report.html")
    )


def test_texts_of_models_are_no_markup(page: str) -> None:
    assert EVIL not in page
    assert page.count("&lt;script&gt;") >= 1


def test_a_page_without_any_number_can_be_drawn(results: Results, tmp_path: Path) -> None:
    changed = json.loads(json.dumps(results))
    for cell in changed["cells"].values():
        cell |= {"status": "failed", "reason": "no", "runs": []}
    changed["examples"] = []
    write_page(changed, cell_chart(changed), tmp_path / "report.html")
    text = Reader((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "nothing can be compared yet" in text
    assert "There is no persona for whom every cell spoke." in text
    assert markdown(changed)


def test_the_figure_has_a_row_for_each_cell_and_a_panel_for_each_trait(results: Results) -> None:
    figure = cell_chart(results)
    psdc, *panels = figure.axes
    assert [tick.get_text() for tick in psdc.get_yticklabels()] == list(results["cells"])
    assert len(panels) == len(TRAITS)
    texts = [text.get_text().strip() for text in psdc.texts]
    assert [text for text in texts if text in ("failed", "skipped", "waiting")] == [
        "failed",
        "skipped",
        "waiting",
    ]
    for name in ("both", "blind", "linear_map"):
        assert number(results["cells"][name]["numbers"]["psdc"]["mean"]) in texts
    for trait, axes in zip(TRAITS, panels, strict=True):
        drawn = [line for line in axes.lines if line.get_marker() in ("o", "s")]
        points = [float(np.asarray(line.get_xdata())[0]) for line in drawn]
        expected = [
            results["cells"][name]["numbers"]["traits"][trait]["mean"]
            for name in ("both", "blind", "linear_map")
        ]
        assert points == pytest.approx(expected)


def test_a_figure_can_be_a_file(results: Results) -> None:
    assert as_png(cell_chart(results)).startswith(b"\x89PNG")
