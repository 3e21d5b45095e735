"""Contenders of the same adapters say the same, and not what the frozen model says."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_dpg.bench import agreement, references
from lightning_dpg.bench import contenders as who
from lightning_dpg.bench import measure as measuring
from lightning_dpg.bench.cases import Case
from lightning_dpg.bench.contenders import Contender
from lightning_dpg.bench.copies import sharing
from lightning_dpg.bench.measure import measure
from lightning_dpg.bench.references import gradients
from lightning_dpg.bench.repeating import repeated_delta
from lightning_dpg.bench.stand import Stand
from lightning_dpg.data.collate import IGNORED
from lightning_dpg.models.injection import injected
from lightning_dpg.models.lora import Adapters, LoRA
from tests.bench.conftest import PERSONAS

PREFILL = Case("prefill", PERSONAS, 10)
DECODING = Case("decoding", PERSONAS, 10, new_tokens=4)


def taking(stand: Stand, case: Case) -> dict[str, Contender]:
    found = {contender.name: contender for contender in stand.contenders(case)}
    for contender in found.values():
        contender.prepare(case.checkpointing)
    return found


def flat(gradients: list[Tensor]) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients])


@torch.no_grad()
def merged(stand: Stand, ids: Tensor, persona: int, adapters: Adapters | None = None) -> Tensor:
    """The last logits of a model whose weights hold one persona's deltas."""
    model: Any = copy.deepcopy(stand.backbone.model)
    for site in stand.sites:
        delta = (adapters or stand.adapters)[site.name].delta_weight()[persona]
        model.get_submodule(site.name).weight += delta
    logits: Tensor = model(input_ids=ids, use_cache=False).logits[:, -1]
    return logits


def test_prefill_equals_merged_weights_for_every_persona(stand: Stand) -> None:
    ids, _ = stand.inputs(PREFILL)
    found = {name: c.prefill(ids)[0] for name, c in taking(stand, PREFILL).items()}
    speaking = [who.FROZEN, who.PEFT, who.MIXED, who.NAIVE, who.STATIC, who.OURS, who.GENERATED]
    assert list(found) == speaking
    own = torch.cat([merged(stand, ids[i : i + 1], i) for i in range(PERSONAS)])
    shared = [merged(stand, ids[i : i + 1], i, stand.shared) for i in range(PERSONAS)]
    torch.testing.assert_close(found[who.GENERATED], torch.cat(shared), rtol=1e-5, atol=1e-5)
    assert ((own - torch.cat(shared)).abs().amax(1)[1:] > 1e-2).all()
    for name in (who.MIXED, who.NAIVE, who.OURS):
        torch.testing.assert_close(found[name], own, rtol=1e-5, atol=1e-5)
    for name in (who.PEFT, who.STATIC):
        torch.testing.assert_close(found[name], merged(stand, ids, 0), rtol=1e-5, atol=1e-5)
    base = stand.backbone.model(input_ids=ids).logits[:, -1]
    torch.testing.assert_close(found[who.FROZEN], base, rtol=1e-5, atol=1e-5)
    assert ((own - base).abs().amax(1) > 1e-2).all()
    assert ((own - merged(stand, ids, 0)).abs().amax(1)[1:] > 1e-2).all()


def test_decoding_token_by_token_is_the_whole_text_at_once(stand: Stand) -> None:
    """One cache serves all, and is as it was after each of them."""
    ids, new = stand.inputs(DECODING)
    found = taking(stand, DECODING)
    with torch.no_grad(), found[who.OURS].scope():
        cache = found[who.OURS].model(input_ids=ids, use_cache=True).cache
    answers = {name: contender.decode(new, cache)[0] for name, contender in found.items()}
    assert cache.get_seq_length() == DECODING.tokens
    [whole] = found[who.OURS].prefill(torch.cat([ids, new], 1))
    for name in (who.MIXED, who.NAIVE, who.OURS):
        torch.testing.assert_close(answers[name], whole, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(answers[who.STATIC], answers[who.PEFT], rtol=1e-5, atol=1e-5)
    as_generated = partial(found[who.MIXED].decode, new, cache)
    [expected] = references.as_generated(stand, as_generated)[who.GENERATED]
    torch.testing.assert_close(answers[who.GENERATED], expected, rtol=1e-5, atol=1e-5)
    assert ((expected - whole).abs().amax(1)[1:] > 1e-2).all()  # the first has its own A
    torch.testing.assert_close(as_generated(), [answers[who.MIXED]])  # adapters are back
    assert ((answers[who.FROZEN] - whole).abs().amax(1) > 1e-2).all()


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_are_the_same_and_not_zero(stand: Stand, checkpointing: bool) -> None:
    case = Case("training", PERSONAS, 10, checkpointing)
    ids, _ = stand.inputs(case)
    labels = ids.clone()
    labels[:, :5] = IGNORED
    contenders = taking(stand, case)
    found = {name: flat(c.train(ids, labels)) for name, c in contenders.items()}
    assert list(found) == [
        who.PEFT,
        who.STATIC,
        who.OURS,
        who.NAIVE,
        who.HYPERNETWORK,
        who.DPG,
    ]
    torch.testing.assert_close(found[who.STATIC], found[who.PEFT], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found[who.OURS], found[who.NAIVE], rtol=1e-3, atol=1e-4)
    assert all(gradient.abs().max() > 1e-2 for gradient in found.values())
    assert found[who.HYPERNETWORK].shape == found[who.DPG].shape
    assert not torch.allclose(found[who.HYPERNETWORK], found[who.DPG])
    layers = contenders[who.OURS].inner.model.layers
    assert layers[0].gradient_checkpointing == checkpointing


def test_checkpointing_changes_no_gradient(stand: Stand) -> None:
    found: list[dict[str, Tensor]] = []
    for checkpointing in (False, True):
        case = Case("training", PERSONAS, 10, checkpointing)
        ids, _ = stand.inputs(case)
        found.append({n: flat(c.train(ids, ids)) for n, c in taking(stand, case).items()})
    for name in found[0]:
        torch.testing.assert_close(found[1][name], found[0][name], rtol=1e-4, atol=1e-5)


def test_gradients_of_samples_and_of_the_hypernetwork_are_pefts_one_by_one(stand: Stand) -> None:
    case = Case("training", PERSONAS, 10)
    ids, _ = stand.inputs(case)
    contenders = taking(stand, case)
    before = contenders[who.PEFT].train(ids, ids)
    exact = gradients(stand, list(contenders.values()), ids, ids)
    for name in (who.OURS, who.NAIVE, who.HYPERNETWORK):
        found = contenders[name].train(ids, ids)
        assert [g.shape for g in found] == [g.shape for g in exact[name]]
        torch.testing.assert_close(flat(found), flat(exact[name]), rtol=1e-3, atol=1e-4)
    after = contenders[who.PEFT].train(ids, ids)  # it has its own adapter again
    torch.testing.assert_close(flat(after), flat(before))


def test_what_is_not_reached_by_a_gradient_is_an_error(stand: Stand) -> None:
    case = Case("training", 1, 4)
    ids, _ = stand.inputs(case)
    ours = taking(stand, case)[who.OURS]
    ours.gradients = [*ours.gradients, torch.ones(7, requires_grad=True)]
    with pytest.raises(RuntimeError, match=r"ours, one a sample: a tensor of \(7,\)"):
        ours.train(ids, ids)


@pytest.mark.parametrize(
    "case", [PREFILL, DECODING, Case("training", PERSONAS, 10), Case("training", 2, 10, True)]
)
def test_contenders_agree_in_nf4_and_bfloat16(rounded: Stand, case: Case) -> None:
    found = measure(rounded, case, 3, 0.0)
    assert found["precision"] == "nf4/bfloat16"
    errors = {c["name"]: c["error"] for c in found["contenders"] if c["error"] is not None}
    assert {who.STATIC, who.OURS, who.NAIVE} <= set(errors)
    assert max(errors.values()) < agreement.LIMIT["bfloat16"]


@pytest.mark.parametrize("case", [PREFILL, DECODING])
def test_generated_adapters_that_mix_samples_up_are_found(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    """What `ours, as generated` runs with is not what PEFT is given."""
    swapped = {n: LoRA(o.a, o.b.flip(0), o.scale) for n, o in stand.shared.items()}
    scope = partial(injected, taking(stand, case)[who.GENERATED].inner, swapped)
    contenders = stand.contenders(case)
    contenders[-1].scope = scope
    monkeypatch.setattr(stand, "contenders", lambda case: contenders)
    with pytest.raises(agreement.DisagreementError, match="ours, as generated is off"):
        measure(stand, case, 3, 0.0)


def test_dpg_that_does_not_fit_is_left_out_alone(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs two profiles for each sample: one and a half times a batch's memory is too little."""
    case = Case("training", PERSONAS, 64, True)
    free = int(1.5 * stand.setting.memory(case))
    monkeypatch.setattr(measuring, "free_bytes", lambda device: free)
    taking_part, left_out = measuring._taking_part(stand, case)
    assert who.DPG not in {c.name for c in taking_part} >= {who.OURS, who.HYPERNETWORK}
    assert who.DPG in {one["name"] for one in left_out}


def test_adapters_have_the_precision_of_the_model(rounded: Stand) -> None:
    peft = taking(rounded, PREFILL)[who.MIXED].model
    kinds = {p.dtype for name, p in peft.named_parameters() if "lora_" in name}
    assert kinds == {torch.bfloat16}
    assert len({n.split(".")[-2] for n, _ in peft.named_parameters() if "lora_" in n}) == PERSONAS


def test_a_copy_has_the_same_tensors_and_hooks_of_its_own(stand: Stand) -> None:
    model: Any = stand.backbone.model
    twin = sharing(model)
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert one is other
    site = stand.sites[0].name
    assert twin.get_submodule(site) is not model.get_submodule(site)
    twin.get_submodule(site).register_forward_hook(lambda *args: None)
    assert not model.get_submodule(site)._forward_hooks
    assert type(model.get_submodule(site)) is torch.nn.Linear  # PEFT has replaced its copy's


def test_repetition_is_b_times_a_for_every_token() -> None:
    generator = torch.Generator().manual_seed(0)
    x, a, b = (torch.randn(s, generator=generator) for s in ((2, 3, 5), (2, 4, 5), (2, 6, 4)))
    expected = torch.stack([x[i] @ a[i].T @ b[i].T for i in range(2)])
    torch.testing.assert_close(repeated_delta(x, LoRA(a, b, 1.0)), expected)


def answers(**changed: Tensor) -> dict[str, list[Tensor]]:
    base, own = torch.tensor([[1.0, 2.0]]), torch.tensor([[2.0, 0.0]])
    said = {who.FROZEN: base, who.MIXED: own, who.OURS: own.clone()} | changed
    return {name: [tensor] for name, tensor in said.items()}


def test_agreement_gives_errors_over_the_effect() -> None:
    near = torch.tensor([[2.0 + 1e-4, 0.0]])
    errors = agreement.check(answers(**{who.OURS: near}), "float32", "a case")
    assert errors == {who.OURS: pytest.approx(1e-4 / 5**0.5, rel=1e-2)}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({who.OURS: torch.tensor([[2.0, 0.1]])}, "off its reference"),
        ({who.OURS: torch.tensor([[2.0, float("nan")]])}, "NaN"),
        ({who.FROZEN: torch.tensor([[2.0, 0.01]])}, "what the frozen model says"),
    ],
)
def test_a_mismatch_is_an_error(changed: dict[str, Tensor], said: str) -> None:
    with pytest.raises(agreement.DisagreementError, match=said) as caught:
        agreement.check(answers(**changed), "float32", "prefill, B 1")
    assert "prefill, B 1" in str(caught.value)


def test_a_rounding_of_bfloat16_is_none_in_bfloat16_alone() -> None:
    rounded = answers(**{who.OURS: torch.tensor([[2.05, 0.05]])})
    agreement.check(rounded, "bfloat16", "a case")
    with pytest.raises(agreement.DisagreementError):  # a scale that is wrong by two fifths
        agreement.check(answers(**{who.OURS: torch.tensor([[2.4, -0.8]])}), "bfloat16", "a case")
    with pytest.raises(agreement.DisagreementError):
        agreement.check(rounded, "float32", "a case")


def test_one_wrong_sample_of_many_is_an_error() -> None:
    """Over all of the batch its error would be a fifth of the effect."""
    base, own = -torch.ones(32, 2), torch.ones(32, 2)
    wrong = own.clone()
    wrong[5] = torch.tensor([1.0, -2.0])
    for answer in ([wrong], [own, wrong]):
        frozen, mixed = [base] * len(answer), [own] * len(answer)
        said = {who.FROZEN: frozen, who.MIXED: mixed, who.OURS: answer}
        with pytest.raises(agreement.DisagreementError, match=r"off its reference by 1\.1"):
            agreement.check(said, "bfloat16", "a case")


def test_an_exact_reference_is_taken_before_another_contender() -> None:
    said = {who.MIXED: [torch.ones(1, 3)], who.OURS: [torch.ones(1, 3)]}
    exact = {who.OURS: [2 * torch.ones(1, 3)]}
    with pytest.raises(agreement.DisagreementError, match=r"off its reference by 0\.5"):
        agreement.check(said, "float32", "a case", exact)


def test_without_a_reference_nothing_is_compared() -> None:
    assert agreement.check({who.OURS: [torch.ones(3, 1)]}, "float32", "a case") == {}
