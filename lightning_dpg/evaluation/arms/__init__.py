"""The arms of a comparison, all through one interface: what each is given, and how it answers."""

from lightning_dpg.evaluation.arms.speaker import (
    MakeAsker,
    Speaker,
    make_speaker,
    missing,
    voice_of,
)
from lightning_dpg.evaluation.arms.specs import ARMS, ArmSpec

__all__ = ["ARMS", "ArmSpec", "MakeAsker", "Speaker", "make_speaker", "missing", "voice_of"]
