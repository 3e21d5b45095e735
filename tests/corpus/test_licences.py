"""Licences are stated by the text or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_dpg.config import Columns
from lightning_dpg.corpus.licences import read_licences

TEI = """\
<?xml version="1.0"?>
<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc><publicationStmt>
{}
</publicationStmt></fileDesc></teiHeader>
<text><body><div><sp who="#a"><speaker>A</speaker><p>Hello &amp; <availability><licence>no
</licence></availability></p></sp></div></body></text></TEI>
"""
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            f'<availability>\n<licence target="{CC0}">CC0\n 1.0</licence></availability>',
            f"CC0 1.0 ({CC0})",
        ),
        (f'<availability><licence target="{CC0}"/></availability>', CC0),
        ("<availability><licence>Free.</licence><licence>BY</licence></availability>", "Free.; BY"),
        ("<availability><p>Ask us.</p></availability>", "not stated"),
        ("<p><licence>of something else</licence></p>", "not stated"),
    ],
)
def test_tei_states_it_in_its_header(tmp_path: Path, header: str, expected: str) -> None:
    path = tmp_path / "play.xml"
    path.write_text(TEI.format(header), encoding="utf-8")
    assert read_licences([str(path)], Columns()) == {"play.xml": expected}


def test_the_bundled_texts_are_the_projects_and_others_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "ferry.txt"
    path.parent.mkdir()
    path.write_text("ANNA: You are late.\nBEN: I was counting the ropes.\n")
    found = read_licences(["bundled", str(tmp_path)], Columns())
    assert found["night_shift.txt"] == "Apache-2.0"
    assert found.pop("inner/ferry.txt") == "not stated"
    assert len(found) == 8 and set(found.values()) == {"Apache-2.0"}
    assert read_licences(["datasets:some/where"], Columns()) == {"some/where": "not stated"}
