"""Regions of profile space by the signs of traits: `E+ N+` is outgoing and anxious."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS, Profile

INITIALS = "".join(trait[0].upper() for trait in TRAITS)


@dataclass(frozen=True)
class Region:
    """All profiles whose scores have the given signs.

    Attributes:
        signs: one of -1, 0 and 1 for each trait; 0 where the trait may be anything.
    """

    signs: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Region:
        """Read `E+ N-`: initials of traits, each with its sign, in any order.

        Raises:
            UserError: nothing, an unknown initial, a missing sign, or a trait twice.
        """
        signs = dict.fromkeys(INITIALS, 0)
        for part in text.split() or [""]:
            if not re.fullmatch(f"[{INITIALS}][+-]", part) or signs[part[0]]:
                raise UserError(
                    f"A region is initials of traits ({', '.join(INITIALS)}), each once and with "
                    f"its sign, such as 'E+ N+', got {text!r}"
                )
            signs[part[0]] = 1 if part[1] == "+" else -1
        return cls(tuple(signs.values()))

    @classmethod
    def of(cls, profile: Profile, least: float) -> Region:
        """The region by all traits of a profile that lie at `least` or farther from 0."""
        clear = (score if abs(score) >= least else 0 for score in profile.scores)
        return cls(tuple((score > 0) - (score < 0) for score in clear))

    def __str__(self) -> str:
        named = zip(INITIALS, self.signs, strict=True)
        return " ".join(f"{initial}{'+' if sign > 0 else '-'}" for initial, sign in named if sign)

    @property
    def mirrored(self) -> Region:
        """The opposite profiles."""
        return Region(tuple(-sign for sign in self.signs))

    def __contains__(self, profile: Profile) -> bool:
        """Whether every trait that is named has its sign; 0 has none."""
        pairs = zip(profile.scores, self.signs, strict=True)
        return all(score * sign > 0 for score, sign in pairs if sign)


EVERYWHERE = Region((0,) * len(TRAITS))


def parse_regions(texts: list[str]) -> list[Region]:
    """One region each."""
    return [Region.parse(text) for text in texts]


def cover_all(regions: Sequence[Region], of: Region = EVERYWHERE) -> bool:
    """Whether every profile of a region lies in one of the others, but for those with a 0."""
    corners = (Profile(tuple(map(float, signs))) for signs in product((-1, 1), repeat=len(TRAITS)))
    inside = (corner for corner in corners if corner in of)
    return all(any(corner in region for region in regions) for corner in inside)
