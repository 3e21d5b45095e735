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
from lxml import html
from matplotlib.figure import Figure

from lightning_dpg.records import TRAITS
from lightning_dpg.report import write_report
from lightning_dpg.report.plots import dose_chart
from lightning_dpg.report.reading import read_run
from lightning_dpg.report.style import PAGE, looks
from lightning_dpg.report.svg import inline_svg
from tests.report.conftest import only, write_fake_evaluation, write_fake_run

MakeRun = Callable[..., Path]
Whole = tuple[str, dict[str, Any]]
VOID = {"meta", "br", "link", "img", "hr"}
ORDER = (
    "headline tasks comparisons traits matrix scatter doses descriptions quality controls second "
    "personas worst overfitting training unscored reading facts"
).split()


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


class Read:
    """The page as somebody reads it, section by section, table by table."""

    def __init__(self, text: str) -> None:
        self.root: Any = html.fromstring(text)

    def text(self, section: str) -> str:
        (found,) = self.root.xpath("//section[@id=$name]", name=section)
        return " ".join(found.text_content().split())

    def row(self, section: str, start: str, table: int = 0) -> list[str]:
        """Cells of the row of a table whose first cell is `start`; small print after a bar."""
        tables = self.root.xpath("//section[@id=$name]//table", name=section)
        for line in tables[table].iter("tr"):
            cells = [" ".join("|".join(cell.itertext()).split()) for cell in line]
            if cells and cells[0] == start:
                return cells[1:]
        raise AssertionError(f"{start} is no row of table {table} of {section}")

    def sections(self) -> list[str]:
        return [str(name) for name in self.root.xpath("//section/@id")]


def _draw(folder: Path) -> str:
    file = write_report(folder)
    assert file == folder / "report.html"
    return file.read_text(encoding="utf-8")


@pytest.fixture
def whole(make_run: MakeRun, no_figures: None) -> Whole:
    """The page of a run with every part, and its results."""
    folder = make_run()
    return _draw(folder), json.loads((folder / "results.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with one figure at least of every sort."""

    def change(results: dict[str, Any]) -> None:
        only("dose_response", "overfitting")(results)
        task = results["tasks"]["questions"]
        task["arms"] = {"dpg": task["arms"]["dpg"]}
        task["personas"] = task["personas"][:2]
        for trait in TRAITS[2:]:
            del results["dose_response"][trait]

    return _draw(write_fake_run(tmp_path_factory.mktemp("drawn") / "run", change))


def test_page_is_self_contained_and_well_formed(drawn: str) -> None:
    page = _Page(drawn)
    assert all(address.startswith("#") for address in page.addresses)
    assert set(page.addresses) <= {f"#{name}" for name in page.ids}
    assert len(page.ids) == len(set(page.ids))
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert "@import" not in drawn
    assert "http" not in drawn


def test_every_colour_of_a_figure_turns_with_the_page(drawn: str) -> None:
    figures = re.findall(r"<svg role.*?</svg>", drawn, re.DOTALL)
    assert len(figures) == 17  # 3 of all, 5 scatters, 2 dials, 2 radars, 5 curves
    assert not [colour for f in figures for colour in re.findall(r"#[0-9a-f]{6}\b", f)]
    used = set(re.findall(r"var\((--[\w-]+)\)", drawn))
    dark = drawn[drawn.index("prefers-color-scheme: dark") :]
    assert {name for name in used if f"{name}:" not in dark} == set()


def test_text_in_a_figure_is_no_markup() -> None:
    figure = Figure()
    figure.text(0, 0, "<script>alert(1)</script>")
    svg = inline_svg(figure, {}, "k", '"><script>alert(2)</script>')
    assert "<script" not in svg and "&lt;script&gt;alert(1)" in svg


def test_sections_come_in_order_and_the_contents_point_at_them(whole: Whole) -> None:
    _Page(whole[0])
    page = Read(whole[0])
    assert page.sections() == ORDER
    assert page.root.xpath("//nav/a/@href") == [f"#{name}" for name in ORDER]


def test_the_verdict_comes_first_with_missed_targets_on_top(whole: Whole) -> None:
    page = Read(whole[0])
    (outcome,) = page.root.xpath("//p[@class='outcome']")
    assert outcome.text_content().startswith("DPG is better than constant zero (")
    said = [item.text_content() for item in page.root.xpath("//ul[@class='targets']/li")]
    assert len(said) == 5
    order = [text.split()[0] for text in said]
    assert order == sorted(order, key=["Missed", "Not", "Met"].index)


def test_numbers_in_the_headline_are_those_of_the_results(whole: Whole) -> None:
    page, task = Read(whole[0]), whole[1]["tasks"]["questions"]
    for name, arm in {"DPG": "dpg", "LoRA-SFT": "lora_sft"}.items():
        found, l2 = page.row("headline", name), task["arms"][arm]["psdc"]["l2"]
        assert found[0] == f"{l2['mean']:.2f}"
        assert found[1] == f"[{l2['low']:.2f}, {l2['high']:.2f}]"
        r = task["arms"][arm]["trait_r"].values()
        assert found[4:9] == [f"{value:+.2f}".replace("-", "\N{MINUS SIGN}") for value in r]
    zero = task["trivial"]["constant_zero"]["psdc"]["l2"]["mean"]
    assert page.row("headline", "Constant zero")[0] == f"{zero:.2f}"


def test_numbers_by_task_are_those_of_the_results(whole: Whole) -> None:
    page, tasks = Read(whole[0]), whole[1]["tasks"]
    contradictory = tasks["newcomers"]["arms"]["dpg"]["by_kind"]["contradictory"]
    found = page.row("tasks", "DPG")
    assert found[6].startswith(f"{contradictory['l2']['mean']:.2f}|[")
    zero = page.row("tasks", "Constant zero")
    assert zero[6] == f"{contradictory['zero']:.2f}"
    floor = tasks["scripted"]["references"]["gold"]["psdc"]["l2"]["mean"]
    row = page.row("tasks", "Noise floor: own lines rated again")
    assert row[3].startswith(f"{floor:.2f}|") and row[0] == "–"


def test_comparisons_traits_and_dials_are_those_of_the_results(whole: Whole) -> None:
    page = Read(whole[0])
    assert page.row("comparisons", "LoRA-SFT") == [
        *("\N{MINUS SIGN}3.00", "[\N{MINUS SIGN}3.09, \N{MINUS SIGN}2.90]", "\N{MINUS SIGN}1.00"),
        *("<0.001", "0.002", "31", "nearer to what was asked"),
    ]
    fit = whole[1]["tasks"]["questions"]["arms"]["dpg"]["traits"]["openness"]
    found = page.row("traits", "Openness")
    for place, name in enumerate(("pearson", "spearman", "concordance", "mae", "bias", "slope")):
        shown = found[place].split("|")[0].lstrip("+").replace("\N{MINUS SIGN}", "-")
        assert float(shown) == pytest.approx(fit[name]["mean"], abs=0.0051)
    assert page.row("doses", "Neuroticism") == [
        *("+0.95|[0.86, 1.05]", "0 of 8", "+0.90|[0.81, 1.00]", "0.84"),
        *("\N{MINUS SIGN}0.20", "agreeableness"),
        *("+0.65", "+0.05", "+0.02"),
    ]
    backgrounds = page.row("doses", "Openness", table=1)
    assert backgrounds[0] == "C \N{MINUS SIGN}2.0, E +2.0, A \N{MINUS SIGN}2.0, N +2.0"


def test_quality_controls_and_overfitting_are_those_of_the_results(whole: Whole) -> None:
    page = Read(whole[0])
    quality = page.row("quality", "DPG")
    assert quality[0] == "2.75|[2.66, 2.85]"
    assert quality[2:] == ["+0.41", "0.31", "0.62", "0.83", "1%", "2%", "27"]
    assert page.row("controls", "Words in another order")[0] == "nll"
    assert page.row("controls", "Words in another order")[-1] == "caught"
    assert "seven at open shop a I to have." in page.text("controls")
    dpg = page.row("overfitting", "DPG")
    assert dpg[2].startswith("\N{MINUS SIGN}0.60|") and dpg[3] == "0.030"
    zero = page.row("overfitting", "Constant zero")
    assert zero[1] == page.row("tasks", "Constant zero")[1]


def test_descriptions_say_what_they_explain(whole: Whole) -> None:
    said = Read(whole[0]).text("descriptions")
    assert "descriptions explain 12.3% of how single replies to one question differ in" in said
    assert "chance would explain 11.2% (p 0.004, 80 replies)" in said


def test_worst_personas_come_with_target_measured_and_text(whole: Whole) -> None:
    page, task = Read(whole[0]), whole[1]["tasks"]["questions"]
    assert len(page.root.xpath("//section[@id='worst']//article")) == 10
    measured = task["arms"]["dpg"]["measured"]
    gaps = {
        p["id"]: sum((a - b) ** 2 for a, b in zip(p["target"], measured[p["id"]], strict=True))
        for p in task["personas"]
        if measured[p["id"]]
    }
    worst = max(gaps, key=lambda name: gaps[name])
    name = next(p["name"] for p in task["personas"] if p["id"] == worst)
    assert page.text("worst").count("I have a shop to open at seven.") == 40
    first = page.root.xpath("//section[@id='worst']//article//h3")[0].text_content()
    assert first.startswith(f"1. {name}") and f"{gaps[worst] ** 0.5:.2f} off" in first


def test_what_was_skipped_is_said(whole: Whole) -> None:
    said = Read(whole[0]).text("unscored")
    assert "API model, prompted: no key: set OPENAI_API_KEY" in said
    assert "insufficient evidence: 12 words, at least 25 are needed (1 persona)" in said
    assert "One dial at a time DPG: 3 of 45 personas unscored insufficient evidence" in said
    assert "Descriptions alone DPG: 4 of 80 replies unscored empty reply (4 replies)" in said
    assert "Every persona was scored: Prompted, scores; LoRA-SFT; Own lines rated again" in said
    assert "Controls that could not be made" not in said


@pytest.mark.usefixtures("no_figures")
def test_an_absent_control_has_its_reason(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        del results["controls"]["other_question"]

    said = Read(_draw(make_run(change))).text("unscored")
    assert "A reply to another question: all were asked the same" in said
    assert "Words in another order" not in said


def test_phases_inside_others_are_counted_once(whole: Whole) -> None:
    page = Read(whole[0])
    assert page.row("facts", "total", table=2) == ["870.1"]  # 130.1 + 400 + 190 + 150
    assert page.row("facts", "evaluation, of it quality", table=2) == ["50.0"]


@pytest.mark.usefixtures("no_figures")
def test_untrusted_text_is_escaped(make_run: MakeRun) -> None:
    attack = '<script>alert("x")</script><svg onload=alert(1)>'

    def change(results: dict[str, Any]) -> None:
        results["tasks"] = {"questions": results["tasks"]["questions"]}
        task = results["tasks"]["questions"]
        for persona in task["personas"]:
            persona["name"] = persona["description"] = attack
            persona["kind"] = attack
        task["prompts"], task["title"] = [attack], attack
        task["arms"] = {name: task["arms"][name] for name in ("prompted", "dpg")}
        task["arms"][attack] = task["arms"].pop("prompted")
        dpg = task["arms"]["dpg"]
        dpg["reasons"] = {attack: attack}
        dpg["by_kind"] = {attack: dpg["by_kind"]["drawn"], "b": dpg["by_kind"]["drawn"]}
        dpg["quality"]["judged"] |= {"judge": attack, "reasons": {attack: 1}}
        dpg["second"]["instrument"] = attack
        results["experiment"] = results["judge_note"] = attack
        results["skipped"] = {attack: attack}
        results["controls"] = {
            attack: {"measure": attack, "example": {"intact": attack, "broken": attack}}
        }
        results["descriptions"] = {attack: {"p": 0.1}}

    folder = make_run(change)
    file = folder / "replies.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    hostile = [json.dumps(line | {"reply": f"{attack}<b>bold</b>"}) for line in lines]
    file.write_text("\n".join(hostile), encoding="utf-8")
    (folder / "config.yaml").write_text(attack, encoding="utf-8")
    text = _draw(folder)
    assert "script" not in _Page(text).tags
    assert "<script" not in text and "<svg onload" not in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert Read(text).root.xpath("//*[@onload]") == []


@pytest.mark.usefixtures("no_figures")
def test_drawn_twice_is_the_same_page(make_run: MakeRun) -> None:
    folder = make_run(only())
    assert _draw(folder) == _draw(folder)


def test_drawn_twice_is_the_same_figure(make_run: MakeRun) -> None:
    dose = read_run(make_run()).doses[0]
    look = looks(["dpg"])["dpg"]
    first, second = (inline_svg(dose_chart(dose, look), PAGE, "k", "") for _ in range(2))
    assert first == second and "clip" in first


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("kept", [("dpg",), ("unadapted", "prompted"), ("lora_sft", "few_shot")])
def test_any_subset_of_arms(make_run: MakeRun, kept: tuple[str, ...]) -> None:
    def change(results: dict[str, Any]) -> None:
        only()(results)
        task = results["tasks"]["questions"]
        task["arms"]["few_shot"] = task["arms"]["prompted"]
        task["arms"] = {name: task["arms"][name] for name in kept}
        task["ratios"] = task["comparisons"] = {}

    text = _draw(make_run(change))
    _Page(text)
    absent = {"comparisons", "doses", "descriptions", "controls", "overfitting"}
    assert Read(text).sections() == [name for name in ORDER if name not in absent]
    assert ("Missed" in text or "Met<" in text or "Not measured" in text) == ("dpg" in kept)


@pytest.mark.usefixtures("no_figures")
def test_arm_without_any_score(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        only()(results)
        task = results["tasks"]["questions"]
        people = [persona["id"] for persona in task["personas"]]
        nothing = {"mean": None, "low": None, "high": None}
        task["arms"]["dpg"] = {
            "psdc": {"l2": nothing, "l1": None},
            "by_kind": {"held_out": {"l2": nothing, "zero": 3.0, "personas": 16}},
            "traits": {"openness": {"pearson": nothing}},
            "matrix": [[None] * 5] * 5,
            "diagonal": None,
            "trait_r": {},
            "unscored": 32,
            "scored": 0,
            "measured": dict.fromkeys(people),
            "reasons": dict.fromkeys(people, "insufficient evidence: empty replies"),
            "quality": {"nll": nothing, "loops": 0.0},
        }
        task["ratios"] = {}
        task["comparisons"] = {"prompted": {"difference": nothing, "p": None, "personas": 0}}

    text = _draw(make_run(change))
    _Page(text)
    page = Read(text)
    assert "DPG could not be measured: no persona was scored." in text
    assert "matrix" not in page.sections() and "worst" not in page.sections()
    assert page.row("headline", "DPG")[0] == "–" and page.row("headline", "DPG")[-1] == "32 of 32"
    assert page.row("comparisons", "Prompted, scores")[-1] == "not tested"
    assert page.row("quality", "DPG")[:3] == ["–", "–", "–"]
    assert "insufficient evidence: empty replies (32 personas)" in text
    assert not re.search(r"\bnan\b", text.lower()) and "None" not in text


@pytest.mark.usefixtures("no_figures")
def test_single_persona_and_null_correlations(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        only()(results)
        task = results["tasks"]["questions"]
        task["personas"] = task["personas"][:1]
        one = task["personas"][0]["id"]
        for arm in task["arms"].values():
            arm["trait_r"] = dict.fromkeys(arm["trait_r"])
            arm["measured"] = {one: arm["measured"][one]}

    text = _draw(make_run(change))
    _Page(text)
    personas = text[text.index('id="personas"') : text.index('id="worst"')]
    assert personas.count('<article class="card">') == 1
    assert "best of this run" in text
    assert "worst of this run" not in text


@pytest.mark.usefixtures("no_figures")
def test_only_the_results_are_needed(make_run: MakeRun) -> None:
    folder = make_run(only())
    for name in ("dpg", "lora_sft"):
        shutil.rmtree(folder / name)
    (folder / "replies.jsonl").unlink()
    (folder / "config.yaml").unlink()
    text = _draw(folder)
    _Page(text)
    assert 'id="training"' not in text
    assert "No replies of this persona were recorded." in text


@pytest.mark.usefixtures("no_figures")
def test_facts_may_be_missing(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        for name in set(results) - {"headline", "tasks"}:
            del results[name]
        task = results["tasks"] = {"questions": results["tasks"]["questions"]}
        for name in set(task["questions"]) - {"arms", "personas"}:
            del task["questions"][name]
        for arm in task["questions"]["arms"].values():
            for name in set(arm) - {"psdc", "measured"}:
                del arm[name]

    text = _draw(make_run(change))
    _Page(text)
    assert Read(text).sections() == [
        "headline",
        "scatter",
        "personas",
        "worst",
        "training",
        "unscored",
        "reading",
        "facts",
    ]
    assert "not recorded" in text
    assert "None" not in text


@pytest.mark.usefixtures("no_figures")
def test_an_evaluation_inside_a_run_says_so(make_run: MakeRun) -> None:
    folder = write_fake_evaluation(make_run() / "evaluations" / "full", only())
    text = _draw(folder)
    assert "report of an evaluation" in text
    assert 'id="training"' in text
