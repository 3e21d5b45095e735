"""A blend is the sum of its parts' deltas, in one batch with others, and makes each part once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_dpg.adapters.blend import Blend, Part, blended, stacked, summed
from lightning_dpg.errors import UserError
from lightning_dpg.models.injection import injected
from lightning_dpg.models.lora import LoRA, Site
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile
from tests.adapters.conftest import ANNA, BEN, CARLA, SOURCES, Train, single
from tests.models.conftest import random_adapters

SITES = [Site("model.layers.0.self_attn.q_proj", 6, 5)]
TRIO = Blend("trio", tuple(replace(p, weight=w) for p, w in ((ANNA, 0.7), (BEN, -0.4), (CARLA, 1))))
PAIR = Blend("pair", (replace(ANNA, weight=0.5), replace(BEN, weight=0.5)), strength=1.5)


def own_deltas(module: PersonalityModule, blend: Blend) -> dict[str, Tensor]:
    """The oracle: each part generated alone, its whole weight matrix, and the sum of these."""
    total: dict[str, Tensor] = {}
    for part in blend.parts:
        for name, lora in module.adapters_for([part.profile], [part.description]).items():
            delta = blend.strength * part.weight * lora.delta_weight()[0]
            total[name] = total.get(name, torch.zeros_like(delta)) + delta
    return total


@pytest.mark.parametrize("source", SOURCES)
def test_deltas_are_the_weighted_sum_of_the_parts(train: Train, source: str) -> None:
    module = train(source)
    blends = [TRIO, single(BEN), PAIR, single(CARLA, strength=0.0)]
    adapters = blended(module, blends)
    assert list(adapters) == [site.name for site in module.sites]
    for name, lora in adapters.items():
        deltas = lora.delta_weight()
        assert len(deltas) == len(blends) and lora.scale == 1.0
        for delta, blend in zip(deltas, blends, strict=True):
            assert torch.allclose(delta, own_deltas(module, blend)[name], atol=1e-6)
    first = next(iter(adapters.values())).delta_weight()
    assert first[1].abs().max() > 0.01 and not first[3].any()
    if source != "static":
        assert (first[0] - first[1]).abs().max() > 0.01


def test_between_two_personas_lie_weights_of_one_minus_t_and_t(train: Train) -> None:
    module = train("dial")
    ends = blended(module, [single(ANNA), single(BEN)])
    for t in (0.0, 0.25, 1.0):
        parts = (replace(ANNA, weight=1 - t), replace(BEN, weight=t))
        for name, lora in blended(module, [Blend("between", parts)]).items():
            anna, ben = ends[name].delta_weight()
            assert torch.allclose(lora.delta_weight()[0], torch.lerp(anna, ben, t), atol=1e-6)


def test_a_shared_a_stays_one_of_the_same_rank(train: Train, config: Any) -> None:
    module = train("imprint")
    for name, lora in blended(module, [TRIO, PAIR]).items():
        site = next(site for site in module.sites if site.name == name)
        assert lora.a.shape == (1, config.lora.rank, site.in_features)
        assert lora.b.shape == (2, site.out_features, config.lora.rank)


def test_people_that_several_blends_share_are_generated_once_in_one_batch(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, asked, generate = train("dial"), [], PersonalityModule.adapters_for

    def listen(
        self: Any, profiles: Sequence[Profile], descriptions: Sequence[str]
    ) -> dict[str, LoRA]:
        asked.append(list(zip(profiles, descriptions, strict=True)))
        return generate(self, profiles, descriptions)

    monkeypatch.setattr(PersonalityModule, "adapters_for", listen)
    blended(module, [TRIO, PAIR, single(replace(BEN, description="  ", weight=2.0))])
    people = [(part.profile, part.description) for part in (ANNA, BEN, CARLA)]
    assert asked == [people]


def test_personas_with_an_a_of_their_own_are_stacked_and_padded(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = train("dial")
    own = random_adapters(module.sites, 3, rank=2)
    monkeypatch.setattr(PersonalityModule, "adapters_for", lambda *_: own)
    adapters = blended(module, [TRIO, single(BEN, strength=2.0), PAIR])
    for name, lora in adapters.items():
        assert lora.a.shape[:2] == (3, 6) and lora.b.shape[2] == 6  # the ranks of three parts
        anna, ben, carla = own[name].delta_weight()
        expected = [0.7 * anna - 0.4 * ben + carla, 2.0 * ben, 0.75 * (anna + ben)]
        assert torch.allclose(lora.delta_weight(), torch.stack(expected), atol=1e-5)
        added = summed(
            [LoRA(own[name].a[i][None], own[name].b[i][None], 1.5) for i in (0, 1)], [1, 1]
        )
        naive = (own[name].b[:2].sum(0) @ own[name].a[:2].sum(0)) * 1.5  # adding A to A, B to B
        assert (added.delta_weight()[0] - naive).abs().max() > 0.1


def test_stacking_pads_only_where_an_a_differs() -> None:
    name, first = next(iter(random_adapters(SITES, 1, seed=1, rank=2).items()))
    larger = random_adapters(SITES, 1, seed=2, rank=3)[name]
    first, larger = LoRA(first.a, first.b, 1.0), LoRA(larger.a, larger.b, 1.0)
    both = stacked([first, larger])
    assert both.a.shape == (2, 3, 6) and not both.a[0, 2].any() and not both.b[0, :, 2].any()
    assert torch.allclose(both.delta_weight()[1], larger.delta_weight()[0])
    assert stacked([first, first]).a.shape == (1, 2, 6)


def test_a_batch_of_blends_runs_as_each_alone(train: Train) -> None:
    module = train("imprint")
    model, blends = module.backbone.model, [TRIO, single(BEN), PAIR]
    ids = torch.arange(3, 27).reshape(3, 8)

    def logits(ids: Tensor, blends: Sequence[Blend] | None) -> Tensor:
        adapters = blended(module, blends) if blends else None
        with torch.inference_mode(), injected(model, adapters):
            result: Tensor = model(input_ids=ids).logits
        return result

    together = logits(ids, blends)
    for i, blend in enumerate(blends):
        assert torch.allclose(together[i], logits(ids[i : i + 1], [blend])[0], atol=1e-5)
    assert (together - logits(ids, None)).abs().amax((1, 2)).min() > 0.01


def test_nobody_is_an_error(train: Train) -> None:
    with pytest.raises(ValueError, match="one blend or more"):
        blended(train("linear"), [])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_and_strengths_are_finite(value: float) -> None:
    with pytest.raises(UserError, match=r"weight .*finite number, got (nan|inf)"):
        Part(BEN.profile, weight=value)
    with pytest.raises(UserError, match=r"strength of Ben .*finite number, got (nan|inf)"):
        Blend("Ben", (BEN,), value)
    with pytest.raises(UserError, match="Ben needs at least one persona"):
        Blend("Ben", ())


def test_a_prompt_states_the_weighted_sum_cut_to_the_scale() -> None:
    assert PAIR.profile.scores == pytest.approx((0.5, 1.5, 1.0, 1.0, -1.5))
    twice = Blend("twice", (replace(ANNA, weight=2.0),))
    assert twice.profile.scores == (5.0, -4.0, 5.0, 0.0, -5.0)
    assert TRIO.description == f"{ANNA.description} {CARLA.description}"
