"""Dials as they are typed: `e=+3 n-=1`, or all five scores."""

from __future__ import annotations

import difflib
import re
import unicodedata

from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS, Profile

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_DIAL = re.compile(rf"([^\W\d_]+)([+-]?=)({_NUMBER.pattern})")
_BETWEEN = ",;、"


def turn_dials(profile: Profile, text: str) -> Profile:
    """The profile after `e=+3 n-=1` or `4,-2,3,0,-4`.

    A trait is named by its first letter or more of its name. `=` sets its score, `+=` and `-=` move
    it. Signs as Chinese keyboards write them are understood, too.

    Args:
        profile: where the dials stand.
        text: what was typed.

    Raises:
        UserError: anything else, or a score outside the scale.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-").lower()
    plain = re.sub(r"\s*([+-]?=)\s*", r"\1", plain).strip(f" {_BETWEEN}")
    parts = re.split(rf"[\s{_BETWEEN}]+", plain)
    if all(_NUMBER.fullmatch(part) for part in parts):
        return Profile.parse(",".join(parts))
    scores = dict(zip(TRAITS, profile.scores, strict=True))
    for part in parts:
        if not (found := _DIAL.fullmatch(part)):
            raise UserError(
                f"Dials are e=+3 (set), e+=1 and e-=1 (move), or all five scores such as "
                f"4,-2,3,0,-4, got {part!r}"
            )
        trait, how, number = _trait(found[1]), found[2], float(found[3])
        moved = {"=": number, "+=": scores[trait] + number, "-=": scores[trait] - number}[how]
        scores[trait] = round(moved, 6)
    return Profile(tuple(scores.values()))


def _trait(name: str) -> str:
    for trait in TRAITS:
        if trait.startswith(name):
            return trait
    near = difflib.get_close_matches(name, TRAITS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UserError(f"There is no trait {name!r}: {hint}Traits: {', '.join(TRAITS)}")
