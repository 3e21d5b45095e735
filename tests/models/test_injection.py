"""Injected adapters against merged weights; scopes; branches; what is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit
from torch import Tensor, nn

from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import InjectionError, injected, install
from lightning_dpg.models.lora import Adapters, LoRA, Site, expand_adapters, find_sites
from tests.models.conftest import random_adapters

Q0 = "model.layers.0.self_attn.q_proj"
V1 = "model.layers.1.self_attn.v_proj"
EXACT = {"rtol": 1e-5, "atol": 1e-5}


def tokens(batch: int = 3, length: int = 7, seed: int = 0) -> Tensor:
    return torch.randint(3, 259, (batch, length), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def logits(backbone: Backbone, ids: Tensor) -> Tensor:
    return backbone.model(input_ids=ids, use_cache=False).logits


@torch.no_grad()
def injected_logits(
    backbone: Backbone, ids: Tensor, adapters: Adapters, branches: int = 1
) -> Tensor:
    with injected(backbone.model, adapters, branches):
        return logits(backbone, ids)


@torch.no_grad()
def merged_logits(backbone: Backbone, ids: Tensor, adapters: Adapters) -> Tensor:
    """The oracle: for each sample a copy of the model with W + scale · BA in place of W."""
    rows = []
    for i in range(len(ids)):
        model = copy.deepcopy(backbone.model)
        for module in model.modules():
            module._forward_hooks.clear()
            module._forward_pre_hooks.clear()
        for name, lora in adapters.items():
            a, b = lora.a[i % len(lora.a)], lora.b[i % len(lora.b)]
            for row in range(a.shape[1]):  # column by column, not by the code's own product
                model.get_submodule(name).weight[:, row] += lora.scale * (b @ a[:, row])
        rows.append(model(input_ids=ids[i : i + 1]).logits)
    return torch.cat(rows)


def hooks(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


@pytest.fixture
def sites(backbone: Backbone) -> list[Site]:
    sites = find_sites(backbone.model, ["q", "k", "v", "o"])
    install(backbone.model, sites)
    return sites


@pytest.mark.parametrize("projections", [["q", "v"], ["k"], ["o"], ["q", "k", "v", "o"]])
@pytest.mark.parametrize("batches", [(3, 3), (1, 3), (3, 1), (1, 1)])
def test_injected_equals_merged_weights_for_each_sample(
    backbone: Backbone, projections: list[str], batches: tuple[int, int]
) -> None:
    sites = find_sites(backbone.model, projections)
    install(backbone.model, sites)
    a, b = (random_adapters(sites, size, seed=size) for size in batches)
    adapters = {name: LoRA(a[name].a, b[name].b, 1.5) for name in a}
    ids = tokens()
    base, got = logits(backbone, ids), injected_logits(backbone, ids, adapters)
    torch.testing.assert_close(got, merged_logits(backbone, ids, adapters), **EXACT)
    assert ((got - base).abs().amax((1, 2)) > 0.01).all()


def test_each_sample_of_a_mixed_batch_answers_as_when_it_is_alone(
    backbone: Backbone, sites: list[Site]
) -> None:
    adapters, ids = random_adapters(sites, 3), tokens(1).repeat(3, 1)
    mixed = injected_logits(backbone, ids, adapters)
    for i in range(3):
        alone = injected_logits(backbone, ids[:1], expand_adapters(adapters, torch.tensor([i])))
        torch.testing.assert_close(mixed[i : i + 1], alone, **EXACT)
    assert (mixed[0] - mixed[1]).abs().max() > 0.01  # same text, other persona


def test_after_the_scope_the_model_is_the_base_bit_for_bit(
    backbone: Backbone, sites: list[Site]
) -> None:
    ids = tokens()
    before = logits(backbone, ids)
    assert not torch.equal(injected_logits(backbone, ids, random_adapters(sites, 3)), before)
    assert torch.equal(logits(backbone, ids), before)


def test_after_an_exception_in_the_scope_the_model_is_the_base_bit_for_bit(
    backbone: Backbone, sites: list[Site]
) -> None:
    ids = tokens()
    before = logits(backbone, ids)
    adapters = random_adapters(sites, 3)
    with pytest.raises(ZeroDivisionError), injected(backbone.model, adapters, branches=2):
        _ = 1 / 0
    assert torch.equal(logits(backbone, ids), before)
    assert not torch.equal(injected_logits(backbone, ids, adapters), before)  # and works again


def test_after_a_wrong_batch_inside_the_model_the_model_is_the_base_bit_for_bit(
    backbone: Backbone, sites: list[Site]
) -> None:
    ids = tokens()
    before = logits(backbone, ids)
    with pytest.raises(InjectionError):
        injected_logits(backbone, ids, random_adapters(sites, 2))
    assert torch.equal(logits(backbone, ids), before)


def test_none_leaves_the_model_as_it_is(backbone: Backbone) -> None:
    ids = tokens()
    with injected(backbone.model, None):
        inside = logits(backbone, ids)
    assert torch.equal(inside, logits(backbone, ids))


@pytest.mark.parametrize("batches", [(2, 2), (2, 3), (3, 2), (1, 2), (2, 1)])
def test_a_wrong_batch_size_raises_with_both_sizes(
    backbone: Backbone, sites: list[Site], batches: tuple[int, int]
) -> None:
    a, b = (random_adapters(sites, size) for size in batches)
    adapters = {name: LoRA(a[name].a, b[name].b, 1.0) for name in a}
    with pytest.raises(InjectionError, match=r"layers\.0\.self_attn\..*batch of 2.* batch of 3"):
        injected_logits(backbone, tokens(3), adapters)


def test_a_missing_site_is_named(backbone: Backbone, sites: list[Site]) -> None:
    adapters = random_adapters(sites, 3)
    del adapters[V1]
    with pytest.raises(InjectionError, match=rf"the 8 installed sites.*missing: {V1}; unknown: no"):
        injected_logits(backbone, tokens(), adapters)


def test_an_unknown_site_is_named(backbone: Backbone, sites: list[Site]) -> None:
    adapters = random_adapters(sites, 3)
    adapters["model.layers.7.q_proj"] = adapters[Q0]
    with pytest.raises(InjectionError, match=r"missing: none; unknown: model\.layers\.7\.q_proj"):
        injected_logits(backbone, tokens(), adapters)


@pytest.mark.parametrize(
    ("a", "b"),
    [((3, 2, 63), (3, 64, 2)), ((3, 2, 64), (3, 65, 2)), ((3, 2, 64), (3, 64, 4))],
    ids=["in_features", "out_features", "rank"],
)
def test_a_wrong_shape_raises_with_the_shapes(
    backbone: Backbone, sites: list[Site], a: tuple[int, ...], b: tuple[int, ...]
) -> None:
    adapters = {**random_adapters(sites, 3), Q0: LoRA(torch.zeros(a), torch.zeros(b), 1.0)}
    with pytest.raises(InjectionError) as error:
        injected_logits(backbone, tokens(), adapters)
    for part in (Q0, "A (batch, r, 64)", "B (batch, 64, r)", str(a), str(b)):
        assert part in str(error.value)


def test_a_nested_scope_raises_and_the_outer_one_stays_in_force(
    backbone: Backbone, sites: list[Site]
) -> None:
    ids, adapters = tokens(), random_adapters(sites, 3)
    alone = injected_logits(backbone, ids, adapters)
    with injected(backbone.model, adapters):
        with (
            pytest.raises(InjectionError, match="already open"),
            injected(backbone.model, random_adapters(sites, 3, seed=1)),
        ):
            pass
        assert torch.equal(logits(backbone, ids), alone)


def test_a_leftover_scope_raises(backbone: Backbone, sites: list[Site]) -> None:
    leftover = injected(backbone.model, random_adapters(sites, 3))
    leftover.__enter__()
    with pytest.raises(InjectionError, match="already open"):
        injected_logits(backbone, tokens(), random_adapters(sites, 3))
    leftover.__exit__(None, None, None)
    injected_logits(backbone, tokens(), random_adapters(sites, 3))


def test_other_sites_cannot_be_installed_while_a_scope_is_open(
    backbone: Backbone, sites: list[Site]
) -> None:
    adapters, ids = random_adapters(sites, 3), tokens()
    alone = injected_logits(backbone, ids, adapters)
    with injected(backbone.model, adapters):
        with pytest.raises(InjectionError, match="scope of adapters is open"):
            install(backbone.model, sites[:1])
        assert torch.equal(logits(backbone, ids), alone)


def test_a_model_without_hooks_raises(backbone: Backbone) -> None:
    adapters = random_adapters(find_sites(backbone.model, ["q"]), 3)
    with pytest.raises(InjectionError, match="No hooks are installed"):
        injected_logits(backbone, tokens(), adapters)


def test_no_matching_module_raises_with_what_was_sought(backbone: Backbone) -> None:
    with pytest.raises(UserError, match=r"LlamaForCausalLM matches q_proj, v_proj from layer 2 up"):
        find_sites(backbone.model, ["v", "q"], first_layer=2)
    with pytest.raises(UserError, match="Sequential matches o_proj from layer 0"):
        find_sites(nn.Sequential(nn.Linear(2, 2)), ["o"])


def test_a_site_that_the_model_lacks_raises_with_its_name(backbone: Backbone) -> None:
    before = hooks(backbone.model)
    with pytest.raises(InjectionError, match=r"no module model\.layers\.9\.q_proj"):
        install(backbone.model, [Site("model.layers.9.q_proj", 64, 64)])
    with pytest.raises(InjectionError, match="no site given"):
        install(backbone.model, [])
    assert hooks(backbone.model) == before


def test_refused_sites_leave_the_installed_ones_in_force(
    backbone: Backbone, sites: list[Site]
) -> None:
    ids, adapters = tokens(), random_adapters(sites, 3)
    alone = injected_logits(backbone, ids, adapters)
    with pytest.raises(InjectionError):
        install(backbone.model, [Site("model.layers.9.q_proj", 64, 64)])
    assert torch.equal(injected_logits(backbone, ids, adapters), alone)


def test_installing_twice_does_not_double_the_hooks(backbone: Backbone, sites: list[Site]) -> None:
    ids, adapters = tokens(), random_adapters(sites, 3)
    count, once = hooks(backbone.model), injected_logits(backbone, ids, adapters)
    assert install(backbone.model, list(sites)) is install(backbone.model, sites)
    assert hooks(backbone.model) == count
    assert torch.equal(injected_logits(backbone, ids, adapters), once)


def test_other_sites_replace_the_installed_ones(backbone: Backbone, sites: list[Site]) -> None:
    ids = tokens()
    bare = hooks(backbone.model) - len(sites)
    fewer = find_sites(backbone.model, ["v"], first_layer=1)
    assert [site.name for site in fewer] == [V1]
    install(backbone.model, fewer)
    assert hooks(backbone.model) == bare + 1
    adapters = random_adapters(fewer, 3)
    got = injected_logits(backbone, ids, adapters)
    torch.testing.assert_close(got, merged_logits(backbone, ids, adapters), **EXACT)
    assert (got - logits(backbone, ids)).abs().max() > 0.01
    with pytest.raises(InjectionError, match="the 1 installed sites"):
        injected_logits(backbone, ids, random_adapters(sites, 3))


def test_two_models_have_scopes_of_their_own(
    backbone: Backbone, sites: list[Site], make_backbone: Callable[..., Backbone]
) -> None:
    other = make_backbone(seed=1)
    install(other.model, sites)
    ids = tokens()
    before = logits(other, ids)
    with injected(backbone.model, random_adapters(sites, 3)):
        assert torch.equal(logits(other, ids), before)
        assert not torch.equal(
            injected_logits(other, ids, random_adapters(sites, 3)), before
        )  # no "already open" either


@pytest.mark.parametrize("first_layer", [0, 1])
def test_branches_equal_the_repeated_batch(backbone: Backbone, first_layer: int) -> None:
    sites = find_sites(backbone.model, ["q", "v"], first_layer)
    install(backbone.model, sites)
    adapters, ids = random_adapters(sites, 6), tokens(3)
    got = injected_logits(backbone, ids, adapters, branches=2)
    torch.testing.assert_close(got, injected_logits(backbone, ids.repeat(2, 1), adapters), **EXACT)
    torch.testing.assert_close(got, merged_logits(backbone, ids.repeat(2, 1), adapters), **EXACT)
    assert (got - logits(backbone, ids).repeat(2, 1, 1)).abs().max() > 0.01
    assert (got[:3] - got[3:]).abs().max() > 0.01


def test_layers_below_the_first_site_run_once_for_all_branches(backbone: Backbone) -> None:
    sites = find_sites(backbone.model, ["q"], first_layer=1)
    install(backbone.model, sites)
    seen: list[int] = []
    for layer in backbone.model.model.layers:
        layer.register_forward_hook(lambda module, inputs, output: seen.append(len(output)))
    injected_logits(backbone, tokens(3), random_adapters(sites, 6), branches=2)
    assert seen == [3, 6]


@pytest.mark.parametrize("branches", [1, 2])
def test_a_recomputation_sees_adapters_and_branches_of_its_own_forward_pass(
    backbone: Backbone, branches: int
) -> None:
    # Some versions of transformers run the hook of the layer inside the recomputation too.
    sites = find_sites(backbone.model, ["q", "v"])
    injection = install(backbone.model, sites)
    own, ids = random_adapters(sites, 3 * branches), tokens(3)
    with injected(backbone.model, own, branches):
        expected = logits(backbone, ids)
        _, recomputation = injection.checkpoint_contexts()
    with injected(backbone.model, random_adapters(sites, 9, seed=1), branches=3):
        with recomputation:
            assert torch.equal(logits(backbone, ids), expected)
        assert len(logits(backbone, ids)) == 9


def test_branches_refuse_a_padding_mask_and_a_cache(backbone: Backbone, sites: list[Site]) -> None:
    ids, adapters = tokens(3), random_adapters(sites, 6)
    mask = torch.ones_like(ids)
    mask[0, :2] = 0
    for settings in ({"attention_mask": mask, "use_cache": False}, {"use_cache": True}):
        with (
            torch.no_grad(),
            injected(backbone.model, adapters, branches=2),
            pytest.raises(InjectionError, match="attention_mask nor use_cache"),
        ):
            backbone.model(input_ids=ids, **settings)


def test_expanded_adapters_equal_repeated_ones(backbone: Backbone, sites: list[Site]) -> None:
    adapters, ids = random_adapters(sites, 3), tokens(6)
    expanded = expand_adapters(adapters, torch.tensor([0, 0, 1, 1, 2, 2]))
    repeated = {
        name: replace(lora, a=lora.a.repeat_interleave(2, 0), b=lora.b.repeat_interleave(2, 0))
        for name, lora in adapters.items()
    }
    for name in adapters:
        assert torch.equal(expanded[name].a, repeated[name].a)
        assert torch.equal(expanded[name].b, repeated[name].b)
        assert expanded[name].scale == 1.5
    got = injected_logits(backbone, ids, expanded)
    assert torch.equal(got, injected_logits(backbone, ids, repeated))
    other = expand_adapters(adapters, torch.tensor([0, 1, 2, 0, 1, 2]))
    assert (got - injected_logits(backbone, ids, other)).abs().max() > 0.01


def test_expanding_keeps_what_all_samples_share(sites: list[Site]) -> None:
    static = random_adapters(sites, 1)
    expanded = expand_adapters(static, torch.tensor([0, 0, 0]))
    assert all(expanded[name].a is static[name].a for name in static)


def test_delta_weight_is_scale_times_b_a() -> None:
    a, b = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[3.0], [5.0]]])
    expected = torch.tensor([[[6.0, 12.0], [10.0, 20.0]]])
    assert torch.equal(LoRA(a, b, 2.0).delta_weight(), expected)
    assert torch.equal(LoRA(a, b, 2.0).to(torch.float32).delta_weight(), expected)


def test_bfloat16_model_takes_float32_adapters(make_backbone: Callable[..., Backbone]) -> None:
    backbone = make_backbone(dtype="bfloat16")
    sites = find_sites(backbone.model, ["q", "v"])
    install(backbone.model, sites)
    ids, adapters = tokens(), random_adapters(sites, 3)
    got = injected_logits(backbone, ids, adapters)
    assert got.dtype == torch.bfloat16
    reference, base = merged_logits(backbone, ids, adapters).float(), logits(backbone, ids).float()
    error = (got.float() - reference).norm() / (reference - base).norm()
    assert error < 0.1


def error(got: Tensor, reference: Tensor, base: Tensor) -> float:
    """Of what adapters change."""
    return float((got - reference).norm() / (reference - base).norm())


def test_injection_into_nf4_equals_merged_dequantised_weights(
    make_backbone: Callable[..., Backbone],
) -> None:
    """What a scale that is off by a twentieth would not."""
    backbone, full = make_backbone(quantization="nf4"), make_backbone()
    layers = [n for n, m in backbone.model.named_modules() if isinstance(m, Linear4bit)]
    assert len(layers) == 2 * 7
    for name in layers:
        weight = backbone.model.get_submodule(name).weight
        exact = dequantize_4bit(weight.data, weight.quant_state)
        assert not torch.equal(exact, full.model.get_submodule(name).weight)
        full.model.get_submodule(name).weight.data.copy_(exact)
    sites = find_sites(backbone.model, ["q", "v"])
    install(backbone.model, sites)
    ids, adapters = tokens(), random_adapters(sites, 3)
    reference, base = merged_logits(full, ids, adapters), logits(full, ids)
    assert error(injected_logits(backbone, ids, adapters), reference, base) < 1e-4
    larger = {n: replace(lora, scale=1.05 * lora.scale) for n, lora in adapters.items()}
    assert error(injected_logits(backbone, ids, larger), reference, base) > 1e-2


def test_cached_decoding_of_a_left_padded_mixed_batch_equals_merged_weights(
    backbone: Backbone, sites: list[Site]
) -> None:
    prompts, new = [tokens(1, n, seed=n)[0] for n in (4, 9, 6)], 5
    adapters, longest = random_adapters(sites, 3), max(map(len, prompts))
    ids = torch.stack([nn.functional.pad(p, (longest - len(p), 0)) for p in prompts])
    with torch.no_grad(), injected(backbone.model, adapters):
        said = backbone.model.generate(
            input_ids=ids,
            attention_mask=(ids > 0).long(),
            do_sample=False,
            use_cache=True,
            max_new_tokens=new,
            min_new_tokens=new,
            eos_token_id=None,
            pad_token_id=0,
            return_dict_in_generate=True,
            output_logits=True,
        )
    for i, prompt in enumerate(prompts):
        whole = said.sequences[i : i + 1, longest - len(prompt) :]
        own = expand_adapters(adapters, torch.tensor([i]))
        expected = merged_logits(backbone, whole, own)[0, -new - 1 : -1]
        found = torch.stack([step[i] for step in said.logits])
        torch.testing.assert_close(found, expected, **EXACT)
        assert (found - logits(backbone, whole)[0, -new - 1 : -1]).abs().amax() > 0.01


@pytest.mark.parametrize(
    ("quantization", "kind"), [("none", torch.bfloat16), ("nf4", torch.float32)]
)
def test_under_autocast_adapters_are_cast_for_the_scope_and_not_in_every_hook(
    make_backbone: Callable[..., Backbone], quantization: str, kind: torch.dtype
) -> None:
    """4-bit layers answer in the type of their input, autocast or not."""
    backbone = make_backbone(quantization=quantization)
    sites = find_sites(backbone.model, ["q", "v"])
    injection, ids, adapters = install(backbone.model, sites), tokens(), random_adapters(sites, 3)
    autocast = torch.autocast("cpu", dtype=torch.bfloat16)
    with injected(backbone.model, adapters), autocast:  # opened before: hooks have to cast
        late = logits(backbone, ids)
    with autocast, injected(backbone.model, adapters):
        assert injection._active is not None
        kinds = {part.dtype for f in injection._active.values() for part in (f.down, f.up)}
        got = logits(backbone, ids)
    assert kinds == {kind}
    assert torch.equal(got, late) and not torch.equal(got, injected_logits(backbone, ids, adapters))
