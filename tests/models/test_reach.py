"""Every batch reaches every parameter: several processes need not look for those it misses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lightning_dpg.config import Config
from lightning_dpg.data.samples import Sample
from tests.models.conftest import MakeModule, stir

CASES: list[dict[str, Any]] = [
    {"source": "static", "scores_in_prompt": True, "contrast": 0.0},
    {"source": "static", "scores_in_prompt": True},
    {"source": "linear"},
    *({"output": output} for output in ("dial", "core", "full")),
    *({"output": output, "imprint": 0.3} for output in ("dial", "core", "full")),
    {"reads_scores": False},
    {"reads_description": False, "imprint": 0.3},
    {"reads_scores": False, "reads_description": False, "output": "core"},
    {"contrast": 0.0},
    {"plausibility_weight": 0.1},
    {"first_layer": 1},
    {"scores_in_prompt": True},
]


@pytest.mark.parametrize("told", ["all", "none", "dropped"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(map(str, case.items())))
def test_every_batch_reaches_every_parameter(
    make_module: MakeModule, config: Config, samples: list[Sample], case: dict[str, Any], told: str
) -> None:
    """Whoever is described, and with all descriptions left out by chance."""
    given = dict(case)
    options = {k: given.pop(k) for k in ("source", "contrast", "scores_in_prompt") if k in given}
    for name, value in given.items():
        for group in (config.hypernetwork, config.objective, config.lora):
            if hasattr(group, name):
                setattr(group, name, value)
    config.hypernetwork.description_dropout = 1.0 if told == "dropped" else 0.0
    module = make_module(**options)
    stir(module)
    module.know_descriptions(["Keeps bees.", "Counts ropes."])
    text = "" if told == "none" else "Keeps bees."
    batch = module.collate([replace(sample, description=text) for sample in samples[:3]])
    module.training_step(batch, 0).backward()
    missed = [name for name, parameter in module.named_parameters() if parameter.grad is None]
    assert missed == []
