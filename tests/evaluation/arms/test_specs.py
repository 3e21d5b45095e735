"""The table of arms: what each is given."""

from __future__ import annotations

from typing import get_args

from lightning_dpg.config import Arm
from lightning_dpg.evaluation.arms import ARMS


def test_every_arm_of_the_settings_is_there_and_titled() -> None:
    assert tuple(ARMS) == get_args(Arm)
    assert len({spec.title for spec in ARMS.values()}) == len(ARMS)


def test_what_each_is_given_and_what_is_trained() -> None:
    given = {
        arm: (s.scores_in_prompt, s.description_in_prompt, s.shots, s.source, s.contrast, s.remote)
        for arm, s in ARMS.items()
    }
    assert given == {
        "unadapted": (False, False, False, None, False, False),
        "prompted": (True, False, False, None, False, False),
        "prompted_description": (False, True, False, None, False, False),
        "prompted_both": (True, True, False, None, False, False),
        "few_shot": (True, False, True, None, False, False),
        "api": (True, True, False, None, False, True),
        "lora_sft": (True, False, False, "static", False, False),
        "lora_sft_contrast": (True, False, False, "static", True, False),
        "linear": (False, False, False, "linear", True, False),
        "dpg": (False, False, False, "hypernetwork", True, False),
    }


def test_who_hears_of_the_character() -> None:
    hearing = {arm for arm, spec in ARMS.items() if spec.hears_descriptions}
    assert hearing == {"prompted_description", "prompted_both", "api", "dpg"}
