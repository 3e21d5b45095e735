"""What a broken or partial folder says, and how gaps in the numbers are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS
from lightning_dpg.report.reading import Estimate, read_run, run_of
from tests.report.conftest import write_fake_evaluation

MakeRun = Callable[..., Path]
PERSONA = '{"id": "a", "target": [0, 0, 0, 0, 0]}'


def written(task: str) -> str:
    return f'{{"headline": "questions", "tasks": {{"questions": {task}}}}}'


def test_missing_results_name_the_file_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"results\.json is missing.*Evaluate the run first"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"tasks": {', "not valid JSON"),
        ("[]", "the file expected an object"),
        ("{}", "`headline` expected a string"),
        ('{"headline": "questions", "tasks": {}}', "`tasks.questions` expected `arms` and"),
        (written('{"arms": {"dpg": {}}, "personas": []}'), "with an entry each"),
        (
            written(f'{{"arms": {{"dpg": []}}, "personas": [{PERSONA}]}}'),
            "tasks.questions.arms.dpg",
        ),
        (written('{"arms": {"dpg": {}}, "personas": [{"id": "a", "target": [0]}]}'), "5 numbers"),
        (written('{"arms": {"dpg": {}}, "personas": [{"id": "a"}]}'), "5 numbers"),
        (
            written('{"arms": {"dpg": {}}, "personas": [{"target": [0,0,0,0,0]}]}'),
            r"tasks\.questions\.personas\[0\]\.id",
        ),
        (
            written('{"arms": {"dpg": {"psdc": {"l2": {"mean": "low"}}}}, "personas": []}'),
            r"arms\.dpg\.psdc\.l2\.mean` expected a number or null, got 'low'",
        ),
        (
            written('{"arms": {"dpg": {"matrix": [[1, 0]]}}, "personas": []}'),
            r"arms\.dpg\.matrix` expected 5×5 numbers",
        ),
    ],
)
def test_broken_results_name_the_file_and_the_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "results.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said) as caught:
        read_run(tmp_path)
    assert str(tmp_path / "results.json") in str(caught.value)


def test_results_of_an_earlier_version_say_how_to_renew_them(tmp_path: Path) -> None:
    old = {"experiment": "smoke", "version": "0.1.0", "arms": {"dpg": {}}, "personas": []}
    (tmp_path / "results.json").write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(UserError, match=r"earlier version .*\(0\.1\.0\).*`dpg evaluate smoke`"):
        read_run(tmp_path)


def test_broken_reply_names_its_line(make_run: MakeRun) -> None:
    folder = make_run()
    with (folder / "replies.jsonl").open("a", encoding="utf-8") as out:
        out.write('{"arm": "dpg", "pers')
    with pytest.raises(UserError, match=r"replies\.jsonl is broken: line \d+"):
        read_run(folder)


def test_not_a_number_is_no_number(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        dpg = results["tasks"]["questions"]["arms"]["dpg"]
        dpg["psdc"]["l2"]["mean"] = float("nan")
        dpg["trait_r"]["openness"] = float("nan")
        dpg["traits"]["openness"]["slope"]["mean"] = None
        dpg["matrix"][1][2] = None

    arm = read_run(make_run(change)).main
    assert "l2" not in arm.psdc and "l1" in arm.psdc
    assert arm.trait_r[0] is None
    assert "slope" not in arm.traits["openness"] and "bias" in arm.traits["openness"]
    assert arm.matrix[1][2] is None and arm.matrix[1][1] is not None


def test_curves_skip_empty_and_torn_cells(make_run: MakeRun) -> None:
    folder = make_run()
    text = "step,train/loss,val/psdc\n0,2.5,\n1,,4.0\n2,nan,\n3,2.2,\n4,2.1e"
    (folder / "dpg" / "metrics.csv").write_text(text, encoding="utf-8")
    curves = read_run(folder).curves["dpg"]
    assert curves == {"train/loss": [(0.0, 2.5), (3.0, 2.2)], "val/psdc": [(1.0, 4.0)]}


def test_an_evaluation_inside_a_run_has_the_curves_of_the_run(make_run: MakeRun) -> None:
    run = make_run()
    folder = write_fake_evaluation(run / "evaluations" / "full")
    assert run_of(folder) == run and run_of(run) == run
    read = read_run(folder)
    assert set(read.curves) == {"dpg", "lora_sft"}
    assert read.is_evaluation and not read_run(run).is_evaluation
    assert read.config == ""  # its own settings, not those of the run


def test_every_part_of_a_task_is_read(make_run: MakeRun) -> None:
    folder = make_run()
    written = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    run = read_run(folder)
    assert [task.name for task in run.tasks] == list(written["tasks"])
    assert run.headline.name == "questions" and run.main.name == "dpg"
    dpg = written["tasks"]["questions"]["arms"]["dpg"]
    assert run.main.by_kind["drawn"].zero == dpg["by_kind"]["drawn"]["zero"]
    assert run.main.by_kind["drawn"].l2 == Estimate(**dpg["by_kind"]["drawn"]["l2"])
    assert run.main.traits["openness"]["bias"] == Estimate(**dpg["traits"]["openness"]["bias"])
    assert [list(row) for row in run.main.matrix] == dpg["matrix"]
    assert (run.main.diagonal, run.main.off_diagonal) == (dpg["diagonal"], dpg["off_diagonal"])
    assert run.main.profile_r == Estimate(**dpg["profile_r"])
    assert run.main.shuffled == Estimate(**dpg["psdc_shuffled"]["l2"])
    gold = next(task for task in run.tasks if task.name == "scripted").gold
    assert (
        gold
        and gold.psdc["l2"].mean
        == (written["tasks"]["scripted"]["references"]["gold"]["psdc"]["l2"]["mean"])
    )
    assert run.headline.gold is None
    one = run.headline.comparisons[0]
    assert (one.other, one.p_holm, one.effect, one.personas) == ("unadapted", 0.0015, -0.8, 31)
    assert [trait.other for trait in one.traits] == list(TRAITS)


def test_quality_and_its_judge_are_read(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        arms = results["tasks"]["questions"]["arms"]
        del arms["prompted"]["quality"]
        del arms["lora_sft"]["quality"]["judged"]
        arms["dpg"]["quality"]["consistency"] = None

    task = read_run(make_run(change)).headline
    quality = task.main.quality
    assert quality and quality.judged
    assert quality.nll == Estimate(2.75, 2.66, 2.85)
    assert quality.distinct == (0.31, 0.62, 0.83)
    assert (quality.loops, quality.refusals, quality.consistency) == (0.01, 0.02, None)
    assert quality.judged.fluency == Estimate(4.1, 4.1 - 0.09, 4.1 + 0.1)
    assert quality.judged.reasons == {"the answer is no JSON": 2}
    plain, none = task.arm("lora_sft"), task.arm("prompted")
    assert plain and plain.quality and plain.quality.judged is None
    assert none and none.quality is None


def test_studies_are_read(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        dose = results["dose_response"]["openness"]
        dose["measured"][0] = None
        dose["violations"] = 1
        # Five of nine were scored; of a sixth, one of the other traits was not.
        neuroticism = results["dose_response"]["neuroticism"]
        neuroticism["measured"][:3] = [None] * 3
        neuroticism["profiles"][:3] = [[None] * 5] * 3
        neuroticism["profiles"][3] = [1.0, None, 1.0, 1.0, 1.0]
        neuroticism["violations"] = 4
        results["dose_response"]["neuroticism"].pop("null")

    run = read_run(make_run(change))
    dose = run.doses[0]
    assert dose.trait == "openness" and dose.second_r == 0.61
    assert (len(dose.base.points), dose.base.steps, dose.base.violations) == (8, 7, 1)
    assert dose.base.slope == 0.9 and dose.base.steepest_other == ("neuroticism", -0.2)
    assert [other.background[1] for other in dose.backgrounds] == [-2.0, 2.0]
    assert dose.null and dose.null.points[4] == (0.0, 0.0) and dose.null.slope == 0.02
    assert run.doses[4].null is None
    assert (run.doses[4].base.steps, run.doses[4].base.violations) == (4, 4)
    seen = run.overfitting[-1]
    assert seen.arm == "dpg" and seen.difference and seen.difference.mean == pytest.approx(-0.6)
    assert [control.measure for control in run.controls] == ["nll", "coherency", "consistency"]
    assert run.controls[0].broken_text.startswith("seven at open")
    assert run.skipped["api"].startswith("no key")


def test_replies_of_other_tasks_are_not_those_of_the_headline(make_run: MakeRun) -> None:
    run = read_run(make_run())
    assert {reply.task for reply in run.replies} == set(task.name for task in run.tasks)
    assert {reply.task for reply in run.said} == {"questions"}
