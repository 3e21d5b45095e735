"""The controls compare the right things; that they catch them shows on a real model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.evaluation.personas import Persona, drawn_personas
from lightning_dpg.evaluation.quality import Control, controls, measure_quality
from lightning_dpg.evaluation.quality.answers import spread
from lightning_dpg.evaluation.quality.controls import splice_halves, spliced
from lightning_dpg.evaluation.quality.halves import Halves, rate_halves
from lightning_dpg.evaluation.quality.likelihoods import reply_nats, without_context
from lightning_dpg.evaluation.tasks.task import Item
from lightning_dpg.metrics.split_half import consistency
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.records import Profile
from tests.evaluation.quality.panel import Forgetful, Reader, panel_of, saying

CONTEXTS = tuple((("Friend", text),) for text in ("Why?", "How was your day?", "Come in!", "Hm."))
ITEMS = [Item(persona, CONTEXTS) for persona in drawn_personas(8, 0)]
PERSONAS = [item.persona for item in ITEMS]
RNG = np.random.default_rng(0)
SAID = [
    [saying(RNG.normal(p.target.scores, 0.5).tolist()) + f" {p.name}, {k}!" for k in range(4)]
    for p in PERSONAS
]


class Lenient(Reader):
    """Takes the five scores at the beginning of each reply alone."""

    def _read(self, words: Any) -> Any:
        return super()._read([word for word in words if "." in word])


def run(backbone: Backbone, said: list[list[str]] = SAID, **more: Any) -> dict[str, Control]:
    settings = {"replies": 3, "max_prompt_tokens": 96, "resamples": 300, "seed": 0} | more
    items = settings.pop("items", ITEMS)
    return controls(backbone, items, said, panel_of(Lenient()), Forgetful(), **settings)


@pytest.fixture
def found(backbone: Backbone) -> dict[str, Control]:
    return run(backbone)


def test_differences_are_broken_minus_intact(found: dict[str, Control]) -> None:
    measures = {name: control["measure"] for name, control in found.items()}
    assert measures == {
        "shuffled_words": "nll",
        "other_question": "coherency",
        "mixed": "consistency",
    }
    for control in found.values():
        intact, broken = control["intact"]["mean"], control["broken"]["mean"]
        assert intact is not None and broken is not None and intact != broken
        assert control["difference"]["mean"] == pytest.approx(broken - intact, abs=1e-9)
        low, high = control["difference"]["low"], control["difference"]["high"]
        assert low is not None and high is not None and low < broken - intact < high
        assert control["p"] is not None and 0 < control["p"] <= 1
        assert control["example"]["intact"] != control["example"]["broken"]


def test_intact_replies_have_the_values_that_the_measures_give(
    backbone: Backbone, found: dict[str, Control]
) -> None:
    nll, gain = [], []
    for own in spread(ITEMS, SAID, 3):
        given, tokens = reply_nats(backbone, own, 96)
        alone, _ = reply_nats(backbone, [without_context(answer) for answer in own], 96)
        nll.append(given.sum() / tokens.sum())
        gain.append((alone - given).sum() / tokens.sum())
    assert found["shuffled_words"]["intact"]["mean"] == pytest.approx(np.mean(nll), rel=1e-4)
    assert found["other_question"]["intact"]["mean"] == pytest.approx(np.mean(gain), abs=1e-5)
    halves = rate_halves(PERSONAS, SAID, panel_of(Lenient()), Forgetful())
    whole = consistency(halves.first, halves.second).item()
    assert found["mixed"]["intact"]["mean"] == pytest.approx(whole, abs=1e-5)


def test_examples_show_what_was_done(found: dict[str, Control]) -> None:
    shuffled = found["shuffled_words"]["example"]
    assert shuffled["intact"] == SAID[0][0]
    assert sorted(shuffled["broken"].split()) == sorted(SAID[0][0].split())
    other = found["other_question"]["example"]
    assert other["intact"] == f"Friend: Why? → {SAID[0][0]}"
    assert other["broken"].endswith(f"→ {SAID[0][0]}") and "Friend: Why? " not in other["broken"]
    mixed = found["mixed"]["example"]
    (own, gone), (same, foreign) = (mixed[key].split(" / ") for key in ("intact", "broken"))
    assert own == same and {own, gone} < set(SAID[0])
    assert foreign in [said[SAID[0].index(gone)] for said in SAID[1:]]


def test_the_same_seed_gives_the_same(backbone: Backbone, found: dict[str, Control]) -> None:
    assert run(backbone) == found
    other = run(backbone, seed=1)
    assert other["shuffled_words"]["broken"] != found["shuffled_words"]["broken"]
    assert other["other_question"]["broken"] != found["other_question"]["broken"]
    mean = other["shuffled_words"]["intact"]["mean"]
    assert mean == pytest.approx(found["shuffled_words"]["intact"]["mean"])


MANY = drawn_personas(64, 3)
EVENLY = [[saying(p.target.scores) + f" {p.name}, {k}!" for k in range(10)] for p in MANY]
"""Ten replies of each, all exactly as it is asked for."""


def test_a_mixture_of_two_is_consistent_but_for_how_it_falls_into_halves() -> None:
    """By the means of draws without replacement; spliced every second reply, it would fall to 0."""
    control = spliced(*splice_halves(MANY, EVENLY, panel_of(Lenient()), Forgetful(), 0), 200, 0)
    assert control and control["intact"]["mean"] == pytest.approx(1.0)
    r = (8 / 18) / (10 / 18)
    assert control["broken"]["mean"] == pytest.approx(2 * r / (1 + r), abs=0.06)
    assert control["difference"]["high"] is not None and control["difference"]["high"] < 0
    assert control["p"] is not None and control["p"] < 0.02


def test_noise_of_the_judge_makes_it_fall_farther() -> None:
    """Over draws of what is said, as the formula in `spliced` has it."""
    rng, intact, broken = np.random.default_rng(1), [], []
    for seed in range(6):
        scores = [rng.normal(p.target.scores, 5.0, (10, 5)).tolist() for p in MANY]
        said = [
            [f"{saying(s)} {i}, {k}!" for k, s in enumerate(own)] for i, own in enumerate(scores)
        ]
        control = spliced(*splice_halves(MANY, said, panel_of(Lenient()), Forgetful(), seed), 9, 0)
        assert control
        intact.append(control["intact"]["mean"] or 0.0)
        broken.append(control["broken"]["mean"] or 0.0)
    whole = np.mean(intact)
    r = whole / (2 - whole)
    left = r * (8 / 18) / (1 - r + r * 10 / 18)
    assert 0.7 < whole < 0.9
    assert np.mean(broken) == pytest.approx(2 * left / (1 + left), abs=0.05)


def test_the_halves_of_the_mixed_replies_are_rated() -> None:
    own, broken = splice_halves(PERSONAS, SAID, panel_of(Lenient()), Forgetful(), 0)
    assert own.personas == broken.personas == tuple(PERSONAS)
    mixed = []
    for i, said in enumerate(SAID):
        assert (own.odd[i], own.even[i]) == (tuple(said[::2]), tuple(said[1::2]))
        mixed.append([broken.odd[i][0], broken.even[i][0], broken.odd[i][1], broken.even[i][1]])
        foreign = [text for text in mixed[i] if text not in said]
        (whose,) = {j for j in range(8) for text in foreign if text in SAID[j]}
        assert len(foreign) == 2 and whose != i
        assert all(text in (said[k], SAID[whose][k]) for k, text in enumerate(mixed[i]))
    again = rate_halves(PERSONAS, mixed, panel_of(Lenient()), Forgetful())
    assert torch.equal(again.first, broken.first) and torch.equal(again.second, broken.second)


def test_who_is_unscored_is_left_out_on_both_sides() -> None:
    said = [["", "", "", ""], *SAID[1:]]
    own, broken = splice_halves(PERSONAS, said, panel_of(Lenient()), Forgetful(), 0)
    assert own.personas == broken.personas == tuple(PERSONAS[1:])
    half = ["1.0 1.0 1.0 1.0 1.0", "", "2.0 2.0 2.0 2.0 2.0", ""]  # even replies say nothing
    own, _ = splice_halves(PERSONAS, [half, *SAID[1:]], panel_of(Lenient()), Forgetful(), 0)
    assert own.personas == tuple(PERSONAS[1:])


def test_halves_that_quality_had_rated_are_not_rated_again(
    backbone: Backbone, tmp_path: Path
) -> None:
    judge, kept = Lenient(), Artefacts(tmp_path)
    settings: Any = {"replies": 1, "max_prompt_tokens": 96, "resamples": 20, "seed": 0}
    measure_quality(backbone, ITEMS, SAID, panel_of(judge), kept, **settings)
    assert len(judge.seen) == 16
    found = controls(backbone, ITEMS, SAID, panel_of(judge), kept, **settings)
    assert "mixed" in found and len(judge.seen) == 32  # the mixed halves, for the first time


def opposites(scores: torch.Tensor) -> Halves:
    """Three pairs of opposite profiles."""
    cast = []
    for trait in range(3):
        for side in (5.0, -5.0):
            target = Profile(tuple(side if t == trait else 0.0 for t in range(5)))
            cast.append(Persona(f"{trait}{side}", "drawn", "", "", target))
    odd, even = (tuple((f"{kind} {i}",) for i in range(6)) for kind in ("odd", "even"))
    return Halves(tuple(cast), odd, even, scores, scores)


def test_where_the_broken_show_the_same_nothing_changes() -> None:
    rows = torch.tensor(RNG.normal(size=(3, 5)), dtype=torch.float32)
    halves = opposites(rows.repeat_interleave(2, 0))
    control = spliced(halves, halves, 200, 0)
    assert control and control["intact"]["mean"] == pytest.approx(1.0)
    assert control["difference"]["mean"] == pytest.approx(0.0)
    assert control["p"] == 1.0


def test_nobody_who_differs_from_nobody_can_be_spliced() -> None:
    alike = opposites(torch.ones(6, 5))
    assert spliced(alike, alike, 50, 0) is None


def test_what_cannot_be_broken_is_left_out(backbone: Backbone) -> None:
    one_word = [["no"] * 4 for _ in ITEMS]
    assert set(run(backbone, one_word)) == {"other_question"}
    assert run(backbone, [], items=[]) == {}
    assert run(backbone, [["", "", "", ""]] * 8) == {}
    alone = run(backbone, SAID[:1], items=ITEMS[:1])
    assert set(alone) == {"shuffled_words"}
    assert alone["shuffled_words"]["p"] is None
    assert alone["shuffled_words"]["difference"]["low"] is None
