"""Gradient checkpointing and the scope of adapters: the traps of DESIGN.md, section 6.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor

from lightning_dpg.config import Config
from lightning_dpg.data.samples import Sample
from lightning_dpg.evaluation.arms import make_speaker
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.likelihood import reply_nll
from lightning_dpg.models.lora import Adapters, find_sites
from lightning_dpg.models.module import PersonalityModule
from tests.models.conftest import Batches, MakeModule, random_adapters, stir, trainer

MakeBackbone = Callable[..., Backbone]
Gradients = dict[str, Tensor]
EXACT = {"rtol": 1e-5, "atol": 1e-6}


class Bench:
    """A model with two batches of adapters, to take gradients from."""

    def __init__(
        self, make_backbone: MakeBackbone, mode: str, branches: int = 1, first_layer: int = 0
    ) -> None:
        self.model, self.branches = make_backbone().model, branches
        sites = find_sites(self.model, ["q", "v"], first_layer)
        injection = install(self.model, sites)
        self.runs = 0
        if mode != "off":
            settings: dict[str, object] = {"use_reentrant": False}
            if mode == "with context_fn":
                settings["context_fn"] = injection.checkpoint_contexts
            self.model.gradient_checkpointing_enable(settings)
            self.model.train()
        self.model.get_submodule(sites[0].name).register_forward_hook(self._count)
        generator = torch.Generator().manual_seed(0)
        self.ids = torch.randint(3, 259, (3, 9), generator=generator)
        self.own = random_adapters(sites, 3 * branches, seed=1)
        self.other = random_adapters(sites, 3 * branches, seed=2)

    def _count(self, *_: object) -> None:
        self.runs += 1

    def loss(self, adapters: Adapters | None) -> Tensor:
        labels = self.ids.clone()
        labels[:, :3] = -100
        with injected(self.model, adapters, self.branches if adapters else 1):
            nll, _ = reply_nll(self.model, self.ids, labels, self.branches if adapters else 1)
        return (nll * torch.arange(1, len(nll) + 1)).sum()

    def gradients(self) -> Gradients:
        return {
            f"{batch}.{name}.{part}": tensor.grad
            for batch, adapters in (("own", self.own), ("other", self.other))
            for name, lora in adapters.items()
            for part, tensor in (("a", lora.a), ("b", lora.b))
            if tensor.grad is not None
        }


def scope_closed_before_backward(bench: Bench) -> None:
    bench.loss(bench.own).backward()


def scope_still_open_in_backward(bench: Bench) -> None:
    labels = bench.ids.clone()
    with injected(bench.model, bench.own, bench.branches):
        nll, _ = reply_nll(bench.model, bench.ids, labels, bench.branches)
        nll.sum().backward()


def other_scope_open_in_backward(bench: Bench) -> None:
    loss = bench.loss(bench.own)
    with injected(bench.model, bench.other, bench.branches):
        loss.backward()


def other_batch_forward_before_backward(bench: Bench) -> None:
    own, other = bench.loss(bench.own), bench.loss(bench.other)
    own.backward()
    other.backward()


def two_micro_batches_in_one_backward(bench: Bench) -> None:
    (bench.loss(bench.own) + 2 * bench.loss(bench.other)).backward()


def micro_batches_accumulated(bench: Bench) -> None:
    for adapters in (bench.own, bench.other, bench.own):
        bench.loss(adapters).backward()


def validation_between_forward_and_backward(bench: Bench) -> None:
    loss = bench.loss(bench.own)
    with torch.no_grad():
        bench.loss(bench.other)
        bench.loss(None)
    loss.backward()


SCENARIOS = [
    scope_closed_before_backward,
    scope_still_open_in_backward,
    other_scope_open_in_backward,
    other_batch_forward_before_backward,
    two_micro_batches_in_one_backward,
    micro_batches_accumulated,
    validation_between_forward_and_backward,
]
BRANCHES = [(1, 0), (1, 1), (2, 0), (2, 1)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize(("branches", "first_layer"), BRANCHES)
def test_gradients_are_the_same_with_and_without_checkpointing(
    make_backbone: MakeBackbone,
    scenario: Callable[[Bench], None],
    branches: int,
    first_layer: int,
) -> None:
    plain = Bench(make_backbone, "off", branches, first_layer)
    checkpointed = Bench(make_backbone, "with context_fn", branches, first_layer)
    scenario(plain)
    scenario(checkpointed)
    assert checkpointed.runs > plain.runs  # the layers did run again
    expected, got = plain.gradients(), checkpointed.gradients()
    assert len(expected) >= 2 * 2 and set(got) == set(expected)
    for name, gradient in expected.items():
        assert gradient.abs().max() > 1e-3, name
        torch.testing.assert_close(got[name], gradient, **EXACT, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize(("branches", "first_layer"), BRANCHES)
def test_without_the_context_fn_another_open_scope_gives_wrong_gradients(
    make_backbone: MakeBackbone, branches: int, first_layer: int
) -> None:
    plain = Bench(make_backbone, "off", branches, first_layer)
    naive = Bench(make_backbone, "without context_fn", branches, first_layer)
    other_scope_open_in_backward(plain)
    other_scope_open_in_backward(naive)
    expected, got = plain.gradients(), naive.gradients()
    assert set(got) == set(expected)  # nothing raised, nothing missing: only wrong
    error = max(
        float((got[name] - gradient).norm() / gradient.norm())
        for name, gradient in expected.items()
    )
    assert error > 0.05


@pytest.mark.parametrize(("branches", "first_layer"), BRANCHES)
def test_without_the_context_fn_a_closed_scope_fails(
    make_backbone: MakeBackbone, branches: int, first_layer: int
) -> None:
    naive = Bench(make_backbone, "without context_fn", branches, first_layer)
    with pytest.raises(torch.utils.checkpoint.CheckpointError):
        scope_closed_before_backward(naive)


def test_the_scope_of_the_moment_is_back_after_a_recomputation(
    make_backbone: MakeBackbone,
) -> None:
    bench = Bench(make_backbone, "with context_fn")
    with torch.no_grad():
        base, expected = bench.loss(None), bench.loss(bench.other)
    assert expected != base
    loss = bench.loss(bench.own)
    with injected(bench.model, bench.other):
        loss.backward()
        with torch.no_grad():
            labels = bench.ids.clone()
            labels[:, :3] = -100
            nll, _ = reply_nll(bench.model, bench.ids, labels)
    assert (nll * torch.arange(1, 4)).sum() == expected
    with torch.no_grad():
        assert bench.loss(None) == base


def validate_and_speak(module: PersonalityModule, samples: list[Sample]) -> None:
    module.eval()
    with torch.inference_mode():  # as Lightning validates
        module.validation_step(module.collate(samples), 0)
    requests = [Request(s.profile, s.description, s.context) for s in samples]
    speaker = make_speaker("dpg", module.config, module.backbone, module)
    assert len(speaker.speak(requests, seed=1)) == len(samples)
    module.train()


@pytest.mark.filterwarnings("ignore:.*self.trainer. reference is not registered")
@pytest.mark.parametrize("first_layer", [0, 1])
def test_a_step_of_dpg_that_is_interrupted_has_the_same_gradients(
    make_module: MakeModule,
    make_backbone: MakeBackbone,
    config: Config,
    samples: list[Sample],
    first_layer: int,
) -> None:
    """All at once: checkpointing, two micro-batches, others who are validated and speak between."""
    config.lora.first_layer, config.evaluation.max_new_tokens = first_layer, 4
    parts = [samples[:3], samples[3:6]]
    assert not {s.profile for s in parts[0]} & {s.profile for s in parts[1]}
    ways: list[Gradients] = []
    for interrupted in (False, True):
        config.backbone.gradient_checkpointing = interrupted
        backbone = make_backbone()
        module, runs = make_module(on=backbone), [0]
        stir(module)

        def count(*_: object, runs: list[int] = runs) -> None:
            runs[0] += 1

        backbone.model.get_submodule(module.sites[0].name).register_forward_hook(count)
        for i, part in enumerate(parts):
            loss = module.training_step(module.collate(part), i) / len(parts)
            if interrupted:
                validate_and_speak(module, parts[1 - i])
            before = runs[0]
            loss.backward()
            assert (runs[0] > before) is interrupted  # the layers did run again
        found = {n: p.grad for n, p in module.adapters.named_parameters() if p.grad is not None}
        ways.append(found)
    expected, got = ways
    assert set(got) == set(expected)
    assert sum(float(gradient.abs().max()) > 1e-3 for gradient in expected.values()) > 9
    for name, gradient in expected.items():
        torch.testing.assert_close(got[name], gradient, rtol=1e-4, atol=1e-6)


class Steps(L.Callback):
    """The loss of each micro-batch, and whether a validation came between two of them."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.validated: list[int] = []

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        self.losses.append(float(trainer.callback_metrics["train/loss"]))

    def on_validation_end(self, *_: Any) -> None:
        self.validated.append(len(self.losses))


@pytest.mark.parametrize(
    ("precision", "first_layer"), [("32-true", 0), ("32-true", 1), ("bf16-mixed", 0)]
)
def test_training_with_checkpointing_takes_the_same_way(
    make_module: MakeModule,
    make_backbone: MakeBackbone,
    config: Config,
    samples: list[Sample],
    precision: str,
    first_layer: int,
) -> None:
    """By Lightning: other personas in each micro-batch, two of them a step, validation between."""
    config.lora.first_layer = first_layer
    config.trainer.learning_rate, config.trainer.warmup_steps = 1e-2, 0
    config.hypernetwork.description_dropout = 0.5
    ways = []
    for checkpointing in (False, True):
        config.backbone.gradient_checkpointing = checkpointing
        backbone = make_backbone()
        module, steps, runs = make_module(on=backbone), Steps(), [0]
        stir(module)

        def count(*_: object, runs: list[int] = runs) -> None:
            runs[0] += torch.is_grad_enabled()

        backbone.model.get_submodule(module.sites[0].name).register_forward_hook(count)
        run = trainer(
            2,
            accumulate_grad_batches=2,
            val_check_interval=1,
            check_val_every_n_epoch=None,
            limit_val_batches=1,
            precision=precision,
            callbacks=[steps],
        )
        run.fit(module, Batches(module, samples[:12]))
        ways.append((steps, runs[0], module.state_dict()))
    (plain, plain_runs, plain_state), (checked, checked_runs, checked_state) = ways
    assert checked_runs == 2 * plain_runs > 0  # the layers did run again
    assert plain.validated == checked.validated and 1 in plain.validated  # inside the first step
    assert len(plain.losses) == 4 and len(set(plain.losses)) == 4
    assert checked.losses == pytest.approx(plain.losses, rel=1e-5)
    for name, tensor in plain_state.items():
        torch.testing.assert_close(checked_state[name], tensor, rtol=1e-4, atol=1e-6)
