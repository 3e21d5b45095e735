"""The hypernetwork: it starts at nothing, learns everywhere, and tells people apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_dpg.models.hypernetwork import DIAL_GAIN, STEP, Hypernetwork
from lightning_dpg.models.lora import LoRA, Site, StaticLoRA
from tests.models.conftest import stir

OUTPUTS = ["dial", "core", "full"]
SITES = [
    Site(f"model.layers.{layer}.self_attn.{kind}_proj", 12, 12 if kind == "q" else 6)
    for layer in (2, 3, 10)
    for kind in ("q", "v")
]
RANK, SCALE, WORDS = 3, 2.0, 7


def make(output: str, **settings: Any) -> Hypernetwork:
    torch.manual_seed(0)
    defaults: dict[str, Any] = {"width": 16, "depth": 2, "heads": 2, "basis": 5}
    return Hypernetwork(SITES, RANK, SCALE, WORDS, output=output, **{**defaults, **settings})


def people(count: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    profiles = torch.rand(count, 5, generator=generator) * 10 - 5
    return profiles, torch.randn(count, WORDS, generator=generator)


def deltas(adapters: dict[str, LoRA]) -> Tensor:
    """All deltas side by side, (batch, -1)."""
    return torch.cat([lora.delta_weight().flatten(1) for lora in adapters.values()], dim=1)


def fit(net: torch.nn.Module, steps: int, people_: tuple[Tensor, Tensor]) -> set[str]:
    """Steps towards a random target for each person; names of parameters that saw a gradient."""
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    target = torch.randn(deltas(net(*people_)).shape, generator=torch.Generator().manual_seed(1))
    seen: set[str] = set()
    for _ in range(steps):
        optimizer.zero_grad()
        (deltas(net(*people_)) - target).square().mean().backward()
        seen |= {n for n, p in net.named_parameters() if p.grad is not None and p.grad.any()}
        optimizer.step()
    return seen


@pytest.mark.parametrize("output", OUTPUTS)
def test_shapes_order_and_scale(output: str) -> None:
    adapters = make(output)(*people(4))
    assert list(adapters) == [site.name for site in SITES]
    for site in SITES:
        lora = adapters[site.name]
        assert lora.a.shape == (1, RANK, 12)
        assert lora.b.shape == (4, site.out_features, RANK)
        assert lora.scale == SCALE


@pytest.mark.parametrize("output", OUTPUTS)
def test_starts_with_zero_delta_and_leaves_it_after_one_step(output: str) -> None:
    net, who = make(output), people()
    assert deltas(net(*who)).abs().max() == 0
    fit(net, 1, who)
    assert (deltas(net(*who)).abs().amax(1) > 1e-4).all()


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_parameter_has_received_gradient_after_two_steps(output: str) -> None:
    net = make(output)
    assert fit(net, 2, people()) == {name for name, _ in net.named_parameters()}


@pytest.mark.parametrize("output", OUTPUTS)
def test_different_profiles_give_different_adapters_after_training(output: str) -> None:
    net, (profiles, _) = make(output), people()
    who = (profiles, torch.zeros(4, WORDS))
    fit(net, 20, who)
    made = deltas(net(*who))
    distance = torch.cdist(made, made) + torch.eye(4)
    assert distance.min() > 0.05 * made.norm(dim=1).mean()


def test_each_trait_moves_the_adapters() -> None:
    net = make("core")
    stir(net)
    centre = torch.zeros(5, 5)
    made = deltas(net(torch.eye(5) * 4, torch.zeros(5, WORDS)))
    assert ((made - deltas(net(centre, torch.zeros(5, WORDS)))).abs().amax(1) > 1e-2).all()


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("training", [True, False])
def test_the_same_person_has_the_same_adapters_at_any_place_in_any_batch(
    output: str, training: bool
) -> None:
    net = make(output).train(training)
    stir(net)
    profiles, descriptions = people(4)
    together = deltas(net(profiles, descriptions))
    backwards = deltas(net(profiles.flip(0), descriptions.flip(0))).flip(0)
    torch.testing.assert_close(backwards, together)
    for i in range(4):
        alone = deltas(net(profiles[i : i + 1], descriptions[i : i + 1]))
        torch.testing.assert_close(alone[0], together[i])
    assert (together[0] - together[1]).abs().max() > 1e-2


def test_sites_get_adapters_of_their_own() -> None:
    net = make("full")  # one basis for all sites of a kind: only tokens and A tell them apart
    stir(net)
    adapters = net(*people(1))
    first, second = adapters[SITES[0].name], adapters[SITES[2].name]
    assert (first.b - second.b).abs().max() > 1e-2


def test_the_sites_consult_one_another() -> None:
    net = make("core")
    stir(net)
    before = net(*people(1))
    with torch.no_grad():
        net.layer.weight[10] += torch.arange(16.0) / 4  # another place for the last two sites
    after = net(*people(1))
    assert (after[SITES[0].name].b - before[SITES[0].name].b).abs().max() > 1e-3


@pytest.mark.parametrize("output", OUTPUTS)
def test_descriptions_count_and_rows_of_zeros_do_not(output: str) -> None:
    net = make(output)
    stir(net)
    profiles, descriptions = people(4)
    descriptions[1] = descriptions[3] = 0
    before = deltas(net(profiles, descriptions))
    stir(net.description, seed=9, size=1.0)  # what it makes of a description changes
    changed = (deltas(net(profiles, descriptions)) - before).abs().amax(1)
    assert (changed[[0, 2]] > 1e-2).all()
    assert changed[[1, 3]].max() == 0


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("scores", [True, False])
@pytest.mark.parametrize("description", [True, False])
def test_what_is_not_read_makes_no_difference_and_what_is_read_does(
    output: str, scores: bool, description: bool
) -> None:
    hearing = sum(site.in_features + site.out_features for site in SITES)
    net = make(output, imprint=0.5, reads_scores=scores, reads_description=description)
    profiles, words = people(4)
    told = torch.cat([words, torch.randn(4, hearing)], dim=1)
    net.usual(torch.randn(9, WORDS + hearing))
    stir(net)
    made = deltas(net(profiles, told, 2.0))
    nobody, silence = torch.zeros_like(profiles), torch.zeros_like(told)
    assert bool(((deltas(net(nobody, told, 2.0)) - made).abs().amax(1) > 1e-2).all()) == scores
    assert torch.equal(deltas(net(nobody, told, 2.0)), made) != scores
    assert bool(((deltas(net(profiles, silence)) - made).abs().amax(1) > 1e-2).all()) == description
    assert torch.equal(deltas(net(profiles, silence)), made) != description
    assert bool((made - made[:1]).abs().max() < 1e-5) == (not scores and not description)
    whole = make(output, imprint=0.5)
    whole.load_state_dict(net.state_dict())  # the same parameters whatever is read
    given = whole(profiles if scores else nobody, told if description else silence, 2.0)
    torch.testing.assert_close(deltas(given), made)


def test_core_head_is_b_times_one_plus_core_times_a() -> None:
    net = make("core", depth=1)
    stir(net)
    tokens = torch.randn(2, len(SITES), 16, generator=torch.Generator().manual_seed(0))
    adapters = net.head(tokens, torch.zeros(len(tokens), 5))
    for i, site in enumerate(SITES):
        for sample in range(2):
            flat = net.head.core.weight @ tokens[sample, i] + net.head.core.bias
            core = torch.eye(RANK) + flat.view(RANK, RANK)
            expected = SCALE * net.head.b[i] @ core @ net.head.a[i]
            got = adapters[site.name].delta_weight()[sample]
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_dial_head_turns_a_core_for_each_trait() -> None:
    net = make("dial", depth=1)
    stir(net)
    tokens = torch.randn(2, len(SITES), 16, generator=torch.Generator().manual_seed(0))
    dials = torch.tensor([[0.2, -1.0, 0.0, 0.4, 0.8], [0.0, 0.0, 0.0, 0.0, 0.0]])
    adapters = net.head(tokens, dials)
    for i, site in enumerate(SITES):
        for sample in range(2):
            flat = net.head.cores.weight @ (STEP * tokens[sample, i]) + net.head.cores.bias
            cores = flat.view(6, RANK, RANK)
            core = torch.eye(RANK) + cores[0]
            for trait in range(5):
                core = core + DIAL_GAIN * dials[sample, trait] * cores[1 + trait]
            expected = SCALE * net.head.b[i] @ core @ net.head.a[i]
            got = adapters[site.name].delta_weight()[sample]
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_dials_are_linear_and_opposite_profiles_opposite_changes() -> None:
    net = make("dial")
    stir(net)
    profiles, descriptions = people(3)
    centre = deltas(net(torch.zeros(3, 5), descriptions))
    once = deltas(net(profiles, descriptions)) - centre
    torch.testing.assert_close(deltas(net(-profiles, descriptions)) - centre, -once)
    torch.testing.assert_close(deltas(net(2 * profiles, descriptions)) - centre, 2 * once)
    assert once.abs().amax(1).min() > 1e-2
    core = make("core")
    stir(core)
    bent = deltas(core(2 * profiles, descriptions)) - deltas(core(torch.zeros(3, 5), descriptions))
    straight = deltas(core(profiles, descriptions)) - deltas(core(torch.zeros(3, 5), descriptions))
    assert (bent - 2 * straight).abs().max() > 1e-2


@pytest.mark.parametrize("output", OUTPUTS)
def test_descriptions_are_seen_against_what_is_usual(output: str) -> None:
    net = make(output)
    stir(net)
    profiles, descriptions = people(4)
    usual = torch.randn(20, WORDS) * 3 + 7
    expected = deltas(net(profiles, descriptions))
    net.usual(usual)
    assert (deltas(net(profiles, descriptions)) - expected).abs().max() > 1e-2
    moved = descriptions * usual.std(0) + usual.mean(0)
    torch.testing.assert_close(deltas(net(profiles, moved)), expected, rtol=1e-3, atol=1e-3)
    net.usual(usual[:1])  # one text tells nothing of a spread
    torch.testing.assert_close(deltas(net(profiles, moved)), expected, rtol=1e-3, atol=1e-3)


def test_full_head_combines_the_basis_of_its_width() -> None:
    net = make("full", depth=1)
    stir(net)
    tokens = torch.randn(1, len(SITES), 16, generator=torch.Generator().manual_seed(0))
    adapters = net.head(tokens, torch.zeros(len(tokens), 5))
    for i, site in enumerate(SITES):
        weights = (net.head.weights.weight @ tokens[0, i] + net.head.weights.bias).view(5, RANK)
        basis = net.head.bases[site.projection]
        expected = sum(torch.outer(basis[:, k], weights[k]) for k in range(5))
        torch.testing.assert_close(adapters[site.name].b[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("output", OUTPUTS)
def test_size_at_seven_billion_is_bounded(output: str) -> None:
    sites = [
        Site(f"model.layers.{layer}.self_attn.{kind}_proj", 4096, 4096)
        for layer in range(32)
        for kind in ("q", "v")
    ]
    with torch.device("meta"):  # shapes alone, no memory
        net = Hypernetwork(sites, 8, 2.0, 4096, output=output)
    size = sum(parameter.numel() for parameter in net.parameters())
    assert 64 * 8 * 4096 < size < 60_000_000  # A alone, and a hundredth of a flat head


def test_static_lora_starts_at_zero_learns_everywhere_and_ignores_who_asks() -> None:
    torch.manual_seed(0)
    net, who = StaticLoRA(SITES, RANK, SCALE), people()
    assert deltas(net(*who)).abs().max() == 0
    assert fit(net, 2, who) == {name for name, _ in net.named_parameters()}
    adapters, other = net(*who), net(*people(seed=1))
    assert list(adapters) == [site.name for site in SITES]
    for site in SITES:
        assert adapters[site.name].a.shape == (1, RANK, 12)
        assert adapters[site.name].b.shape == (1, site.out_features, RANK)
    assert deltas(adapters).abs().max() > 0
    assert torch.equal(deltas(adapters), deltas(other))
