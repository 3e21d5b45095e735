"""The TEI reader: whole records for a small play that holds every trap of the DraCor corpora."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_dpg.corpus.readers.tei import TeiReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance

Rejects = list[tuple[str, str]]

PLAY = """\
<?xml version="1.0" encoding="UTF-8"?>
<TEI xmlns="http://www.tei-c.org/ns/1.0" xml:lang="eng">
<teiHeader><fileDesc><titleStmt>
<title type="sub">A farce</title><title type="main">The
  Lamp</title></titleStmt></fileDesc>
<profileDesc><particDesc><listPerson>
<person xml:id="anna"><persName>Anna<note>a widow</note></persName><persName>Ann</persName></person>
<person xml:id="Ben_2"><persName>Ben.</persName></person>
<personGrp xml:id="guests"><name>Guests of Anna</name></personGrp>
</listPerson></particDesc></profileDesc></teiHeader>
<text><front><div type="prologue"><sp who="#anna"><l>Be kind,</l><l>be still.</l></sp></div></front>
<body>
<sp who="#guests"><p>Outside of all.</p></sp>
<div type="act"><head>ACT I.</head>
<stage>A room.</stage>
<sp who="#anna"><speaker>ANNA. <stage>(aside)</stage></speaker>
<p>I<note>Anna</note> went <stage>[ sits ]</stage> home,
<hi>so</hi><stage>She cries (a <note>sic</note>little).</stage>fast.</p></sp>
<sp who="#Ben_2"><speaker>WIDOWER:</speaker><p>A <choice><sic>hose</sic><corr>house</corr></choice>.
</p></sp>
<sp who="#anna #Ben_2 #extra"><speaker>BOTH.</speaker><p>We are.</p></sp>
<sp who="#ghost"><speaker>The Ghost.</speaker><p>Boo.</p></sp>
<sp who="#mute"><p>Hm.</p></sp>
<div><head>SONG<note>lost</note></head>
<sp><speaker>Old Man :</speaker><p>Hello.</p></sp>
<sp><speaker>ALL</speaker><p>Hello!</p></sp>
<sp><p>Who am I?</p></sp>
<sp who="#anna"><p><stage>(nods)</stage></p></sp>
<sp who="#anna"><speaker>ANNA</speaker><p>Listen:</p>
<lg><sp who="#Ben_2"><stage>(sings).</stage><l>La la</l></sp></lg><p>Nice.</p></sp>
</div>
<sp who="#guests"><speaker>GUESTS</speaker><p>Good night.</p></sp>
</div>
<p>No speech.</p>
</body></text></TEI>
"""


def read(tmp_path: Path, text: str) -> tuple[list[Dialogue], Rejects]:
    path = tmp_path / "lamp.xml"
    path.write_text(text, encoding="utf-8")
    rejects: Rejects = []
    found = TeiReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def test_a_whole_play(tmp_path: Path) -> None:
    dialogues, rejects = read(tmp_path, PLAY)
    act = (
        Utterance(
            "anna",
            "Anna",
            "I went home, so fast.",
            ("aside", "sits", "She cries (a little)."),
            "line 16",
        ),
        Utterance("ben-2", "Ben", "A house.", (), "line 19"),
        Utterance(
            "anna+ben-2+extra", "Anna & Ben & extra", "We are.", (), "line 21", collective=True
        ),
        Utterance("ghost", "The Ghost", "Boo.", (), "line 22"),
        Utterance("mute", "mute", "Hm.", (), "line 23"),
        Utterance("guests", "Guests of Anna", "Good night.", (), "line 32", collective=True),
    )
    song = (
        Utterance("old-man", "Old Man", "Hello.", (), "line 25"),
        Utterance("all", "ALL", "Hello!", (), "line 26", collective=True),
        Utterance("anna", "Anna", "Listen: Nice.", (), "line 29"),
        Utterance("ben-2", "Ben", "La la", ("sings",), "line 30"),
    )
    prologue = (Utterance("anna", "Anna", "Be kind, be still.", (), "line 11"),)
    outside = (
        Utterance("guests", "Guests of Anna", "Outside of all.", (), "line 13", collective=True),
    )
    assert dialogues == [
        Dialogue("lamp/001", "The Lamp", "", "en", "lamp.xml", prologue),
        Dialogue("lamp/002", "The Lamp", "", "en", "lamp.xml", outside),
        Dialogue("lamp/003", "The Lamp", "ACT I.", "en", "lamp.xml", act),
        Dialogue("lamp/004", "The Lamp", "ACT I. / SONG", "en", "lamp.xml", song),
    ]
    assert rejects == [
        ("line 27", "a speech with neither @who nor <speaker>"),
        ("line 28", "the speech of Anna has no text"),
    ]


def test_a_bare_play_without_namespace_language_and_title(tmp_path: Path) -> None:
    (dialogue,), _ = read(
        tmp_path, '<TEI><text><body><sp who="x.xml#a"><p>Yes</p></sp></body></text></TEI>'
    )
    spoken = (Utterance("a", "a", "Yes", (), "line 1"),)
    assert dialogue == Dialogue("lamp/001", "lamp", "", "und", "lamp.xml", spoken)


@pytest.mark.parametrize(
    ("given", "code"), [("rus", "ru"), ("de", "de"), ("en-US", "en"), ("ger", "de"), ("gsw", "gsw")]
)
def test_languages(tmp_path: Path, given: str, code: str) -> None:
    dialogues, _ = read(tmp_path, PLAY.replace('"eng"', f'"{given}"'))
    assert {dialogue.language for dialogue in dialogues} == {code}


def test_malformed_xml_names_file_line_and_cause(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, "<TEI>\n<text>\n</TEI>")
    assert str(error.value) == (
        f"{tmp_path / 'lamp.xml'}, line 3: this is not well-formed XML: Opening and ending tag "
        "mismatch: text line 2 and TEI. Mend that line, or leave the file out of the corpus"
    )


def test_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"lamp\.xml, line 1: this .*: Document is empty\. Mend"):
        read(tmp_path, "")


def test_xml_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, "<html><p>TEI</p></html>")
    assert str(error.value) == (
        f"{tmp_path / 'lamp.xml'} expected a TEI document with the root element <TEI>, got <html>"
    )


ENTITY = (
    "<!DOCTYPE TEI [{declaration}]>"
    '<TEI><text><body><sp who="#a"><p>Yes &e; no</p></sp></body></text></TEI>'
)


def test_entities_of_the_file_itself_are_resolved(tmp_path: Path) -> None:
    (dialogue,), _ = read(tmp_path, ENTITY.format(declaration='<!ENTITY e "or">'))
    assert dialogue.utterances[0].text == "Yes or no"


@pytest.mark.parametrize("system", ["secret", "http://127.0.0.1:9/secret"])
def test_external_entities_are_refused(tmp_path: Path, system: str) -> None:
    (tmp_path / "secret").write_text("SECRET")
    if system == "secret":
        system = (tmp_path / "secret").as_uri()
    with pytest.raises(UserError, match="line 1: this is not well-formed XML: Entity 'e' not def"):
        read(tmp_path, ENTITY.format(declaration=f'<!ENTITY e SYSTEM "{system}">'))


def test_a_dtd_is_not_fetched(tmp_path: Path) -> None:
    doctype = '<!DOCTYPE TEI SYSTEM "http://127.0.0.1:9/tei.dtd">'
    text = '<TEI><text><body><sp who="#a"><p>Yes</p></sp></body></text></TEI>'
    assert len(read(tmp_path, doctype + text)[0]) == 1


@pytest.mark.parametrize(
    ("name", "head", "accepted"),
    [
        ("a.xml", PLAY, True),
        ("a.tei", PLAY, True),
        ("a.xml", "<html>", False),
        ("a.xml", "<TEIcorpus>", False),
        ("a.txt", PLAY, False),
    ],
)
def test_accepts(name: str, head: str, accepted: bool) -> None:
    assert TeiReader().accepts(Path(name), head) is accepted
