"""The numbers of an arm's quality, each against a plain way to get it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lightning_dpg.assessment.quality_judge import QualityJudge
from lightning_dpg.config import QualityJudgeSettings
from lightning_dpg.evaluation.personas import drawn_personas
from lightning_dpg.evaluation.quality import Quality, measure_quality
from lightning_dpg.evaluation.quality.answers import Answer, spread
from lightning_dpg.evaluation.quality.likelihoods import reply_nats, without_context
from lightning_dpg.evaluation.quality.measure import by_persona
from lightning_dpg.evaluation.tasks.task import Item
from lightning_dpg.metrics.likelihood import token_nll
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.records import TRAITS
from tests.assessment.rubric.standin import StandIn
from tests.evaluation.quality.panel import Forgetful, Reader, panel_of, saying

CONTEXTS = tuple((("Friend", text),) for text in ("Why?", "How was your day?", "Come in!", "Hm."))
ITEMS = [Item(persona, CONTEXTS) for persona in drawn_personas(5, 0)]
RNG = np.random.default_rng(0)
TRUE = RNG.uniform(-4, 4, (5, 1, 5))
SAID = [[saying(s) for s in own] for own in TRUE + RNG.normal(size=(5, 4, 5))]


def measure(backbone: Backbone, said: list[list[str]] = SAID, **more: Any) -> Quality:
    settings = {"replies": 2, "max_prompt_tokens": 96, "resamples": 200, "seed": 0} | more
    items = settings.pop("items", ITEMS)
    return measure_quality(backbone, items, said, panel_of(Reader()), Forgetful(), **settings)


def test_likelihoods_are_means_over_personas(backbone: Backbone) -> None:
    found = measure(backbone)
    nll, gain = [], []
    for own in spread(ITEMS, SAID, 2):
        given, tokens = reply_nats(backbone, own, 96)
        alone, _ = reply_nats(backbone, [without_context(answer) for answer in own], 96)
        nll.append(given.sum() / tokens.sum())
        gain.append((alone - given).sum() / tokens.sum())
    for name, values in (("nll", nll), ("coherency", gain)):
        interval: Any = found[name]  # type: ignore[literal-required]
        assert interval["mean"] == pytest.approx(np.mean(values), rel=1e-4, abs=1e-6)
        assert min(values) - 1e-4 < interval["low"] < interval["mean"] < interval["high"]


def test_consistency_is_that_of_odd_and_even_replies(backbone: Backbone) -> None:
    found = measure(backbone)
    scores = np.array([[[float(x) for x in r.split()] for r in own] for own in SAID])
    first, second = scores[:, ::2].mean(1), scores[:, 1::2].mean(1)
    r = [np.corrcoef(first[:, t], second[:, t])[0, 1] for t in range(5)]
    stepped = [2 * x / (1 + abs(x)) for x in r]
    by_trait = found["consistency_by_trait"]
    assert list(by_trait) == list(TRAITS)
    assert list(by_trait.values()) == pytest.approx(stepped, abs=1e-4)
    assert found["consistency"] == pytest.approx(np.mean(stepped), abs=1e-4)


def test_counts(backbone: Backbone) -> None:
    said = [["no no no", "As an AI, I cannot.", "It rained.", "It rained."] for _ in ITEMS]
    found = measure(backbone, said, replies=1)
    # One reply of each of five: the fifth begins again with the first.
    assert found["distinct_1"] == pytest.approx(10 / 19)
    assert found["loops"] == found["refusals"] == 0.25
    assert found["words"] == pytest.approx((3 + 5 + 2 + 2) / 4)
    assert found["consistency"] is None and set(found["consistency_by_trait"].values()) == {None}


def test_silence_is_none_and_not_zero(backbone: Backbone) -> None:
    silent = [["", "", "", ""] for _ in ITEMS]
    found = measure(backbone, silent)
    nothing = {"mean": None, "low": None, "high": None}
    assert found["nll"] == found["coherency"] == nothing
    assert found["distinct_2"] is None and found["words"] == 0
    empty = measure(backbone, [], items=[])
    assert empty["nll"] == nothing and empty["loops"] is None
    assert "NaN" not in json.dumps([found, empty])


def test_personas_of_one_character_are_one_cluster(backbone: Backbone) -> None:
    one = [replace(item, persona=replace(item.persona, character="play/ann")) for item in ITEMS]
    found = measure(backbone, items=one)
    assert found["nll"]["mean"] == pytest.approx(measure(backbone)["nll"]["mean"])
    assert found["nll"]["low"] is None


def test_a_judge_is_asked_where_there_is_one(backbone: Backbone) -> None:
    asker: Any = StandIn(lambda p: {"fluency": 4, "coherency": 2} | {"consistency": 3})
    judge = QualityJudge(asker, QualityJudgeSettings(kind="litellm", replies=3))
    found = measure(backbone, judge=judge)
    assert found["judged"]["judge"] == judge.identity
    assert found["judged"]["fluency"]["mean"] == 4.0 and len(asker.asked) == 5 * 4
    assert "judged" not in measure(backbone)


def test_a_measure_of_each_persona_in_order() -> None:
    one, two, three = drawn_personas(3, 0)
    answers = [Answer(who, (), "") for who in (two, one, two, three)]
    nats, tokens = np.array([1.0, 6.0, 5.0, 0.0]), np.array([1.0, 2.0, 2.0, 0.0])
    personas, values = by_persona(answers, token_nll, nats, tokens)
    assert personas == [two, one] and values.tolist() == [2.0, 3.0]
    assert values.dtype == np.float64 and by_persona([], token_nll, nats[:0], tokens[:0])[0] == []
    assert torch.from_numpy(values).dtype == torch.float64
