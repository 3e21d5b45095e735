"""`dpg export`: every option is found again in what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from lightning_dpg.errors import UserError
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile
from tests.commands.conftest import Dpg

CAPTAIN = "A captain of a ferry, blunt and quick."
BLEND = ["--ocean", "4,-2,3,0,-4", "--character", CAPTAIN, "--weight", "0.7"]
BLEND += ["--ocean", "-3,5,-1,2,1", "--character", "", "--weight", "0.3", "--strength", "1.2"]


def delta(folder: Path, site: str) -> Tensor:
    """What a server adds to the weight of a site: the file's scale is 1."""
    tensors = load_file(folder / "adapter_model.safetensors")
    a, b = (tensors[f"base_model.model.{site}.lora_{part}.weight"].float() for part in "AB")
    return b @ a


@torch.no_grad()
def expected(module: PersonalityModule, site: str) -> Tensor:
    profiles = [Profile((4.0, -2.0, 3.0, 0.0, -4.0)), Profile((-3.0, 5.0, -1.0, 2.0, 1.0))]
    first, second = module.adapters_for(profiles, [CAPTAIN, ""])[site].delta_weight()
    blended: Tensor = 1.2 * (0.7 * first + 0.3 * second)
    return blended


def test_options_arrive_in_the_adapter(
    dpg: Dpg, module: PersonalityModule, checkpoint: str, tmp_path: Path
) -> None:
    out = tmp_path / "both"
    given = ("--checkpoint", checkpoint, "--out", str(out))
    assert dpg("export", *BLEND, *given, "--base", "me/base") == f"Adapter: {out}\n"
    for site in module.sites:
        torch.testing.assert_close(delta(out, site.name), expected(module, site.name))
    settings = json.loads((out / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == "me/base"
    with pytest.raises(UserError, match="give --force"):
        dpg("export", *BLEND, *given)
    dpg("export", *BLEND, *given, "--force", "--dtype", "float16")
    tensors = load_file(out / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    settings = json.loads((out / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == "tiny-random-llama"


def test_a_table_arrives_as_a_folder_for_each_name(
    dpg: Dpg, checkpoint: str, tmp_path: Path
) -> None:
    table = tmp_path / "cast.csv"
    traits = "openness,conscientiousness,extraversion,agreeableness,neuroticism"
    table.write_text(f"name,{traits}\nAnna,4,-2,3,0,-4\n", encoding="utf-8")
    given = ("--personas", str(table), "--checkpoint", checkpoint, "--out", str(tmp_path / "all"))
    assert dpg("export", *given) == f"Adapter: {tmp_path / 'all' / 'Anna'}\n"
    with pytest.raises(UserError, match="--personas names everybody"):
        dpg("export", *given, "--strength", "2")
