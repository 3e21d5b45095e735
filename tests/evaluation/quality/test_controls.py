"""The controls compare the right things; that they catch them shows on a real model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from lightning_dpg.evaluation.personas import Persona, drawn_personas
from lightning_dpg.evaluation.quality import Control, controls
from lightning_dpg.evaluation.quality.answers import spread
from lightning_dpg.evaluation.quality.breaking import most_different
from lightning_dpg.evaluation.quality.controls import spliced
from lightning_dpg.evaluation.quality.halves import Halves, rate_halves
from lightning_dpg.evaluation.quality.likelihoods import reply_nats, without_context
from lightning_dpg.evaluation.tasks.task import Item
from lightning_dpg.metrics.split_half import consistency
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.records import Profile
from tests.evaluation.quality.panel import Reader, panel_of, saying

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
    return controls(backbone, items, said, panel_of(Lenient()), **settings)


@pytest.fixture
def found(backbone: Backbone) -> dict[str, Control]:
    return run(backbone)


def test_differences_are_broken_minus_intact(found: dict[str, Control]) -> None:
    measures = {name: control["measure"] for name, control in found.items()}
    assert measures == {
        "shuffled_words": "nll",
        "other_question": "coherency",
        "spliced": "consistency",
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
    halves = rate_halves(PERSONAS, SAID, panel_of(Lenient()))
    whole = consistency(halves.first, halves.second).item()
    assert found["spliced"]["intact"]["mean"] == pytest.approx(whole, abs=1e-5)


def test_examples_show_what_was_done(found: dict[str, Control]) -> None:
    shuffled = found["shuffled_words"]["example"]
    assert shuffled["intact"] == SAID[0][0]
    assert sorted(shuffled["broken"].split()) == sorted(SAID[0][0].split())
    other = found["other_question"]["example"]
    assert other["intact"] == f"Friend: Why? → {SAID[0][0]}"
    assert other["broken"].endswith(f"→ {SAID[0][0]}") and "Friend: Why? " not in other["broken"]
    mixed = found["spliced"]["example"]
    assert mixed["intact"] == f"{SAID[0][0]} / {SAID[0][1]}"
    own, foreign = mixed["broken"].split(" / ")
    assert own == SAID[0][0] and foreign in [said[1] for said in SAID[1:]]


def test_the_same_seed_gives_the_same(backbone: Backbone, found: dict[str, Control]) -> None:
    assert run(backbone) == found
    other = run(backbone, seed=1)
    assert other["shuffled_words"]["broken"] != found["shuffled_words"]["broken"]
    assert other["other_question"]["broken"] != found["other_question"]["broken"]
    mean = other["shuffled_words"]["intact"]["mean"]
    assert mean == pytest.approx(found["shuffled_words"]["intact"]["mean"])


def test_splicing_destroys_what_personas_have_in_common(found: dict[str, Control]) -> None:
    control = found["spliced"]
    assert control["intact"]["mean"] is not None and control["intact"]["mean"] > 0.9
    assert control["broken"]["mean"] is not None and control["broken"]["mean"] < 0
    assert control["difference"]["high"] is not None and control["difference"]["high"] < 0
    assert control["p"] is not None and control["p"] < 0.02


def test_splicing_is_rating_the_spliced_replies() -> None:
    """The partners' ratings are at hand: rating the mixed replies again gives the same."""
    halves = rate_halves(PERSONAS, SAID, panel_of(Lenient()))
    partners = [p for p in most_different(halves) if p is not None]
    mixed = [[SAID[i][0], SAID[j][1], SAID[i][2], SAID[j][3]] for i, j in enumerate(partners)]
    again = rate_halves(PERSONAS, mixed, panel_of(Lenient()))
    control = spliced(halves, 50, 0)
    expected = consistency(again.first, again.second).item()
    assert control and control["broken"]["mean"] == pytest.approx(expected, abs=1e-5)


def opposites(scores: torch.Tensor) -> Halves:
    """Three pairs of opposite profiles, each the other's partner."""
    cast = []
    for trait in range(3):
        for side in (5.0, -5.0):
            target = Profile(tuple(side if t == trait else 0.0 for t in range(5)))
            cast.append(Persona(f"{trait}{side}", "drawn", "", "", target))
    odd, even = (tuple((f"{kind} {i}",) for i in range(6)) for kind in ("odd", "even"))
    return Halves(tuple(cast), odd, even, scores, scores)


def test_where_partners_show_the_same_nothing_changes() -> None:
    rows = torch.tensor(RNG.normal(size=(3, 5)), dtype=torch.float32)
    control = spliced(opposites(rows.repeat_interleave(2, 0)), 200, 0)
    assert control and control["intact"]["mean"] == pytest.approx(1.0)
    assert control["difference"]["mean"] == pytest.approx(0.0)
    assert control["p"] == 1.0


def test_nobody_who_differs_from_nobody_can_be_spliced() -> None:
    assert spliced(opposites(torch.ones(6, 5)), 50, 0) is None


def test_what_cannot_be_broken_is_left_out(backbone: Backbone) -> None:
    one_word = [["no"] * 4 for _ in ITEMS]
    assert set(run(backbone, one_word)) == {"other_question"}
    assert run(backbone, [], items=[]) == {}
    assert run(backbone, [["", "", "", ""]] * 8) == {}
    alone = run(backbone, SAID[:1], items=ITEMS[:1])
    assert set(alone) == {"shuffled_words"}
    assert alone["shuffled_words"]["p"] is None
    assert alone["shuffled_words"]["difference"]["low"] is None
