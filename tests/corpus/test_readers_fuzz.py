"""No file crashes or hangs the readers whose own tests do not say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_dpg.corpus.readers.registry import FORMATS
from tests.corpus.fuzz import FUZZ, broken, check_survives

VALID = {
    "fountain": (
        "a.fountain",
        "Title: The Lamp\n\nINT. ROOM\n\nANNA (V.O.)\n(softly)\nWho *put* it out? [[a note]]\n\n"
        "@Ben ^\nI did. /* not\nthis */\n~And a song\n\nEXT. QUAY\n\nALL\nCast off!\n",
    ),
    "tei": (
        "a.xml",
        '<?xml version="1.0"?><TEI xml:lang="en"><teiHeader><title>The Lamp</title></teiHeader>'
        '<text><body><div type="scene"><head>I</head><sp who="#anna #ben"><speaker>Both</speaker>'
        '<l part="I">Who <stage>softly</stage> put</l><p>it out?<note>a note</note></p>'
        '<sp who="#x"><p>Nested.</p></sp></sp><sp><p>Nobody.</p></sp></div></body></text></TEI>',
    ),
    "transcript": (
        "a.txt",
        "《灯》\n【屋里】\n甲：（轻声）谁把灯吹灭了？\n乙：是我。\n\nANNA: Who put it out?\n"
        "(A door.)\nBEN: I did,\n  and I am sorry.\nCHARLIE.\nSo am I.\n",
    ),
    "table": (
        "a.csv",
        'work,scene,speaker,text,listener\nThe Lamp,1,Anna,"Who put\nit out?",Ben\n,,Ben,I did.,\n',
    ),
}


@pytest.mark.parametrize("format", VALID)
@FUZZ
@given(data=st.data())
def test_no_file_crashes_it(format: str, data: st.DataObject) -> None:
    name, text = VALID[format]
    check_survives(FORMATS[format], name, {name: data.draw(broken(text.encode()))})
