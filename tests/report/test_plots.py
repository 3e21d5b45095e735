"""The figures hold the data that they were given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from lightning_dpg.records import TRAITS
from lightning_dpg.report.gallery import overview
from lightning_dpg.report.plots import (
    deviation_chart,
    dose_chart,
    heat_map,
    seen_chart,
    task_chart,
    training_curve,
    trait_scatter,
)
from lightning_dpg.report.reading import Estimate, Overfitting, read_run
from lightning_dpg.report.style import MINUS, MUTED, PLUS, label, looks
from tests.report.conftest import only
from tests.report.fake import WIDE

MakeRun = Callable[..., Path]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_scatter_has_one_point_per_scored_persona(make_run: MakeRun) -> None:
    run = read_run(make_run())
    personas = run.headline.personas
    figure = trait_scatter(run.main, personas, 0, looks(["dpg"])["dpg"], 20.0)
    held_out, others = (np.asarray(part.get_offsets()) for part in figure.axes[0].collections)
    drawn = {(round(x, 6), round(y, 6)) for x, y in [*held_out, *others]}
    scored = [persona for persona in personas if persona.id in run.main.measured]
    given = {(p.target[0], round(run.main.measured[p.id][0], 6)) for p in scored}
    assert drawn == given


def test_chart_says_every_number(make_run: MakeRun) -> None:
    task = read_run(make_run()).headline
    figure = deviation_chart(task.arms, task.trivial, looks([arm.name for arm in task.arms]))
    said = " ".join(texts(figure.axes[0]))
    for arm in (*task.arms, *task.trivial):
        assert f"{arm.psdc['l2'].mean:.2f}" in said


def test_every_task_has_a_panel_with_its_own_zero(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        del results["tasks"]["newcomers"]["arms"]["lora_sft"]

    run = read_run(make_run(change))
    figure = task_chart(run.tasks, run.arm_names, looks(run.arm_names))
    assert len(figure.axes) == len(run.tasks)
    for axes, task in zip(figure.axes, run.tasks, strict=True):
        said = texts(axes)
        assert axes.get_title(loc="left") == task.title
        for arm in task.arms:
            assert f"{arm.psdc['l2'].mean:.2f}" in said
        assert task.zero and f"zero {task.zero.mean:.2f}" in said
        floor = task.gold.psdc["l2"].mean if task.gold else None
        assert ("noise floor" in " ".join(said)) == (floor is not None)
    marks = [line for line in figure.axes[2].lines if line.get_marker() == "s"]
    assert marks == []  # the arm that the task lacks


def test_the_matrix_is_as_strong_as_its_numbers_and_blue_where_positive() -> None:
    matrix = tuple(tuple(0.9 if i == j else (j - i) / 10 for j in range(5)) for i in range(5))
    gap = (*matrix[:4], (None, *matrix[4][1:]))
    axes = heat_map(gap).axes[0]
    cells = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_alpha() is not None]
    assert len(cells) == 25
    assert [to_hex(cells[k].get_facecolor()) for k in (1, 5, 6)] == [PLUS, MINUS, PLUS]
    strengths = [float(cell.get_alpha() or 0) for cell in cells]
    assert strengths[0] == pytest.approx(9 * strengths[1])
    assert strengths[5] == pytest.approx(strengths[1]) and strengths[20] == 0
    assert texts(axes)[:2] == ["+0.90", "+0.10"] and texts(axes)[20] == "–"
    assert sum(text.get_fontweight() == "bold" for text in axes.texts) == 5


def test_the_dose_chart_tells_zero_backgrounds_and_null_apart(make_run: MakeRun) -> None:
    run = read_run(make_run())
    dose, look = run.doses[1], looks(["dpg"])["dpg"]
    perfect, rule, null, *backgrounds, base = dose_chart(dose, look).axes[0].lines
    del perfect, rule
    assert null.get_color() == MUTED
    assert len(backgrounds) == 2
    assert {line.get_color() for line in (*backgrounds, base)} == {look.light}
    assert base.get_linewidth() >= 2 * max(line.get_linewidth() for line in (*backgrounds, null))
    points = list(zip(base.get_xdata(), base.get_ydata(), strict=True))  # type: ignore[arg-type]
    assert points == list(dose.base.points)


def test_seen_and_unseen_characters_are_apart() -> None:
    found = [Overfitting("dpg", Estimate(3.0, 2.5, 3.5), Estimate(4.0), None, None)]
    axes = seen_chart([*found, Overfitting("linear", None, None, None, None)], looks(WIDE)).axes[0]
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [np.asarray(line.get_xdata())[0] for line in points] == [3.0, 4.0]
    assert [line.get_markerfacecolor() == "none" for line in points] == [True, False]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["Linear map", "DPG"]
    assert np.asarray(points[0].get_ydata())[0] > 0.5  # in the row of its label


def test_running_mean_of_a_constant_is_the_constant() -> None:
    curve = [(float(step), 2.0) for step in range(100)]
    figure = training_curve({"dpg": curve}, "train/loss", looks(["dpg"]))
    logged, smooth = figure.axes[0].lines
    assert np.allclose(np.asarray(logged.get_ydata()), 2.0)
    assert np.allclose(np.asarray(smooth.get_ydata()), 2.0)


def test_known_arms_keep_their_colour_and_no_two_arms_share_one() -> None:
    assert looks(["dpg"])["dpg"] == looks(["steered", "dpg"])["dpg"]
    many = looks([*WIDE, "api", "steered", "merged"])
    assert len({look.light for look in many.values()}) == len(many)
    assert len({look.dark for look in many.values()}) == len(many)
    assert len({look.marker for look in many.values()}) == len(many)


def test_labels_of_arms() -> None:
    assert [label(name) for name in ("prompted_both", "api", "linear", "corpus_mean")] == [
        "Prompted, both",
        "API model, prompted",
        "Linear map",
        "Corpus mean",
    ]


@pytest.mark.usefixtures("no_figures")
def test_the_gallery_is_named(make_run: MakeRun) -> None:
    run = read_run(make_run())
    names = [f"{kind}/{trait}" for kind in ("scatter", "dose") for trait in TRAITS]
    found = overview(run, looks(run.arm_names))
    assert list(found) == ["deviations", "tasks", "matrix", "overfitting", *names]


def test_the_gallery_holds_what_the_run_has(make_run: MakeRun) -> None:
    def change(results: dict[str, Any]) -> None:
        only()(results)
        results["tasks"]["questions"]["arms"]["dpg"]["matrix"] = [[None] * 5] * 5
        results["tasks"]["questions"]["arms"]["dpg"]["measured"] = {}

    run = read_run(make_run(change))
    assert list(overview(run, looks(run.arm_names))) == ["deviations"]
