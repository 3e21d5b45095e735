"""Fixtures for the tests of the models: adapters, samples, modules."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lightning_dpg.config import Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.collate import Collate
from lightning_dpg.data.datamodule import DialogueDataModule
from lightning_dpg.data.samples import Sample, make_samples
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.checkpoint import Identity
from lightning_dpg.models.lora import LoRA, Site
from lightning_dpg.models.module import PersonalityModule

MakeModule = Callable[..., PersonalityModule]


def random_adapters(
    sites: Sequence[Site], batch: int, seed: int = 0, rank: int = 2, scale: float = 1.5
) -> dict[str, LoRA]:
    """Adapters of a size that changes what the model says, with B per sample and A too."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return (torch.randn(shape, generator=generator) * 0.3).requires_grad_()

    return {
        s.name: LoRA(draw(batch, rank, s.in_features), draw(batch, s.out_features, rank), scale)
        for s in sites
    }


@pytest.fixture
def samples(corpus: Corpus, config: Config) -> list[Sample]:
    return make_samples(corpus, config.data)


@pytest.fixture
def make_module(backbone: Backbone, config: Config) -> MakeModule:
    """A module on the tiny backbone; `seed` draws its weights."""

    def make(
        source: str = "hypernetwork",
        *,
        on: Backbone = backbone,
        contrast: float = 0.5,
        scores_in_prompt: bool = False,
        seed: int = 0,
    ) -> PersonalityModule:
        torch.manual_seed(seed)
        collate = Collate(on.tokenizer, config.data, scores_in_prompt)
        module = PersonalityModule(on, config, source, collate, contrast)
        names = [site.name for site in module.sites]
        module.identity = Identity.of("dpg", config, on.identity, names, "scripted", "abc")
        return module

    return make


def stir(module: torch.nn.Module, seed: int = 0, size: float = 0.2) -> None:
    """Give every parameter random values, so that adapters are far from zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * size)


class Batches(DialogueDataModule):
    """Given samples in their order, for training and validation alike."""

    def __init__(self, module: PersonalityModule, samples: Sequence[Sample], size: int = 3) -> None:
        L.LightningDataModule.__init__(self)
        self.made = DataLoader(list(samples), size, collate_fn=module.collate)  # type: ignore[arg-type]

    def train_dataloader(self) -> DataLoader[Sample]:
        return self.made

    def val_dataloader(self) -> DataLoader[Sample]:
        return self.made


def trainer(steps: int = 1, **settings: Any) -> L.Trainer:
    """A trainer that trains and does nothing else."""
    for message in (".*does not have many workers.*", ".*isinstance.treespec, LeafSpec.*"):
        warnings.filterwarnings("ignore", message=message)
    return L.Trainer(
        max_steps=steps,
        accelerator=settings.pop("accelerator", "cpu"),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=settings.pop("limit_val_batches", 0),
        log_every_n_steps=1,
        **settings,
    )
