"""Two-letter codes of languages: from what a source says, or from the script of its text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lightning_dpg.assessment.base import is_chinese

_CODE = re.compile(r"([a-z]{2})([-_].+)?")
_CODES = dict(
    pair.split(":")
    for pair in (
        "english:en chinese:zh german:de french:fr spanish:es italian:it portuguese:pt russian:ru "
        "japanese:ja korean:ko arabic:ar dutch:nl polish:pl turkish:tr ukrainian:uk czech:cs "
        "swedish:sv danish:da norwegian:no finnish:fi greek:el hungarian:hu romanian:ro "
        "hebrew:he hindi:hi persian:fa vietnamese:vi indonesian:id thai:th latin:la"
    ).split()
)


def by_label(label: str) -> str:
    """The code in `en`, `en-GB` or `English`; `und`, for undetermined, for what is none of these.

    A label that nobody understands says at least that the script is no sure sign.
    """
    code = _CODE.fullmatch(label.lower())
    return code[1] if code else _CODES.get(label.lower(), "und")


def by_script(text: str) -> str:
    """`zh` where the script is Chinese (`is_chinese`); else `en`."""
    return "zh" if is_chinese(text) else "en"


def joined(lines: Iterable[str], language: str) -> str:
    """Lines of one speech as one text: Chinese has no spaces between words."""
    return ("" if language == "zh" else " ").join(lines)
