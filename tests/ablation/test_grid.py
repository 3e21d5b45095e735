"""Reading an ablation file: what it says, and what its mistakes are answered with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lightning_dpg.ablation.cells import NAME, Cell
from lightning_dpg.ablation.grid import FOLDER, Ablation, ablations, listed, read_ablation
from lightning_dpg.ablation.plan import Plan, plan
from lightning_dpg.config import ROOT, experiments, fingerprint
from lightning_dpg.errors import UserError

Written = Callable[..., str]


@pytest.fixture
def read(written: Written) -> Callable[[str], Ablation]:
    return lambda text: read_ablation(written(text))


Read = Callable[[str], Ablation]


def refusal(read: Read, text: str) -> str:
    with pytest.raises(UserError) as caught:
        read(text)
    return str(caught.value)


def test_named_cells_in_order_with_the_first_as_reference(read: Read) -> None:
    found = read(
        """\
        # Two ways to do it.
        experiment: smoke
        settings: {evaluation: {arms: [dpg], bootstrap: 50}, trainer.max_steps: 3}
        cells:
          plain: {}
          wide: {hypernetwork.width: 32, data: {sources: [a, b]}}
        """
    )
    assert found.name == "mine"
    assert found.about == "Two ways to do it."
    assert found.experiment == "smoke"
    shared = {"evaluation.arms": ["dpg"], "evaluation.bootstrap": 50, "trainer.max_steps": 3}
    assert found.settings == shared
    wide = Cell("wide", {"hypernetwork.width": 32, "data.sources": ["a", "b"]})
    assert found.cells == (Cell("plain", {}), wide)
    assert found.reference == "plain"
    assert found.seeds == ()


def test_a_grid_is_a_product_and_other_cells_stand_behind_it(read: Read) -> None:
    found = read(
        """\
        experiment: smoke
        grid:
          lora.rank: [2, 4]
          hypernetwork.reads_scores: [true, false]
        cells: {long: {trainer.max_steps: 9}}
        reference: rank=4,reads_scores=yes
        seeds: [3, 4]
        """
    )
    assert {cell.name: dict(cell.settings) for cell in found.cells} == {
        "rank=2,reads_scores=yes": {"lora.rank": 2, "hypernetwork.reads_scores": True},
        "rank=2,reads_scores=no": {"lora.rank": 2, "hypernetwork.reads_scores": False},
        "rank=4,reads_scores=yes": {"lora.rank": 4, "hypernetwork.reads_scores": True},
        "rank=4,reads_scores=no": {"lora.rank": 4, "hypernetwork.reads_scores": False},
        "long": {"trainer.max_steps": 9},
    }
    assert found.reference == "rank=4,reads_scores=yes"
    assert found.seeds == (3, 4)
    assert found.about == ""


@pytest.mark.parametrize(
    ("grid", "names"),
    [
        (
            "lora.projections: [[q], [q, v], []]",
            ["projections=q", "projections=q+v", "projections=none"],
        ),
        (
            "data.sources: [[bundled/saltmarsh], [a/b/, c d]]",
            ["sources=saltmarsh", "sources=b+c-d"],
        ),
        (
            "data.filters.max_distance: [null, 3.0, 2.5]",
            ["max_distance=none", "max_distance=3", "max_distance=2.5"],
        ),
        (
            "assessor.labels.kind: [local], assessor.judge.kind: [scripted]",
            ["labels.kind=local,judge.kind=scripted"],
        ),
        (
            "lora.rank: {small: 2, large: 8}, hypernetwork.output: [dial]",
            ["small,output=dial", "large,output=dial"],
        ),
    ],
)
def test_cells_of_a_grid_have_short_names(read: Read, grid: str, names: list[str]) -> None:
    found = [cell.name for cell in read(f"experiment: smoke\ngrid: {{{grid}}}\n").cells]
    assert found == names
    assert all(NAME.fullmatch(name) for name in found)


def test_a_cell_may_have_a_reference_of_its_own(read: Read) -> None:
    text = """\
        experiment: smoke
        cells: {a: {}, b: {}, c: {}, d: {}}
        reference: b
        references: {c: c, d: c}
        """
    found = read(text)
    assert [found.reference_of(cell.name) for cell in found.cells] == ["b", "b", "c", "c"]
    assert read(text.replace("references: {c: c, d: c}", "")).references == {}
    message = refusal(read, text.replace("{c: c, d: c}", "{cc: c, d: e}"))
    assert "references expected the name of a cell, got 'cc'. Did you mean 'c'?" in message
    assert "references.d expected the name of a cell, got 'e'." in message
    message = refusal(read, text.replace("{c: c, d: c}", "[c]"))
    assert "references expected a mapping of cell to cell, got ['c']" in message


def test_all_problems_are_told_at_once(read: Read) -> None:
    message = refusal(
        read,
        """\
        experimant: smoke
        grid: {lora.rank: 4, seed: [0, 1], data.sources: [[a/x], [b/x]]}
        cells: {"../up": {}, one: 3, two: {name: x}}
        reference: tow
        seeds: [1, 1]
        """,
    )
    assert [line.partition(": ")[0] for line in message.splitlines()] == ["mine.yaml"] * 10
    for part in (
        "unknown key 'experimant'. Did you mean 'experiment'?",
        "experiment expected a name such as dpg_smollm2, got None",
        "grid.lora.rank expected a list of values, or a mapping of names to values, got 4",
        "grid cannot set 'seed': `seeds: [0, 1, 2]` at the top",
        "grid.data.sources: two values get the same name (sources=x)",
        "cell '../up' expected a name of up to 60 letters",
        "cells.one expected a mapping of setting to value, got 3",
        "cells.two cannot set 'name'",
        "reference expected the name of a cell, got 'tow'. Did you mean 'two'?",
        "seeds holds one twice: [1, 1]",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "mine.yaml: expected a mapping of experiment, settings, grid"),
        ("- a\n", "got list"),
        ("a: [b\n", "not valid YAML"),
        ("experiment: smoke\n", "no cell is given: expected `grid`"),
        ("experiment: smoke\ncells: [a]\n", "cells expected a mapping of name to settings"),
        ("experiment: smoke\ngrid: [a]\n", "grid expected a mapping of setting to values"),
        ("experiment: smoke\ngrid: {lora.rank: []}\n", "expected a list of values"),
        ("experiment: smoke\ncells: {a: {}}\nseeds: 3\n", "seeds expected a list of whole numbers"),
        ("experiment: smoke\ncells: {a: {}}\nseeds: [true]\n", "seeds expected a list"),
        ("experiment: smoke\ncells: {a: {}}\nseeds: [-1]\n", "seeds expected a list"),
        (
            "experiment: smoke\ngrid: {lora.rank: {a: 1}}\ncells: {a: {}}\n",
            "2 cells are named 'a'",
        ),
    ],
)
def test_a_mistake_is_told(read: Read, text: str, message: str) -> None:
    assert message in refusal(read, text)


def test_an_unknown_ablation_is_answered_with_those_that_exist() -> None:
    with pytest.raises(UserError) as caught:
        read_ablation("component")
    message = "There is no ablation 'component'. Did you mean 'components'? Ablations: "
    assert str(caught.value) == message + ", ".join(ablations())


# What comes with the project.


def test_the_projects_ablations_say_what_they_show() -> None:
    assert ablations() == ["character_vs_score", "components", "cross_corpus", "languages"]
    assert [name for name, _ in listed()] == ablations()
    assert all(len(about.split()) > 5 for _, about in listed())


def test_the_example_in_the_docs_is_right(read: Read) -> None:
    text = (ROOT / "docs" / "ablations.md").read_text(encoding="utf-8")
    found = read(text.partition("```yaml\n")[2].partition("```")[0])
    assert "dpg ablate --list" in found.about
    names = [cell.name for cell in found.cells]
    assert names == ["rank=4,dial", "rank=4,core", "rank=8,dial", "rank=8,core", "long"]
    assert (found.reference, found.seeds) == ("rank=8,dial", (0, 1, 2))
    assert all(f"`{cell.name}`" in text for n in ablations() for cell in read_ablation(n).cells)


def test_they_are_no_experiments() -> None:
    assert not [name for name in experiments() if "ablations" in name or name in ablations()]
    assert all(path.suffix == ".yaml" for path in Path(FOLDER).iterdir())


@pytest.fixture(scope="module")
def laid() -> dict[str, Plan]:
    """Each over its own experiment."""
    return {name: plan(read_ablation(name)) for name in ablations()}


def test_they_can_be_laid_over_an_experiment(laid: dict[str, Plan]) -> None:
    for found in laid.values():
        assert found.experiment == "dpg_smollm2"
        assert len(found.trials) == len(found.ablation.cells) > 2
        for trial in found.trials:
            evaluation = trial.config.evaluation
            scenes = ["scripted"] if found.ablation.name == "character_vs_score" else []
            assert len(evaluation.arms) == 1
            assert evaluation.tasks[1:] == scenes
            assert evaluation.dose_levels == 0


def test_the_papers_ablation_takes_away_scores_and_description_in_turn(
    laid: dict[str, Plan],
) -> None:
    reads = {
        trial.cell.name: (t.reads_scores, t.reads_description)
        for trial in laid["character_vs_score"].trials
        for t in [trial.config.hypernetwork]
    }
    assert reads == {
        "both": (True, True),
        "scores": (True, False),
        "description": (False, True),
        "neither": (False, False),
    }


def test_no_two_cells_are_the_same(laid: dict[str, Plan]) -> None:
    for found in laid.values():
        settings = {fingerprint(replace(trial.config, name="")) for trial in found.trials}
        assert len(settings) == len(found.trials)


def test_across_corpora_those_are_compared_that_are_tested_on_the_same(
    laid: dict[str, Plan],
) -> None:
    data = {trial.cell.name: trial.config.data for trial in laid["cross_corpus"].trials}
    tested = {name: config.test_sources or config.sources for name, config in data.items()}
    against = {name: laid["cross_corpus"].ablation.reference_of(name) for name in data}
    assert sorted(name for name, other in against.items() if name == other) == [
        "first_alone",
        "second_alone",
    ]
    for name, other in against.items():
        assert tested[name] == tested[other]
        assert (data[name].sources == data[other].sources) is (name == other)


def test_nobody_is_trained_on_and_tested_across_corpora(laid: dict[str, Plan]) -> None:
    for trial in laid["cross_corpus"].trials:
        data = trial.config.data
        assert not set(data.sources) & set(data.test_sources)
