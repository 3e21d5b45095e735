"""The stand where contenders meet: one frozen model, and a copy of it for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lightning_dpg.bench import contenders as who
from lightning_dpg.bench.cases import Case, Setting
from lightning_dpg.bench.contenders import Contender
from lightning_dpg.bench.copies import sharing
from lightning_dpg.bench.floor import Shapes
from lightning_dpg.bench.peft_models import fill, persona, trained, with_adapters
from lightning_dpg.bench.repeating import Repeating
from lightning_dpg.config import Config, DataConfig
from lightning_dpg.data.collate import Batch, Collate
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import Injection, injected, install
from lightning_dpg.models.likelihood import reply_nll
from lightning_dpg.models.lora import Adapters, LoRA, Site, find_sites
from lightning_dpg.models.module import PersonalityModule

RANDOM_B = 0.1
"""Standard deviation of B: deltas are about half of what a site of Llama-7B itself says. With half
of it, rounding in bfloat16 is a fifth of what they change in the sample that they change least."""
DESCRIPTIONS = 8
"""Texts that tell the hypernetwork what is usual."""


class Stand:
    """All contenders on one backbone, with the same adapters.

    Attributes:
        adapters: an A and a B of each persona.
        shared: the form that a hypernetwork gives: the first persona's A for all, B's of their own.

    Args:
        backbone: frozen; it is never touched.
        config: rank, alpha and sites of the adapters, the hypernetwork and its objective.
        personas: adapters that are drawn, at least as many as the largest batch has samples.
        name: of the model, for tables.
    """

    def __init__(self, backbone: Backbone, config: Config, personas: int, name: str) -> None:
        self.backbone, self.config = backbone, config
        model: Any = backbone.model
        lora = config.lora
        self.sites = find_sites(model, lora.projections, lora.first_layer)
        dtype = next(p.dtype for p in model.parameters() if p.is_floating_point())
        self.setting = Setting(
            Shapes.of(model.config, name),
            self.sites,
            lora.rank,
            str(dtype).removeprefix("torch."),
            config.backbone.quantization,
        )
        self.adapters = draw(
            self.sites, lora.rank, lora.alpha / lora.rank, personas, backbone.device, dtype
        )
        self.shared = {n: LoRA(o.a[:1], o.b, o.scale) for n, o in self.adapters.items()}
        self._personas = personas
        self._peft = with_adapters(sharing(model), self.sites, self.adapters, 1)
        self._mixed = with_adapters(sharing(model), self.sites, self.adapters, personas)
        self._repeated = sharing(model)
        self._repeating = Repeating(self._repeated, self.sites)
        self._module = self._dpg(sharing(model))
        self._ours = sharing(model)
        self._injection = install(self._ours, self.sites)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.backbone.device

    def contenders(self, case: Case) -> list[Contender]:
        """Who takes part in a case, the baseline first."""
        samples = leaves(self.adapters, case.batch)
        single = leaves(self.adapters, 1)
        ours = Contender(
            who.OURS,
            self._ours,
            self._ours,
            lambda: injected(self._ours, samples),
            gradients=parts(samples),
            sampled=True,
            context_fn=self._injection.checkpoint_contexts,
        )
        static = replace(
            ours,
            name=who.STATIC,
            scope=lambda: injected(self._ours, single),
            gradients=parts(single),
        )
        naive = Contender(
            who.NAIVE,
            self._repeated,
            self._repeated,
            lambda: self._repeating.scope(samples),
            gradients=parts(samples),
            sampled=True,
        )
        peft = Contender(
            who.PEFT,
            self._peft,
            self._peft.base_model.model,
            gradients=trained(self._peft, self.sites),
        )
        if case.work == "training":
            return [peft, static, ours, naive, *self._generating(case.batch)]
        frozen = Contender(who.FROZEN, self.backbone.model, self.backbone.model)
        names = [persona(i) for i in range(case.batch)]
        inner = self._mixed.base_model.model
        mixed = Contender(  # PEFT's own `generate` gives adapters out once, too, not for each token
            who.MIXED,
            inner,
            inner,
            lambda: self._mixed._enable_peft_forward_hooks(adapter_names=names),
        )
        shared = leaves(self.shared, case.batch)
        generated = replace(
            ours, name=who.GENERATED, scope=lambda: injected(self._ours, shared), gradients=()
        )
        return [frozen, peft, mixed, naive, static, ours, generated]

    def generated(self, batch: int) -> dict[str, LoRA]:
        """Adapters of a batch of people, by the hypernetwork, in the precision of the others."""
        made = self._module(*self._people(batch))
        dtype = next(iter(self.adapters.values())).a.dtype
        return {n: LoRA(lora.a.to(dtype), lora.b.to(dtype), lora.scale) for n, lora in made.items()}

    def give_peft(self, adapters: Adapters, sample: int) -> None:
        """Put one sample's adapter in the place of PEFT's one for all."""
        fill(self._peft, self.sites, adapters, sample, persona(0))

    def give_mixed(self, adapters: Adapters) -> None:
        """Give the personas of PEFT's mixed batch other adapters."""
        for number in range(self._personas):
            fill(self._mixed, self.sites, adapters, number, persona(number))

    def inputs(self, case: Case) -> tuple[Tensor, Tensor]:
        """Random tokens, (B, T), and the new ones of decoding, (B, new tokens)."""
        generator = torch.Generator().manual_seed(0)
        total = case.tokens + case.new_tokens
        words = self.setting.shapes.vocabulary
        ids = torch.randint(3, words, (case.batch, total), generator=generator)
        return ids[:, : case.tokens].to(self.device), ids[:, case.tokens :].to(self.device)

    def _dpg(self, model: Any) -> PersonalityModule:
        """The hypernetwork with its objective, as it is trained."""
        backbone = Backbone(model, self.backbone.tokenizer, self.backbone.identity)
        config = replace(
            self.config, backbone=replace(self.config.backbone, gradient_checkpointing=False)
        )
        collate = Collate(backbone.tokenizer, DataConfig())
        with torch.random.fork_rng():
            torch.manual_seed(0)
            weight = config.objective.contrastive_weight
            module = PersonalityModule(backbone, config, "hypernetwork", collate, weight)
            for part in module.adapters.head.b:  # type: ignore[union-attr]
                torch.nn.init.normal_(part, std=RANDOM_B)
        module.log = lambda *args, **settings: None  # type: ignore[method-assign]
        module.to(self.device)
        module.know_descriptions(_described(DESCRIPTIONS))
        return module

    def _people(self, batch: int) -> tuple[Tensor, list[str]]:
        """Profiles, (B, 5), and descriptions."""
        generator = torch.Generator().manual_seed(0)
        profiles = 10 * torch.rand(batch, 5, generator=generator) - 5
        return profiles.to(self.device), _described(batch)

    def _generating(self, batch: int) -> list[Contender]:
        """The hypernetwork with the same loss as the others, and with DPG's own."""
        module, model = self._module, self._module.backbone.model
        profiles, described = self._people(batch)
        injection: Injection = install(model, self.sites)

        def plain(ids: Tensor, labels: Tensor) -> Tensor:
            with injected(model, module(profiles, described)):
                return reply_nll(model, ids, labels)[0].sum()

        def whole(ids: Tensor, labels: Tensor) -> Tensor:
            rows = Batch(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                labels=labels,
                profiles=profiles,
                descriptions=described,
                samples=[],
            )
            module.on_train_batch_start(rows, 0)  # the same descriptions are left out every time
            return module.training_step(rows, 0)

        first = Contender(
            who.HYPERNETWORK,
            model,
            model,
            gradients=list(module.adapters.parameters()),
            context_fn=injection.checkpoint_contexts,
            loss=plain,
        )
        return [first, replace(first, name=who.DPG, loss=whole)]


def _described(count: int) -> list[str]:
    return [f"Somebody with {i} cats and a boat." for i in range(count)]


def draw(
    sites: Sequence[Site],
    rank: int,
    scale: float,
    personas: int,
    device: torch.device,
    dtype: torch.dtype,
) -> dict[str, LoRA]:
    """Random adapters that change what the model says, one for each persona."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int, size: float) -> Tensor:
        return (torch.randn(shape, generator=generator) * size).to(device, dtype)

    return {
        site.name: LoRA(
            random(personas, rank, site.in_features, size=site.in_features**-0.5),
            random(personas, site.out_features, rank, size=RANDOM_B),
            scale,
        )
        for site in sites
    }


def leaves(adapters: dict[str, LoRA], batch: int) -> dict[str, LoRA]:
    """The first samples' adapters as tensors that gradients are taken of."""

    def leaf(part: Tensor) -> Tensor:
        return part[:batch].clone().requires_grad_()

    return {n: LoRA(leaf(lora.a), leaf(lora.b), lora.scale) for n, lora in adapters.items()}


def parts(adapters: Adapters) -> list[Tensor]:
    """A and B, site by site."""
    return [part for lora in adapters.values() for part in (lora.a, lora.b)]
