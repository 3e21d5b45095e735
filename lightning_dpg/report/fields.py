"""Typed look-ups in a JSON object, whose errors name the file and the place in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS


def broken(file: Path, problem: str) -> UserError:
    """The error for a file that an evaluation cannot have written like this."""
    return UserError(
        f"{file} is broken: {problem}. Delete it and run the same `make train` or `dpg evaluate` "
        "again: what is done is kept"
    )


@dataclass(frozen=True)
class Fields:
    """The members of one JSON object.

    An absent or null member is "nothing known" to `child`, `children`, `entries`, `number`, `rows`
    and `scores`; a member of the wrong type is an error everywhere.

    Attributes:
        path: the file, for messages.
        place: where in the file, such as `arms.dpg`; empty at the top.
    """

    path: Path
    place: str
    values: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path, place: str, value: object) -> Fields:
        """Wrap `value`, which has to be an object; None stands for an empty one."""
        if value is None:
            return cls(path, place, {})
        if not isinstance(value, dict):
            raise broken(path, f"{place or 'the file'} expected an object, got {_brief(value)}")
        return cls(path, place, value)

    def wrong(self, key: str, expected: str, value: object) -> UserError:
        """The error for a member that is not what it should be."""
        return broken(self.path, f"`{self._at(key)}` expected {expected}, got {_brief(value)}")

    def child(self, key: str) -> Fields:
        """The object under `key`."""
        return Fields.of(self.path, self._at(key), self.values.get(key))

    def children(self, key: str) -> dict[str, Fields]:
        """The objects inside the object under `key`, by name, in the order of the file."""
        child = self.child(key)
        return {name: child.child(name) for name in child.values}

    def entries(self, key: str) -> list[Fields]:
        """The objects in the list under `key`."""
        place = self._at(key)
        items = enumerate(self._list(key))
        return [Fields.of(self.path, f"{place}[{index}]", item) for index, item in items]

    def strings(self, key: str) -> tuple[str, ...]:
        """The list of strings under `key`."""
        items = self._list(key)
        for item in items:
            if not isinstance(item, str):
                raise self.wrong(key, "strings", item)
        return tuple(items)

    def text(self, key: str, default: str | None = None) -> str:
        """The string under `key`; without a default it has to be there."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "a string", value)
        return value

    def number(self, key: str) -> float | None:
        """The finite number under `key`; None where it is absent, null or NaN."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "a number or null", value)
        return float(value) if math.isfinite(value) else None

    def numbers(self, key: str) -> tuple[float | None, ...]:
        """The numbers in the list under `key`; None where an entry is null or not finite."""
        items = {str(i): item for i, item in enumerate(self._list(key))}
        entries = Fields(self.path, self._at(key), items)
        return tuple(entries.number(place) for place in items)

    def rows(self, key: str) -> tuple[tuple[float | None, ...], ...]:
        """The lists of numbers in the list under `key`; None as in `numbers`."""
        items = {str(i): item for i, item in enumerate(self._list(key))}
        entries = Fields(self.path, self._at(key), items)
        return tuple(entries.numbers(place) for place in items)

    def scores(self, key: str) -> tuple[float, ...] | None:
        """One finite number per trait under `key`; None where it is absent or null."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != len(TRAITS):
            raise self.wrong(key, f"{len(TRAITS)} numbers", value)
        for score in value:
            number = isinstance(score, int | float) and not isinstance(score, bool)
            if not number or not math.isfinite(score):
                raise self.wrong(key, f"{len(TRAITS)} finite numbers", value)
        return tuple(float(score) for score in value)

    def _list(self, key: str) -> list[Any]:
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, "a list", value)
        return value

    def _at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
