"""Who speaks: one persona, or a blend of several by weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile, is_given

SOMEONE = "Someone"
"""Who says what is answered, where nobody is named."""


@dataclass(frozen=True)
class Part:
    """One persona of a blend.

    Attributes:
        profile: five scores.
        description: of the character, on one line; empty where there is none.
        weight: what its delta is multiplied by: any finite number, a negative one pushes away.

    Raises:
        UserError: a weight that is not finite.
    """

    profile: Profile
    description: str = ""
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight):
            raise UserError(f"A weight must be a finite number, got {self.weight:g}")
        # However it was typed: to an encoder another space is another text.
        object.__setattr__(self, "description", " ".join(self.description.split()))


@dataclass(frozen=True)
class Blend:
    """Who speaks: delta = strength · Σ weight_k · delta_k over its parts.

    Weights are not normalised. Between two personas, at t from the one to the other, weights are
    1 - t and t.

    Attributes:
        name: for people and files.
        parts: one or more.
        strength: what the whole is multiplied by; 0 is the frozen model.

    Raises:
        UserError: no part, or a strength that is not finite.
    """

    name: str
    parts: tuple[Part, ...]
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not self.parts:
            raise UserError(f"{self.name or 'A blend'} needs at least one persona, got none")
        if not math.isfinite(self.strength):
            raise UserError(
                f"The strength of {self.name or 'a blend'} must be a finite number, "
                f"got {self.strength:g}"
            )

    @property
    def profile(self) -> Profile:
        """What a prompt that states scores says of it: Σ weight_k · profile_k, cut to the scale.

        With weights that add up to 1 this is the weighted mean. The strength is of the deltas
        alone.
        """
        columns = zip(*(part.profile.scores for part in self.parts), strict=True)
        weights = [part.weight for part in self.parts]
        return Profile.cut([_dot(weights, column) for column in columns])

    @property
    def description(self) -> str:
        """The descriptions of its parts, one after another."""
        return " ".join(part.description for part in self.parts if is_given(part.description))


def _dot(weights: Sequence[float], scores: Sequence[float]) -> float:
    return sum(weight * score for weight, score in zip(weights, scores, strict=True))
