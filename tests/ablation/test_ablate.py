"""From a plan to numbers, table, figure and page, without a model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg import __main__
from lightning_dpg.ablation.keys import missing_key
from lightning_dpg.ablation.plan import Plan
from lightning_dpg.config import ROOT, Config, load
from lightning_dpg.errors import UserError
from lightning_dpg.run import ablation
from lightning_dpg.run.ablation import Finished, ablate
from tests.ablation.fake_runs import Change, fake_trainer

Planned = Callable[..., Plan]
FOUR = """\
# Both, either and neither.
experiment: smoke
settings: {evaluation.arms: [dpg]}
cells:
  both: {}
  scores: {hypernetwork.reads_description: false}
  description: {hypernetwork.reads_scores: false}
  neither: {hypernetwork.reads_scores: false, hypernetwork.reads_description: false}
"""


def read(folder: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"results.json holds {constant}, which is no JSON")

    text = (folder / "results.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


def run(plan: Plan, change: Change | None = None, **refused: Exception) -> Finished:
    """Ablate with a trainer that makes numbers up, or fails."""
    fake = fake_trainer(change=change)

    def train(config: Config) -> Path:
        cell = config.name.split("/")[3]
        if cell in refused:
            raise refused[cell]
        return fake(config)

    return ablate(plan, trainer=train, lacking=lambda config: "")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No figure and no page, which take longer than all the rest."""
    monkeypatch.setattr(ablation, "_draw", lambda results, folder: None)


def test_everything_is_written_where_the_plan_says(planned: Planned, place: Path) -> None:
    found = run(planned())
    folder = place / "runs" / "ablations" / "mine" / "smoke"
    assert found.report.resolve() == folder / "report.html"
    assert not found.failed
    names = {path.name for path in folder.iterdir()}
    outputs = {"results.json", "table.md", "figure.png", "report.html"}
    assert names == outputs | {"both", "blind"}
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "table.md").read_text(encoding="utf-8") == found.table


@pytest.mark.usefixtures("undrawn")
def test_results_hold_settings_numbers_and_where_they_are_from(
    planned: Planned, place: Path
) -> None:
    run(planned("trainer.max_steps=2", text=FOUR))
    results = read(place / "runs" / "ablations" / "mine" / "smoke")
    assert results["ablation"] == "mine"
    assert results["about"] == "Both, either and neither."
    assert (results["experiment"], results["reference"], results["seeds"]) == ("smoke", "both", [0])
    assert results["shared"] == {
        "evaluation.arms": ["dpg"],
        "command line": ["trainer.max_steps=2"],
    }
    assert set(results["varied"]) == {
        "hypernetwork.reads_scores",
        "hypernetwork.reads_description",
    }
    for name, cell in results["cells"].items():
        assert cell["status"] == "done"
        (made,) = cell["runs"]
        assert (place / made["folder"] / "results.json").is_file()
        assert cell["seconds"] == made["seconds"]
        assert (cell["numbers"]["arm"], cell["corpora"]) == ("dpg", ["c0ffee"])
        ratio = cell["numbers"]["ratio"]
        clearly = name in ("description", "neither")
        assert (ratio["low"] > 1.5) == clearly
        p = cell["numbers"]["descriptions"]["words"]["p"]
        assert (p == [0.31]) == (name in ("scores", "neither"))
    assert len(results["examples"]) == 4


def test_a_failed_cell_is_in_table_and_page_with_its_reason(planned: Planned, place: Path) -> None:
    del place
    plan = planned()
    found = run(plan, both=UserError("no <such> text"), blind=RuntimeError("broke"))
    assert found.failed
    page = found.report.read_text(encoding="utf-8")
    for reason in ("no <such> text", "RuntimeError: broke"):
        assert reason in found.table
        assert reason.replace("<", "&lt;").replace(">", "&gt;") in page
    again = run(plan)
    assert not again.failed
    assert "broke" not in again.table


def test_results_are_there_before_the_last_cell(planned: Planned, place: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(planned(), blind=KeyboardInterrupt())  # type: ignore[arg-type]
    folder = place / "runs" / "ablations" / "mine" / "smoke"
    statuses = [cell["status"] for cell in read(folder)["cells"].values()]
    assert statuses == ["done", "waiting"]
    assert "not run yet" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("undrawn")
def test_unreadable_results_fail_their_cell_alone(planned: Planned, place: Path) -> None:
    def spoil(results: dict[str, Any]) -> None:
        if results["descriptions"]["words"]["p"] == 0.31:
            results["tasks"]["questions"]["trivial"] = 3

    found = run(planned(text=FOUR), change=spoil)
    cells = read(place / "runs" / "ablations" / "mine" / "smoke")["cells"]
    assert [cell["status"] for cell in cells.values()] == ["done", "failed", "done", "failed"]
    assert "is not what an evaluation of this version writes" in cells["scores"]["reason"]
    assert found.failed


@pytest.mark.usefixtures("undrawn")
def test_without_its_reference_nothing_is_compared(planned: Planned, place: Path) -> None:
    found = run(planned(text=FOUR), both=UserError("no"))
    cells = read(place / "runs" / "ablations" / "mine" / "smoke")["cells"]
    assert cells["scores"]["numbers"]["ratio"]["mean"] is None
    assert "The reference cell both has no numbers (failed)" in found.table


@pytest.mark.usefixtures("undrawn")
def test_seeds_are_pooled_and_a_cell_has_numbers_when_all_its_seeds_have(
    planned: Planned, place: Path
) -> None:
    fake = fake_trainer()

    def train(config: Config) -> Path:
        if config.name.endswith("scores/seed-3"):
            raise UserError("no")
        return fake(config)

    ablate(planned("seed=[2,3]", text=FOUR), trainer=train, lacking=lambda config: "")
    cells = read(place / "runs" / "ablations" / "mine" / "smoke")["cells"]
    assert cells["scores"]["status"] == "failed"
    assert cells["scores"]["reason"] == "no"
    assert [made["seed"] for made in cells["both"]["runs"]] == [2, 3]
    assert cells["both"]["numbers"]["scored"] == 46
    assert len(cells["both"]["numbers"]["by_seed"]["psdc"]) == 2


# Keys of language models.


def test_settings_that_ask_nobody_need_no_key() -> None:
    assert missing_key(load("smoke")) == ""


@pytest.mark.parametrize("part", ["labels", "judge", "dialogues", "quality"])
def test_a_missing_key_is_named_with_who_needs_it(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    asked = [f"assessor.{part}.kind=litellm", f"assessor.{part}.api.model=openai/gpt-4o-mini"]
    found = missing_key(load("smoke", asked))
    assert found.startswith(f"assessor.{part} asks openai/gpt-4o-mini and needs OPENAI_API_KEY")
    own = f"assessor.{part}.api.base_url=http://localhost:9/v1"
    assert missing_key(load("smoke", [*asked, own])) == ""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nothing")
    assert missing_key(load("smoke", asked)) == ""


# The command.


@pytest.fixture
def dpg(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs `dpg ablate …` in this process, in an empty folder."""
    del place

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dpg", "ablate", *arguments])
        with pytest.raises(SystemExit) as ended:
            __main__.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


Dpg = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(("failed", "status"), [(False, 0), (True, 1)])
def test_the_exit_status_says_whether_a_cell_failed(
    dpg: Dpg, monkeypatch: pytest.MonkeyPatch, failed: bool, status: int
) -> None:
    given: list[tuple[Plan, bool]] = []

    def pretend(plan: Plan, *, fresh: bool) -> Finished:
        given.append((plan, fresh))
        return Finished(Path("there/report.html"), "| a table |", failed)

    monkeypatch.setattr(ablation, "ablate", pretend)
    asked = ("languages", "trainer.max_steps=3", "--experiment", "smoke", "--fresh")
    code, out, _ = dpg(*asked)
    assert code == status
    assert "| a table |" in out
    assert out.endswith("Report: there/report.html\n")
    ((plan, fresh),) = given
    assert (plan.ablation.name, plan.experiment, fresh) == ("languages", "smoke", True)
    assert {trial.config.trainer.max_steps for trial in plan.trials} == {3}


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ([], "dpg ablate character_vs_score"),
        (["EXP=smoke", "ABLATION=components"], "dpg ablate components --experiment smoke"),
        (["EXP=dpg_smollm2"], "dpg ablate character_vs_score --experiment dpg_smollm2"),
        (["ARGS=seed=9 --fresh"], "dpg ablate character_vs_score seed=9 --fresh"),
    ],
)
def test_make_names_an_experiment_only_where_one_was_given(given: list[str], command: str) -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "ablate", *given],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert " ".join(shown.splitlines()[-1].split()).endswith(command)


def test_an_interruption_says_how_to_go_on(dpg: Dpg, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(plan: Plan, *, fresh: bool) -> Finished:
        raise KeyboardInterrupt

    monkeypatch.setattr(ablation, "ablate", stop)
    code, _, err = dpg("languages", "--experiment", "smoke")
    assert code == 130
    assert "The same command goes on where it stopped" in err


def test_ablations_are_listed_with_what_they_show(dpg: Dpg) -> None:
    code, out, _ = dpg("--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()][:2] == [
        "character_vs_score",
        "components",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("componets",), "There is no ablation 'componets'. Did you mean 'components'?"),
        (("trainer.max_steps=3",), "There is no ablation 'trainer.max_steps=3'."),
        (("languages", "--experiment", "smok"), "There is no experiment 'smok'."),
        (("languages", "lora.rnk=3"), "Unknown setting 'lora.rnk' (in the command line)"),
    ],
)
def test_a_mistake_is_one_message_and_status_2(
    dpg: Dpg, arguments: tuple[str, ...], message: str
) -> None:
    code, _, err = dpg(*arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
