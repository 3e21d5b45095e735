"""How an arm is called and coloured: the same everywhere, in tables, plots and on paper.

The colours start from Okabe and Ito's colour-blind safe palette; each has a lighter twin for dark
backgrounds. Markers differ too, so that a black-and-white print can still be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INK, MUTED, RULE, PAPER = "#1d2126", "#626a73", "#c9ced4", "#fdfdfc"
"""Text, secondary text, grid lines and background of every figure, as drawn for a light page."""


@dataclass(frozen=True)
class Look:
    """One arm's colour on light and dark backgrounds, and its matplotlib marker."""

    light: str
    dark: str
    marker: str


_KNOWN = {
    "dpg": Look("#0068ad", "#5cb8f5", "o"),
    "lora_sft": Look("#d1570a", "#ff9a55", "s"),
    "lora_sft_contrast": Look("#8a6a00", "#e3bd3b", "v"),
    "prompted": Look("#00805f", "#3fcf9f", "^"),
    "unadapted": Look("#a34f82", "#e59cc8", "D"),
}
_SPARE = (
    Look("#5b4bb5", "#ada1ff", "P"),
    Look("#2f8fa8", "#7fdcf0", "X"),
    Look("#7a5230", "#d0a379", "p"),
)
_NAMES = {
    "dpg": "DPG",
    "lora_sft": "LoRA-SFT",
    "lora_sft_contrast": "LoRA-SFT with contrast",
}


def looks(arms: Sequence[str]) -> dict[str, Look]:
    """A look per arm: the known ones keep theirs whatever else a run has."""
    unknown = [arm for arm in arms if arm not in _KNOWN]
    spare = {arm: _SPARE[i % len(_SPARE)] for i, arm in enumerate(unknown)}
    return {arm: _KNOWN.get(arm) or spare[arm] for arm in arms}


def label(name: str) -> str:
    """The name of an arm or a baseline as a reader sees it: `corpus_mean` → `Corpus mean`."""
    plain = name.replace("_", " ").strip()
    return _NAMES.get(name) or plain[:1].upper() + plain[1:]
