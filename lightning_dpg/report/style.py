"""How an arm is called and coloured: the same everywhere, in tables, plots and on paper.

The colours start from Okabe and Ito's colour-blind safe palette; each has a lighter twin for dark
backgrounds. Markers differ too, so that a black-and-white print can still be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INK, MUTED, RULE, PAPER = "#1d2126", "#626a73", "#c9ced4", "#fdfdfc"
"""Text, secondary text, grid lines and background of every figure, as drawn for a light page."""
PLUS, MINUS = "#0a5f96", "#b8480c"
"""Positive and negative numbers of a matrix; also what was met and what was missed."""
PAGE = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    PAPER: "--paper",
    PLUS: "--plus",
    MINUS: "--minus",
}
"""The page's CSS variable for each colour that is no arm's (`page.css.j2`)."""


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
    "prompted_description": Look("#4f7a1d", "#a5d268", "<"),
    "prompted_both": Look("#1f6f78", "#63cdd8", ">"),
    "few_shot": Look("#5b4bb5", "#ada1ff", "P"),
    "api": Look("#b02a37", "#ff8f98", "*"),
    "linear": Look("#7a5230", "#d0a379", "p"),
}
_SPARE = (
    Look("#8b3fb0", "#d296f2", "X"),
    Look("#2f8fa8", "#7fdcf0", "h"),
    Look("#6b6f1a", "#cfd35c", "d"),
)
_NAMES = {
    "dpg": "DPG",
    "lora_sft": "LoRA-SFT",
    "lora_sft_contrast": "LoRA-SFT with contrast",
    "prompted": "Prompted, scores",
    "prompted_description": "Prompted, description",
    "prompted_both": "Prompted, both",
    "few_shot": "Few-shot",
    "api": "API model, prompted",
    "linear": "Linear map",
    "gold": "Own lines rated again",
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
