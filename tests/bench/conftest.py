"""A stand on the tiny model, made once."""

from __future__ import annotations

import pytest

from lightning_dpg.bench.stand import Stand
from lightning_dpg.config import Config, LoraConfig
from lightning_dpg.models.backbone import load_backbone
from tests.conftest import TINY

PERSONAS = 3


@pytest.fixture(scope="package")
def stand() -> Stand:
    config = Config(backbone=TINY, lora=LoraConfig(rank=4))
    return Stand(load_backbone(TINY), config, PERSONAS, "tiny")
