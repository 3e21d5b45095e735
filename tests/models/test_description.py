"""Encoded descriptions."""

from __future__ import annotations

from collections.abc import Callable

import torch

from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.description import MAX_TOKENS, DescriptionEncoder

TEXTS = ["A captain, blunt and quick.", "", "A passenger who fears all.", "  \n "]


def count_runs(backbone: Backbone) -> list[int]:
    runs: list[int] = []
    backbone.model.model.register_forward_hook(lambda *_: runs.append(1))
    return runs


def test_is_the_mean_of_the_last_hidden_states(backbone: Backbone) -> None:
    got = DescriptionEncoder(backbone)(TEXTS)
    ids = torch.tensor([backbone.tokenizer.convert_tokens_to_ids(list(TEXTS[0].replace(" ", "Ġ")))])
    with torch.no_grad():
        states = backbone.model(input_ids=ids, output_hidden_states=True).hidden_states[-1]
    torch.testing.assert_close(got[0], states[0].mean(0))
    assert got.shape == (4, 64) and got.dtype == torch.float32
    assert (got[0] - got[2]).abs().max() > 0.01


def test_an_empty_description_is_zero_and_costs_no_forward_pass(backbone: Backbone) -> None:
    runs = count_runs(backbone)
    got = DescriptionEncoder(backbone)(["", "  \n "])
    assert got.shape == (2, 64) and not got.any()
    assert not runs


def test_each_text_is_encoded_once(backbone: Backbone) -> None:
    runs, encode = count_runs(backbone), DescriptionEncoder(backbone)
    first = encode([TEXTS[0], TEXTS[2], TEXTS[0]])
    assert len(runs) == 2
    again = encode([TEXTS[2], TEXTS[0]])
    assert len(runs) == 2
    assert torch.equal(first, again[[1, 0, 1]])


def test_does_not_depend_on_the_encoder_the_batch_or_the_random_state(
    backbone: Backbone, make_backbone: Callable[..., Backbone]
) -> None:
    torch.manual_seed(1)
    first = DescriptionEncoder(backbone)(TEXTS)
    torch.manual_seed(2)
    other = DescriptionEncoder(make_backbone())
    assert torch.equal(torch.cat([other([text]) for text in reversed(TEXTS)]).flip(0), first)


def test_a_long_description_is_cut(backbone: Backbone) -> None:
    encode = DescriptionEncoder(backbone)
    long = "x" * MAX_TOKENS
    got = encode([long, long + " and more that is not read", long[:-1]])
    assert torch.equal(got[0], got[1]) and not torch.equal(got[0], got[2])


def test_what_was_encoded_for_generating_can_be_trained_on(backbone: Backbone) -> None:
    encode = DescriptionEncoder(backbone)
    with torch.inference_mode():
        encode(TEXTS)
    weight = torch.ones(64, requires_grad=True)
    (encode(TEXTS) * weight).sum().backward()
    assert weight.grad is not None and weight.grad.any()
