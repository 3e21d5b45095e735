"""Attention by plain matrix products against torch's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import Gemma2Config, Gemma2ForCausalLM, MistralConfig, MistralForCausalLM

from lightning_dpg.models import attention
from lightning_dpg.models.attention import (
    LONGEST,
    NAME,
    grouped_attention,
    use_grouped_attention,
)
from lightning_dpg.models.backbone import Backbone

LAYER: Any = SimpleNamespace(num_key_value_groups=3, is_causal=True, training=True)


def states(heads: int = 6, groups: int = 2, tokens: int = 9) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, count, tokens, 4) for count in (heads, groups, groups)]
    return [torch.randn(*shape, generator=generator).requires_grad_() for shape in shapes]


def oracle(query: Tensor, key: Tensor, value: Tensor, scaling: float | None = None) -> Tensor:
    repeat = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeat, 1), value.repeat_interleave(repeat, 1)
    found = F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling)
    return found.transpose(1, 2)


@pytest.mark.parametrize("shape", [(6, 2, 9), (4, 4, 5), (4, 1, 2), (6, 2, LONGEST)])
@pytest.mark.parametrize("scaling", [None, 0.7])
def test_output_and_gradients_equal_torchs(
    shape: tuple[int, int, int], scaling: float | None
) -> None:
    given = states(*shape)
    got, weights = grouped_attention(LAYER, *given, None, scaling=scaling)
    expected = oracle(*given, scaling)
    assert weights is None
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    outer = torch.randn(got.shape, generator=torch.Generator().manual_seed(1))
    for one, other in zip(
        torch.autograd.grad((got * outer).sum(), given),
        torch.autograd.grad((expected * outer).sum(), given),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_in_half_precision_it_is_as_near_to_the_truth_as_torch() -> None:
    given = [state.detach().bfloat16() for state in states(6, 2, 60)]
    truth = oracle(*(state.double() for state in given))
    got, _ = grouped_attention(LAYER, *given, None)
    assert (got - truth).abs().max() <= 2 * (oracle(*given) - truth).abs().max()


def test_values_may_have_a_width_of_their_own() -> None:
    query, key, value = states()
    got, _ = grouped_attention(LAYER, query, key, torch.cat([value, -value], 3), None)
    assert got.shape == (3, 9, 6, 8)
    torch.testing.assert_close(got[..., :4], oracle(query, key, value), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(got[..., 4:], -got[..., :4])


ASKED: dict[str, dict[str, Any]] = {
    "two-sided": {"is_causal": False},
    "window": {"sliding_window": 4},
    "window of a cache": {"sliding_window": 4},
    "softcap": {"softcap": 50.0},
    "sinks": {"s_aux": torch.zeros(6)},
    "bias": {"position_bias": torch.zeros(1, 6, 5, 5)},
}
CASES = ["additive mask", "cache", "long", "dropout", "two-sided layer", "GPU", *ASKED]


@pytest.mark.parametrize("case", CASES)
def test_all_that_is_not_plain_goes_to_sdpa(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def stand_in(module: Any, query: Tensor, *rest: Any, **options: Any) -> tuple[Tensor, None]:
        asked.append(case)
        return query, None

    monkeypatch.setattr(attention, "sdpa_attention_forward", stand_in)
    tokens = LONGEST + 1 if case == "long" else 5
    query, key, value = (state.detach() for state in states(tokens=tokens))
    if "cache" in case:
        query = query[:, :, -1:] if case == "window of a cache" else query[:, :, -2:]
    if case == "GPU":
        query, key, value = (state.to("meta") for state in (query, key, value))
    mask = torch.zeros(3, 1, tokens, tokens) if case == "additive mask" else None
    layer: Any = SimpleNamespace(is_causal=False) if case == "two-sided layer" else LAYER
    options = {"dropout": 0.1} if case == "dropout" else ASKED.get(case, {})
    grouped_attention(layer, query, key, value, mask, **options)
    assert asked == [case]


@pytest.mark.parametrize(("tokens", "keys"), [(1, 9), (3, 9), (9, 9), (1, LONGEST + 5)])
@pytest.mark.parametrize("heads", [1, 6])
def test_masked_attention_equals_torchs(
    tokens: int, keys: int, heads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for prompts padded on the left, and for tokens after a cache."""
    query, key, value = (state.detach() for state in states(tokens=keys))
    query = query[:, :, -tokens:]
    generator = torch.Generator().manual_seed(3)
    mask = torch.rand(3, heads, tokens, keys, generator=generator) < 0.6
    mask[..., 0] = True
    repeated = [state.repeat_interleave(3, 1) for state in (key, value)]
    expected = F.scaled_dot_product_attention(query, *repeated, attn_mask=mask).transpose(1, 2)
    everywhere = F.scaled_dot_product_attention(query, *repeated).transpose(1, 2)
    monkeypatch.setattr(attention, "sdpa_attention_forward", None)
    got, _ = grouped_attention(LAYER, query, key, value, mask)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    assert (got - everywhere).abs().max() > 1e-2


def test_one_token_without_a_mask_sees_all_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "sdpa_attention_forward", None)
    query, key, value = (state.detach() for state in states())
    got, _ = grouped_attention(LAYER, query[:, :, -1:], key, value, None)
    torch.testing.assert_close(got, oracle(query, key, value)[:, -1:], rtol=1e-4, atol=1e-5)


def test_padding_that_may_look_nowhere_is_no_nan() -> None:
    """It would spread: the weight of a padded value is 0, and 0 times NaN is NaN."""
    query, key, value = (state.detach() for state in states())
    mask = torch.ones(9, 9, dtype=torch.bool).tril().repeat(3, 1, 1, 1)
    mask[1, :, :, :4] = False
    got, _ = grouped_attention(LAYER, query, key, value, mask)
    assert got.isfinite().all()
    kept = oracle(query[1:2, :, 4:], key[1:2, :, 4:], value[1:2, :, 4:])
    torch.testing.assert_close(got[1:2, 4:], kept, rtol=1e-4, atol=1e-5)


def test_a_window_that_holds_all_tokens_and_options_left_open_are_plain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attention, "sdpa_attention_forward", None)
    options = {"sliding_window": 9, "softcap": None, "is_causal": None, "position_ids": None}
    got, _ = grouped_attention(LAYER, *states(tokens=9), None, **options)
    torch.testing.assert_close(got, oracle(*states(tokens=9)), rtol=1e-4, atol=1e-5)


def test_a_backbone_on_the_cpu_attends_so_and_answers_as_with_sdpa(backbone: Backbone) -> None:
    model: Any = backbone.model
    assert model.config._attn_implementation == NAME
    ids = torch.randint(3, 259, (2, 20), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[:, 12] = 5
    with torch.no_grad():
        got, later = model(input_ids=ids).logits, model(input_ids=changed).logits
        model.set_attn_implementation("sdpa")
        expected = model(input_ids=ids).logits
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(got[:, :12], later[:, :12])  # nobody looks ahead
    assert (got[:, 12:] - later[:, 12:]).abs().max() > 1e-3


def left_padded() -> tuple[Tensor, Tensor]:
    ids = torch.randint(3, 259, (3, 12), generator=torch.Generator().manual_seed(2))
    mask = torch.ones_like(ids)
    mask[1, :7], mask[2, :2] = 0, 0
    return ids * mask, mask


def test_masks_are_made_as_for_sdpa_and_left_out_where_sdpa_needs_none(backbone: Backbone) -> None:
    model: Any = backbone.model
    seen: list[Tensor | None] = []
    model.model.layers[0].register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(kwargs["attention_mask"]), with_kwargs=True
    )
    ids, mask = left_padded()
    for implementation in (NAME, "sdpa"):
        model.set_attn_implementation(implementation)
        model(input_ids=ids)
        model(input_ids=ids, attention_mask=torch.ones_like(mask))
        model(input_ids=ids, attention_mask=mask)
    assert [kind is None for kind in seen] == [True, True, False] * 2
    assert seen[2] is not None and seen[5] is not None and torch.equal(seen[2], seen[5])


@pytest.mark.parametrize("use_cache", [True, False])
def test_left_padded_prompts_are_continued_as_with_sdpa(
    backbone: Backbone, use_cache: bool
) -> None:
    model: Any = backbone.model
    ids, mask = left_padded()
    settings = {"do_sample": False, "max_new_tokens": 8, "min_new_tokens": 8, "pad_token_id": 0}
    said = []
    for implementation in (NAME, "sdpa"):
        model.set_attn_implementation(implementation)
        answer = model.generate(ids, attention_mask=mask, use_cache=use_cache, **settings)
        said.append(answer[:, ids.shape[1] :])
    assert torch.equal(*said)
    wrong = model.generate(ids, attention_mask=torch.ones_like(mask), **settings)
    assert not torch.equal(wrong[:, ids.shape[1] :], said[0])  # the mask did count


TINY = dict(
    vocab_size=60,
    hidden_size=16,
    intermediate_size=16,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
)


@pytest.mark.parametrize("window", [4, 50])
def test_a_model_with_a_sliding_window_keeps_it(window: int) -> None:
    torch.manual_seed(0)
    model: Any = MistralForCausalLM(MistralConfig(**TINY, sliding_window=window)).eval()
    ids = torch.randint(60, (2, 12))
    with torch.no_grad():
        expected = model(input_ids=ids).logits
        use_grouped_attention(model)
        got = model(input_ids=ids).logits
    assert model.config._attn_implementation == NAME
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_a_model_that_sdpa_does_not_serve_keeps_its_own_attention() -> None:
    model = Gemma2ForCausalLM(Gemma2Config(**TINY, head_dim=4))
    use_grouped_attention(model)
    assert model.config._attn_implementation == "eager"


def test_it_serves_with_and_without_gradients(backbone: Backbone) -> None:
    """Its mask is kept: one made under inference mode could not be used for a backward pass."""
    attention._future.cache_clear()
    model: Any = backbone.model
    ids = torch.randint(3, 259, (1, 11))
    with torch.inference_mode():
        model(input_ids=ids)
    embedded = model.get_input_embeddings()(ids).detach().requires_grad_()
    model(inputs_embeds=embedded).logits.sum().backward()
    assert embedded.grad is not None and embedded.grad.abs().sum() > 0
