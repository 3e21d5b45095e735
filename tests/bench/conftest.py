"""A stand on the tiny model, made once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lightning_dpg.bench.stand import Stand
from lightning_dpg.config import BackboneConfig, Config, HypernetworkConfig, LoraConfig
from lightning_dpg.models.backbone import load_backbone
from tests.conftest import TINY

PERSONAS = 3


@pytest.fixture(scope="package")
def stand() -> Stand:
    return make(TINY)


@pytest.fixture(scope="package")
def rounded() -> Stand:
    """In NF4 and bfloat16."""
    return make(replace(TINY, quantization="nf4", dtype="bfloat16"))


def make(backbone: BackboneConfig) -> Stand:
    """A stand whose hypernetwork has an imprint."""
    hypernetwork = HypernetworkConfig(width=16, depth=1, heads=2, imprint=0.3)
    config = Config(backbone=backbone, lora=LoraConfig(rank=4), hypernetwork=hypernetwork)
    return Stand(load_backbone(backbone), config, PERSONAS, "tiny")
