"""The linear map: the form of a dial head with nothing generated."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from lightning_dpg.models.hypernetwork import DIAL_GAIN, DialHead
from lightning_dpg.models.linear import LinearLoRA
from lightning_dpg.models.lora import StaticLoRA
from tests.models.conftest import stir
from tests.models.test_hypernetwork import RANK, SCALE, SITES, deltas, fit, make, people


def linear() -> LinearLoRA:
    torch.manual_seed(0)
    return LinearLoRA(SITES, RANK, SCALE)


def test_shapes_order_and_scale() -> None:
    adapters = linear()(*people(4))
    assert list(adapters) == [site.name for site in SITES]
    for site in SITES:
        lora = adapters[site.name]
        assert lora.a.shape == (1, RANK, 12)
        assert lora.b.shape == (4, site.out_features, RANK)
        assert lora.scale == SCALE


def test_it_is_b_times_one_plus_turned_cores_times_a() -> None:
    net, (profiles, descriptions) = linear(), people(3)
    stir(net)
    adapters = net(profiles, descriptions)
    for i, site in enumerate(SITES):
        for sample in range(3):
            core = torch.eye(RANK) + net.cores[i, 0]
            for trait in range(5):
                core = core + DIAL_GAIN * profiles[sample, trait] / 5 * net.cores[i, 1 + trait]
            expected = SCALE * net.b[i] @ core @ net.a[i]
            got = adapters[site.name].delta_weight()[sample]
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_a_dial_head_with_fixed_tokens_is_the_same_and_a_static_lora_is_not() -> None:
    """Cores copied over from what the head generates for one description."""
    head = make("dial", depth=1).head
    assert isinstance(head, DialHead)
    stir(head)
    tokens = torch.randn(1, len(SITES), 16, generator=torch.Generator().manual_seed(0))
    seen: list[Tensor] = []
    head.cores.register_forward_hook(lambda _, inputs, output: seen.append(output))
    (profiles, descriptions), net = people(4), linear()
    expected = deltas(head(tokens.expand(4, -1, -1), profiles / 5))
    with torch.no_grad():
        for own, theirs in zip([*net.a, *net.b], [*head.a, *head.b], strict=True):
            own.copy_(theirs)
        net.cores.copy_(seen[0][0].unflatten(-1, (6, RANK, RANK)))
    torch.testing.assert_close(deltas(net(profiles, descriptions)), expected)
    static = StaticLoRA(SITES, RANK, SCALE)
    static.a, static.b = copy.deepcopy(net.a), copy.deepcopy(net.b)
    flat = deltas(static(profiles, descriptions))
    assert ((expected - flat).abs().amax(1) > 1e-2).all()
    assert torch.cdist(expected, expected)[~torch.eye(4, dtype=torch.bool)].min() > 1e-2


def test_it_starts_with_zero_delta_and_cores_as_large_as_a_dial_heads() -> None:
    net, who = linear(), people()
    assert deltas(net(*who)).abs().max() == 0
    head = DialHead(SITES, RANK, SCALE, 128)
    seen: list[Tensor] = []
    head.cores.register_forward_hook(lambda _, inputs, output: seen.append(output))
    head(nn.functional.layer_norm(torch.randn(4, len(SITES), 128), (128,)), torch.zeros(4, 5))
    assert abs(float((net.cores.std() / seen[0].std()).detach()) - 1) < 0.15
    for own, theirs in zip(net.a, head.a, strict=True):
        assert abs(float((own.std() / theirs.std()).detach()) - 1) < 0.6  # 36 numbers each


def test_every_parameter_receives_gradient_after_one_step() -> None:
    net = linear()
    everything = {name for name, _ in net.named_parameters()}
    assert fit(net, 1, people()) == {name for name in everything if name.startswith("b.")}
    assert fit(net, 1, people()) == everything


def test_descriptions_and_guidance_are_not_heard_and_scores_are() -> None:
    net, (profiles, descriptions) = linear(), people(3)
    stir(net)
    made = deltas(net(profiles, descriptions))
    assert torch.equal(deltas(net(profiles, torch.zeros(3, 0), guidance=3.0)), made)
    assert ((deltas(net(-profiles, descriptions)) - made).abs().amax(1) > 1e-2).all()
    middle = deltas(net(torch.zeros(3, 5), descriptions))
    torch.testing.assert_close(deltas(net(-profiles, descriptions)) - middle, middle - made)
