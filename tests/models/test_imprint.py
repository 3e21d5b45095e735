"""The imprint of a description: a share of what each site itself says to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.description import DescriptionEncoder
from lightning_dpg.models.hypernetwork import Hypernetwork
from lightning_dpg.models.imprint import Imprint
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.lora import LoRA, Site, find_sites
from tests.models.conftest import stir

SITES = [Site("layers.0.q_proj", 4, 6), Site("layers.0.v_proj", 4, 3)]
SHARE, SCALE = 0.5, 2.0
TEXTS = ["A captain, blunt and quick.", "A passenger who fears all.", "Keeps bees and debts."]


def heard(texts: int = 5, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(texts, 4 + 4 + 6 + 3, generator=generator) + 2


def plain() -> dict[str, LoRA]:
    return {
        site.name: LoRA(torch.ones(1, 2, 4), torch.ones(2, site.out_features, 2), SCALE)
        for site in SITES
    }


def test_it_adds_one_rank_that_is_share_times_what_is_unusual_in_the_answer() -> None:
    imprint, known = Imprint(SITES, SHARE), heard()
    imprint.usual(known)
    asked = heard(2, seed=1)
    made = imprint(plain(), asked)["layers.0.v_proj"]
    assert made.a.shape == (1, 3, 4) and made.b.shape == (2, 3, 3)
    usual_input, usual_answer = known[:, 4:8].mean(0), known[:, 14:].mean(0)
    before = plain()["layers.0.v_proj"].delta_weight()
    for x, factor in ((usual_input, 1.0), (3 * usual_input, 3.0)):
        added = (made.delta_weight() - before) @ x
        expected = factor * SHARE * (asked[:, 14:] - usual_answer)
        torch.testing.assert_close(added, expected, rtol=1e-4, atol=1e-4)


def test_only_value_projections_have_a_share_to_begin_with_and_all_learn_one() -> None:
    imprint = Imprint(SITES, SHARE)
    imprint.usual(heard())
    assert imprint.share.tolist() == [0.0, SHARE]
    made = imprint(plain(), heard(2, seed=1))
    assert not made["layers.0.q_proj"].b[..., -1].any()
    sum(lora.delta_weight().sum() for lora in made.values()).backward()  # type: ignore[union-attr]
    assert imprint.share.grad is not None and (imprint.share.grad != 0).all()


def test_guidance_multiplies_the_imprint_alone() -> None:
    imprint, asked = Imprint(SITES, SHARE), heard(2, seed=1)
    imprint.usual(heard())
    once, thrice = imprint(plain(), asked), imprint(plain(), asked, guidance=3.0)
    for name, before in plain().items():
        step = once[name].delta_weight() - before.delta_weight()
        expected = before.delta_weight() + 3 * step
        torch.testing.assert_close(thrice[name].delta_weight(), expected)


@pytest.mark.parametrize("case", ["no description", "nothing usual"])
def test_without_a_description_or_what_is_usual_it_adds_nothing(case: str) -> None:
    imprint, asked = Imprint(SITES, SHARE), heard(2, seed=1)
    if case == "no description":
        imprint.usual(heard())
        asked[0] = 0
    made = imprint(plain(), asked)["layers.0.v_proj"].delta_weight()
    added = (made - plain()["layers.0.v_proj"].delta_weight()).abs().amax((1, 2))
    assert added[0] == 0
    assert (added[1] > 0.01) == (case == "no description")


def encoder(backbone: Backbone) -> tuple[list[Site], DescriptionEncoder]:
    sites = find_sites(backbone.model, ["q", "v"])
    return sites, DescriptionEncoder(backbone, sites)


def test_the_encoder_tells_what_sites_hear_and_answer(backbone: Backbone) -> None:
    sites, encode = encoder(backbone)
    first = encode(TEXTS[:1])[0]
    assert first.shape == (encode.width,)
    torch.testing.assert_close(first[:64], DescriptionEncoder(backbone)(TEXTS[:1])[0])
    ids = backbone.tokenizer(TEXTS[0], return_tensors="pt", add_special_tokens=False)["input_ids"]
    layer = backbone.model.model.layers[1]  # type: ignore[index]
    with torch.no_grad():
        states = backbone.model(input_ids=ids, output_hidden_states=True).hidden_states[1]
        given = layer.input_layernorm(states)[0]
        said = layer.self_attn.v_proj(given)
    # Inputs of four sites of 64, then answers of 64 (q) and 32 (v) for two layers.
    torch.testing.assert_close(first[64 + 3 * 64 : 64 + 4 * 64], given[1:].mean(0))
    torch.testing.assert_close(first[-32:], said[1:].mean(0))
    assert [site.out_features for site in sites] == [64, 32, 64, 32]


def test_a_description_of_one_token_is_encoded_by_that_token(backbone: Backbone) -> None:
    _, encode = encoder(backbone)
    assert encode(["x"]).isfinite().all() and encode(["x"]).any()


def test_listening_leaves_no_hook_behind(backbone: Backbone) -> None:
    modules = list(backbone.model.modules())
    before = [len(module._forward_hooks) for module in modules]
    _, encode = encoder(backbone)
    encode(TEXTS)
    assert [len(module._forward_hooks) for module in modules] == before
    assert not encode([""]).any() and encode([""]).shape == (1, encode.width)


def test_a_described_character_moves_the_model_before_any_training(
    make_backbone: Callable[..., Backbone],
) -> None:
    backbone = make_backbone()
    sites, encode = encoder(backbone)
    install(backbone.model, sites)
    net = Hypernetwork(sites, 3, SCALE, 64, width=16, heads=2, imprint=0.5)
    net.usual(encode(TEXTS))
    ids = torch.randint(3, 259, (2, 9), generator=torch.Generator().manual_seed(0))
    described = encode([TEXTS[0], ""])
    adapters = net(torch.zeros(2, 5), described)
    assert all(lora.a.shape[1] == lora.b.shape[2] == 3 for lora in adapters.values())
    with torch.no_grad():
        frozen = backbone.model(input_ids=ids).logits
        with injected(backbone.model, adapters):
            moved = backbone.model(input_ids=ids).logits
    assert (moved[0] - frozen[0]).abs().max() > 1e-4
    assert torch.equal(moved[1], frozen[1])


def test_what_is_usual_is_kept_with_the_weights(backbone: Backbone) -> None:
    sites, encode = encoder(backbone)
    one, other = (
        Hypernetwork(sites, 3, SCALE, 64, width=16, heads=2, imprint=0.5) for _ in range(2)
    )
    one.usual(encode(TEXTS))
    stir(one)
    other.load_state_dict(one.state_dict())
    given = torch.ones(1, 5), encode(TEXTS[:1])
    for name, lora in one(*given).items():
        assert torch.equal(lora.a, other(*given)[name].a)
        assert torch.equal(lora.b, other(*given)[name].b)
