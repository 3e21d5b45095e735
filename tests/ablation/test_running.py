"""Running cells: what is done is not done again, and a failure stops nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lightning_dpg.ablation import state
from lightning_dpg.ablation.plan import Plan
from lightning_dpg.ablation.running import ERROR, Outcome, Workshop, run_trials
from lightning_dpg.config import Config
from lightning_dpg.errors import UserError
from lightning_dpg.runs import open_run
from tests.ablation.fake_runs import fake_trainer, new_run

Planned = Callable[..., Plan]
THREE = """\
experiment: smoke
cells: {a: {}, b: {lora.rank: 3}, c: {lora.rank: 4}}
"""


class Bench:
    """Runs plans and remembers what was trained and said."""

    def __init__(self, **refused: BaseException) -> None:
        self.refused, self.fresh, self.lacking = refused, False, ""
        self.open_run = new_run
        self.made: list[str] = []
        self.said: list[str] = []

    def train(self, config: Config) -> Path:
        cell = config.name.split("/")[3]
        if cell not in self.refused:
            return fake_trainer(self.made, open_run=self.open_run)(config)
        self.made.append(config.name)
        self.open_run(config).mkdir(parents=True, exist_ok=True)  # as far as it came
        raise self.refused[cell]

    def __call__(self, plan: Plan) -> list[Outcome]:
        self.made.clear()
        *_, last = run_trials(plan.trials, self.workshop())
        return last

    def workshop(self) -> Workshop:
        def lacks(config: Config) -> str:
            return self.lacking if config.lora.rank == 3 else ""

        return Workshop(Path("runs"), self.train, lacks, self.said.append, self.fresh)

    @property
    def cells(self) -> str:
        """Of what was trained."""
        return "".join(name.split("/")[3] for name in self.made)


@pytest.fixture
def three(planned: Planned, place: Path) -> Plan:
    del place
    return planned(text=THREE)


def statuses(outcomes: list[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def test_cells_run_one_after_the_other_with_the_outcomes_so_far(three: Plan) -> None:
    bench = Bench()
    so_far = [statuses(found) for found in run_trials(three.trials, bench.workshop())]
    assert so_far == [
        ["done", "waiting", "waiting"],
        ["done", "done", "waiting"],
        ["done", "done", "done"],
    ]
    assert [statuses(found) for found in run_trials(three.trials, bench.workshop())] == [
        ["done", "done", "done"]
    ]
    assert bench.made == [trial.config.name for trial in three.trials]


def test_a_second_start_trains_nothing_and_finds_the_same_runs(three: Plan) -> None:
    bench = Bench()
    first = bench(three)
    assert bench.cells == "abc"
    second = bench(three)
    assert bench.cells == ""
    assert [o.done for o in second] == [o.done for o in first]
    assert all(o.done and (o.done.folder / "results.json").is_file() for o in second)


@pytest.mark.parametrize("error", [UserError("no such text"), RuntimeError("it\nbroke")])
def test_a_failed_cell_stops_no_other_and_runs_again(three: Plan, error: Exception) -> None:
    bench = Bench(b=error)
    found = bench(three)
    assert statuses(found) == ["done", "failed", "done"]
    assert bench.cells == "abc"
    if isinstance(error, UserError):
        assert found[1].reason == "no such text"
    else:
        file = Path("runs") / three.trials[1].config.name / ERROR
        assert found[1].reason == f"RuntimeError: it broke (see {file})"
        assert "in train" in file.read_text(encoding="utf-8")
    bench.refused = {}
    assert statuses(bench(three)) == ["done"] * 3
    assert bench.cells == "b"


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(1)])
def test_an_interruption_ends_it_and_the_next_start_goes_on_in_the_same_run(
    three: Plan, stop: BaseException
) -> None:
    bench = Bench(b=stop)
    bench.open_run = lambda config: open_run(config, "c0ffee")  # as `main_job.train` does
    with pytest.raises(type(stop)):
        bench(three)
    assert bench.cells == "ab"
    (begun,) = (Path("runs") / three.trials[1].config.name).iterdir()
    bench.refused = {}
    found = bench(three)
    assert bench.cells == "bc"
    assert found[1].done is not None
    assert found[1].done.folder == begun


def test_only_cells_whose_settings_changed_run_again(planned: Planned, place: Path) -> None:
    del place
    bench = Bench()
    bench(planned(text=THREE))
    bench(planned(text=THREE.replace("rank: 4", "rank: 5")))
    assert bench.cells == "c"
    bench(planned(text=THREE))  # the run of before is still there
    assert bench.cells == ""
    bench(planned("trainer.max_steps=4", text=THREE))
    assert bench.cells == "abc"


def test_settings_that_change_nothing_of_what_comes_out_run_nothing_again(
    planned: Planned, place: Path
) -> None:
    del place
    bench = Bench()
    bench(planned(text=THREE))
    bench(planned("logging.wandb=offline", "logging.project=x", "trainer.threads=1", text=THREE))
    assert bench.cells == ""
    bench(planned("trainer.threads=1", "trainer.learning_rate=0.1", text=THREE))
    assert bench.cells == "abc"


@pytest.mark.parametrize("setting", ["data.sources", "data.test_sources"])
def test_another_text_under_the_same_name_runs_again(
    planned: Planned, place: Path, setting: str
) -> None:
    text = place / "play.txt"
    text.write_text("ANNA: You are late.\n", encoding="utf-8")
    bench, plan = Bench(), planned(f"{setting}=[play.txt]", text=THREE)
    bench(plan)
    bench(plan)
    assert bench.cells == ""
    text.with_name("play.characters.yaml").write_text("ANNA: {description: Blunt.}\n")
    bench(plan)
    assert bench.cells == "abc"
    text.write_text("ANNA: You are early.\n", encoding="utf-8")
    bench(plan)
    assert bench.cells == "abc"
    bench(plan)
    assert bench.cells == ""


def test_a_missing_text_fails_its_cell(planned: Planned, place: Path) -> None:
    del place
    found = Bench()(planned(text=THREE.replace("lora.rank: 3", "data.sources: [nowhere]")))
    assert statuses(found) == ["done", "failed", "done"]
    assert "'nowhere' is neither a file nor a folder" in found[1].reason


def test_another_version_of_the_package_runs_all_again(
    three: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    bench(three)
    monkeypatch.setattr(state, "__version__", "99.0")
    bench(three)
    assert bench.cells == "abc"


def test_a_fresh_start_does_all_again(three: Plan) -> None:
    bench = Bench()
    first = bench(three)
    bench.fresh = True
    second = bench(three)
    assert bench.cells == "abc"
    bench.fresh = False
    assert [o.done for o in bench(three)] == [o.done for o in second] != [o.done for o in first]


def test_a_cell_that_lacks_a_key_is_left_out_unless_it_is_done(three: Plan) -> None:
    bench = Bench()
    bench.lacking = "needs OPENAI_API_KEY"
    found = bench(three)
    assert statuses(found) == ["done", "skipped", "done"]
    assert found[1].reason == "needs OPENAI_API_KEY"
    assert "Skipped: needs OPENAI_API_KEY" in bench.said
    bench.lacking = ""
    assert statuses(bench(three)) == ["done"] * 3
    bench.lacking = "needs OPENAI_API_KEY"
    assert statuses(bench(three)) == ["done"] * 3


def test_a_run_whose_results_are_gone_is_not_done(three: Plan) -> None:
    bench = Bench()
    first = bench(three)
    assert first[0].done is not None
    (first[0].done.folder / "results.json").unlink()
    bench(three)
    assert bench.cells == "a"
