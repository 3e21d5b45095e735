"""Whom a reliability study has rated, and assessors that can be asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lightning_dpg.progress import Advance
from lightning_dpg.records import Rating


@dataclass(frozen=True)
class Subject:
    """What is rated at once: some of what one person says.

    Attributes:
        id: unique in a study.
        passages: what the person said, passage by passage.
        poles: the author's intention per trait (-1, 0, 1) in the order of `records.TRAITS`; empty
            when unknown.
        language: two-letter code.
        context: what was said before, for instruments that read it.
        person: who speaks, where several subjects are of one person; `id` when empty. Persons, not
            subjects, are independent of each other.
    """

    id: str
    passages: tuple[str, ...]
    poles: tuple[int, ...] = ()
    language: str = "en"
    context: str = ""
    person: str = ""

    @property
    def speaker(self) -> str:
        """The unit of every interval."""
        return self.person or self.id


@runtime_checkable
class Repeatable(Protocol):
    """An assessor whose answers to the same question may differ, and that can be asked again."""

    def repeated(
        self,
        persons: Sequence[Sequence[str]],
        times: int,
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
    ) -> list[list[Rating]]:
        """Single ratings of each person, each asked for anew, (persons, times).

        Where `rate` puts several answers together, each of these is one of them alone.

        Args:
            persons: what each of them said, passage by passage.
            times: how often each person is rated, at least once.
            contexts: what was said before.
            advance: told how many passages were read; a passage counts each time.
        """
        ...
