"""The project's ablations with real runs of the smallest experiment, end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from lightning_dpg.ablation.grid import read_ablation
from lightning_dpg.ablation.plan import plan
from lightning_dpg.records import TRAITS
from lightning_dpg.run import corpus
from lightning_dpg.run.ablation import Finished, ablate
from tests.conftest import PLAY, SIDECAR

SMALL = (
    "logging.wandb=disabled",
    "trainer.threads=1",
    "trainer.max_steps=2",
    "trainer.validate_every=2",
    "data.sources=[ferry.txt]",
    "data.batch_size=2",
    "evaluation.drawn_profiles=4",
    "evaluation.max_new_tokens=12",
    "evaluation.bootstrap=20",
    "calibration.profiles=8",
)
LEAST = (
    "trainer.max_steps=1",
    "evaluation.drawn_profiles=2",
    "evaluation.replies_per_persona=1",
    "evaluation.validation_personas=1",
    "calibration.rounds=1",
)
ABLATIONS = Path("runs/ablations")
FOLDER = ABLATIONS / "character_vs_score" / "smoke"
CELLS = ("both", "scores", "description", "neither")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder to run in, with a play to learn from."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "ferry.txt").write_text(PLAY, encoding="utf-8")
    (folder / "ferry.characters.yaml").write_text(SIDECAR, encoding="utf-8")
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(corpus, "CACHE", folder / "cache")
        yield folder
    torch.set_num_threads(threads)


def run(*overrides: str) -> tuple[Finished, dict[str, Any]]:
    """`make ablate EXP=smoke`; gives what it left and the numbers."""
    finished = ablate(plan(read_ablation("character_vs_score"), "smoke", [*SMALL, *overrides]))
    found: dict[str, Any] = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    return finished, found


@pytest.fixture(scope="module")
def first(place: Path) -> tuple[Finished, dict[str, Any]]:
    del place
    return run()


First = tuple[Finished, dict[str, Any]]


def test_every_cell_has_its_numbers(first: First) -> None:
    finished, results = first
    assert not finished.failed
    assert tuple(results["cells"]) == CELLS
    for name, cell in results["cells"].items():
        assert (cell["status"], cell["reason"]) == ("done", "")
        numbers = cell["numbers"]
        assert (numbers["arm"], numbers["task"]) == ("dpg", "questions")
        assert numbers["scored"] + numbers["unscored"] >= 5
        assert numbers["psdc"]["low"] <= numbers["psdc"]["mean"] <= numbers["psdc"]["high"]
        assert set(numbers["traits"]) == set(TRAITS)
        assert numbers["trivial"]["constant_zero"] > 0
        assert numbers["nll"]["mean"] > 0
        assert numbers["coherency"]["mean"] is not None
        assert 0 < numbers["distinct_2"] <= 1
        if name != results["reference"]:
            assert numbers["ratio"]["pairs"] >= 5
            assert numbers["ratio"]["mean"] > 0
    assert [row["kind"] for row in results["examples"]].count("drawn") == 2
    for example in results["examples"]:
        tasks = {bool(answered["own"]) for answered in example["answered"]}
        assert tasks == ({True, False} if example["kind"] == "held_out" else {False})


def test_a_cell_has_the_numbers_of_its_own_run(first: First) -> None:
    _, results = first
    for cell in results["cells"].values():
        (made,) = cell["runs"]
        file = Path(made["folder"]) / "results.json"
        own = json.loads(file.read_text(encoding="utf-8"))["tasks"]["questions"]["arms"]["dpg"]
        for bound in ("mean", "low", "high"):
            expected = own["psdc"]["l2"][bound]
            assert cell["numbers"]["psdc"][bound] == pytest.approx(expected, abs=1e-3)
        for trait in TRAITS:
            expected = own["traits"][trait]["pearson"]["mean"]
            assert cell["numbers"]["traits"][trait]["mean"] == pytest.approx(expected, abs=1e-3)


def test_the_page_shows_every_cell_and_its_replies(first: First) -> None:
    finished, results = first
    page = finished.report.read_text(encoding="utf-8")
    assert all(name in page for name in CELLS)
    assert page.count("<blockquote>") + page.count("empty reply") >= len(CELLS) * 4
    assert (FOLDER / "figure.png").stat().st_size > 10_000
    assert results["varied"].keys() == {
        "hypernetwork.reads_scores",
        "hypernetwork.reads_description",
    }


def test_the_same_command_trains_nothing_again(first: First) -> None:
    _, before = first
    finished, after = run()
    assert not finished.failed
    assert after == before
    for cell in CELLS:
        runs = [p for p in (FOLDER / cell / "seed-0").iterdir() if not p.is_symlink()]
        assert len(runs) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["languages", "cross_corpus", "components"])
@pytest.mark.usefixtures("place")
def test_every_cell_of_the_other_ablations_comes_to_an_end(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ours = name == "components"  # the others name works of the bundled corpus
    given = [line for line in SMALL if ours or not line.startswith("data.sources")]
    planned = plan(read_ablation(name), "smoke", [*given, *LEAST])
    finished = ablate(planned)
    assert not finished.failed
    results = json.loads((ABLATIONS / name / "smoke" / "results.json").read_text(encoding="utf-8"))
    asked = {t.cell.name for t in planned.trials if t.config.assessor.labels.kind == "litellm"}
    assert {n for n, cell in results["cells"].items() if cell["status"] == "skipped"} == asked
    for cell, entry in results["cells"].items():
        if cell not in asked:
            assert entry["status"] == "done"
            assert entry["numbers"]["psdc"]["mean"] > 0
            assert (ABLATIONS / name / "smoke" / entry["runs"][0]["report"]).is_file()
    if name == "languages":  # each alone holds out whom it holds out among all
        held_out = {cell: _personas(entry) for cell, entry in results["cells"].items()}
        assert held_out["all"] == held_out["english"] | held_out["chinese"]
        for cell in ("english", "chinese"):
            assert held_out[cell]
            assert results["cells"][cell]["numbers"]["ratio"]["other_targets"] == 0


def _personas(cell: dict[str, Any]) -> set[str]:
    """Who spoke in a cell's scenes."""
    (made,) = cell["runs"]
    results = json.loads((Path(made["folder"]) / "results.json").read_text(encoding="utf-8"))
    return {persona["id"] for persona in results["tasks"]["scripted"]["personas"]}
