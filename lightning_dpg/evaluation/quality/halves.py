"""Disjoint halves of what each persona said, rated as the words of two people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.evaluation.instruments import Panel, by_judge, rate
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.results import ratings_tensor


@dataclass(frozen=True)
class Halves:
    """Personas by the two halves of their replies.

    Attributes:
        personas: who speaks.
        odd: the first, third, fifth reply of each, and so on.
        even: the others.
        first: ratings of the odd replies, (personas, 5); NaN where unscored.
        second: ratings of the even ones.
    """

    personas: tuple[Persona, ...]
    odd: tuple[tuple[str, ...], ...]
    even: tuple[tuple[str, ...], ...]
    first: Tensor
    second: Tensor

    def of(self, chosen: Sequence[int]) -> Halves:
        """Some of the personas, in the order given."""
        index = torch.tensor(chosen, dtype=torch.long)
        return Halves(
            tuple(self.personas[i] for i in chosen),
            tuple(self.odd[i] for i in chosen),
            tuple(self.even[i] for i in chosen),
            self.first[index],
            self.second[index],
        )


def rate_halves(
    personas: Sequence[Persona], said: Sequence[Sequence[str]], panel: Panel, kept: Artefacts
) -> Halves:
    """Odd and even replies of each persona, rated by the judge for its language.

    Every second reply, not the first and the last ones: where questions come in an order, both
    halves answer questions from everywhere. A half that is too short for the judge is unscored.

    Args:
        personas: who speaks.
        said: all replies of each.
        panel: instruments by language.
        kept: finished work of the run: the same halves are not rated twice.
    """
    odd = tuple(tuple(replies[::2]) for replies in said)
    even = tuple(tuple(replies[1::2]) for replies in said)
    rated = ratings_tensor(rate([*personas, *personas], [*odd, *even], panel, by_judge, kept))
    return Halves(tuple(personas), odd, even, rated[: len(odd)], rated[len(odd) :])
