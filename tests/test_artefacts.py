"""Finished work is found again, whole, and only where nothing changed that it depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightning_dpg.artefacts import Artefacts
from lightning_dpg.files import write_atomically

GIVEN = ["texts", 1.5, None]


class Maker:
    """Counts how often it is asked, and tells which time it was."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Any:
        self.times += 1
        return {"time": self.times, "pair": (1, 2.5)}

    def array(self) -> Any:
        return np.full((2, 3), self()["time"] / 3)


@pytest.fixture
def kept(tmp_path: Path) -> Artefacts:
    return Artefacts(tmp_path)


def test_what_was_made_is_not_made_again(kept: Artefacts) -> None:
    make = Maker()
    first = kept.get("rated", GIVEN, make)
    assert first == {"time": 1, "pair": [1, 2.5]}  # what JSON makes of it, the first time too
    assert kept.get("rated", GIVEN, make) == first
    assert Artefacts(kept.folder).get("rated", list(GIVEN), make) == first


@pytest.mark.parametrize("other", [("judged", GIVEN), ("rated", [*GIVEN, 2]), ("rated", [])])
def test_another_stage_or_another_input_is_another_artefact(kept: Artefacts, other: Any) -> None:
    make = Maker()
    kept.get("rated", GIVEN, make)
    assert kept.get(*other, make)["time"] == 2


def test_an_array_comes_back_to_the_last_bit(kept: Artefacts) -> None:
    make = Maker()
    first = kept.get_array("readings", GIVEN, make.array)
    again = kept.get_array("readings", GIVEN, make.array)
    assert make.times == 1
    assert again.dtype == np.float64
    assert np.array_equal(first, again) and np.array_equal(again, np.full((2, 3), 1 / 3))


@pytest.mark.parametrize("content", [b"", b"{", b"\x93NUMPY", b"\xff\xfe"])
def test_a_damaged_file_is_made_again(kept: Artefacts, content: bytes) -> None:
    make = Maker()
    kept.get("rated", GIVEN, make)
    kept.get_array("rated", GIVEN, make.array)
    for path in (kept.folder / "rated").iterdir():
        path.write_bytes(content)
    assert kept.get("rated", GIVEN, make)["time"] == 3
    assert kept.get_array("rated", GIVEN, make.array)[0, 0] == 4 / 3


def test_what_failed_for_now_is_tried_again(kept: Artefacts) -> None:
    answers = [["the server failed 6 times: HTTP 500", ""], ["refused: I cannot", ""], ["", ""]]

    def ask() -> list[str]:
        return answers.pop(0)

    asked = [kept.get("rated", GIVEN, ask, list) for _ in range(3)]
    assert asked[0][0].startswith("the server failed")
    assert asked[1] == asked[2] == ["refused: I cannot", ""]


def test_nothing_lies_there_when_making_fails(kept: Artefacts) -> None:
    def fail() -> Any:
        raise KeyboardInterrupt

    for get in (kept.get, kept.get_array):
        with pytest.raises(KeyboardInterrupt):
            get("rated", GIVEN, fail)
    assert not list(kept.folder.rglob("*.*"))


def test_a_file_is_replaced_whole_or_stays(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "new" / "file"
    write_atomically(path, b"old")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"a new content")
    assert path.read_bytes() == b"old"
