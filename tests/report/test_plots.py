"""The figures hold the data that they were given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lightning_dpg.report.plots import deviation_chart, training_curve, trait_scatter
from lightning_dpg.report.reading import read_run
from lightning_dpg.report.style import looks

MakeRun = Callable[..., Path]


def test_scatter_has_one_point_per_scored_persona(make_run: MakeRun) -> None:
    run = read_run(make_run())
    figure = trait_scatter(run.main, run.personas, 0, looks(["dpg"])["dpg"], 20.0)
    held_out, others = (np.asarray(part.get_offsets()) for part in figure.axes[0].collections)
    drawn = {(round(x, 6), round(y, 6)) for x, y in [*held_out, *others]}
    scored = [persona for persona in run.personas if persona.id in run.main.measured]
    given = {(p.target[0], round(run.main.measured[p.id][0], 6)) for p in scored}
    assert drawn == given


def test_chart_says_every_number(make_run: MakeRun) -> None:
    run = read_run(make_run())
    figure = deviation_chart(run.arms, run.trivial, looks([arm.name for arm in run.arms]))
    said = " ".join(text.get_text() for text in figure.axes[0].texts)
    for arm in (*run.arms, *run.trivial):
        assert f"{arm.psdc['l2'].mean:.2f}" in said


def test_running_mean_of_a_constant_is_the_constant() -> None:
    curve = [(float(step), 2.0) for step in range(100)]
    figure = training_curve({"dpg": curve}, "train/loss", looks(["dpg"]))
    logged, smooth = figure.axes[0].lines
    assert np.allclose(np.asarray(logged.get_ydata()), 2.0)
    assert np.allclose(np.asarray(smooth.get_ydata()), 2.0)


def test_known_arms_keep_their_colour_and_no_two_arms_share_one() -> None:
    assert looks(["dpg"])["dpg"] == looks(["few_shot", "dpg"])["dpg"]
    many = looks(["unadapted", "prompted", "lora_sft", "dpg", "few_shot", "steered", "merged"])
    assert len({look.light for look in many.values()}) == len(many)
