"""The Final Draft reader: whole records for a small screenplay, and XML from strangers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_dpg.corpus.readers.finaldraft import FinalDraftReader
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance
from tests.corpus.fuzz import FUZZ, broken, check_survives

Rejects = list[tuple[str, str]]

SCREENPLAY = """\
<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<FinalDraft DocumentType="Script" Template="No" Version="5">
<Content>
<Paragraph Type="Action"><Text>A picture of a mill.</Text></Paragraph>
<Paragraph Number="1" Type="Scene Heading"><SceneProperties Length="1/8" Title=""><Summary>
<Paragraph><Text>A summary that nobody speaks.</Text></Paragraph></Summary></SceneProperties>
<Text>INT. </Text><Text Style="Bold">MILL</Text><Text> - NIGHT</Text></Paragraph>
<Paragraph Type="Character"><Text>ANNA </Text><Text>(V.O.) (CONT'D)</Text></Paragraph>
<Paragraph Type="Parenthetical"><Text>(</Text><Text Style="Italic">whispering</Text>
<Text>)</Text></Paragraph>
<Paragraph Type="Dialogue"><ScriptNote ID="1"><Paragraph><Text>A note.</Text></Paragraph>
</ScriptNote>
<Text>I </Text><Text Style="Italic">ne<!-- cut -->ver</Text><Text> said
  that.</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>(louder)</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>2 * 3 * 4, _Anna_ [[1]] &lt;said&gt; &amp;c.</Text></Paragraph>
<Paragraph Type="Action"><Text></Text></Paragraph>
<Paragraph Type="Dialogue"><Text>Never.</Text></Paragraph>
<Paragraph Type="Shot"><Text>CLOSE ON BEN</Text></Paragraph>
<Paragraph><DualDialogue>
<Paragraph Type="Character"><Text>BEN</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>Ask me.</Text></Paragraph>
<Paragraph Type="Character"><Text>Anna</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>Ask </Text><Text Style="Bold">him</Text><Text>.</Text></Paragraph>
</DualDialogue></Paragraph>
<Paragraph Type="Action"><Text>She turns.</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>Whose line is this?</Text></Paragraph>
<Paragraph Type="Character"><Text>BEN (</Text></Paragraph>
<Paragraph Type="Parenthetical"><Text>(shrugs)</Text></Paragraph>
<Paragraph Type="Character"><Text> </Text></Paragraph>
<Paragraph Type="Transition"><Text>CUT TO:</Text></Paragraph>
<Paragraph Type="Scene Heading"><Text>EXT. YARD - DAY</Text></Paragraph>
<Paragraph Type="Action"><Text>Nobody speaks.</Text></Paragraph>
<Paragraph Type="Scene Heading"><Text>EXT. HILL - DAY</Text></Paragraph>
<Paragraph Type="Character"><Text>ANNA &amp; BEN</Text></Paragraph>
<Paragraph Type="Lyrics"><Text>La la</Text></Paragraph>
<Paragraph Type="Singing"><Text>lo</Text></Paragraph>
</Content>
<TitlePage><HeaderAndFooter><Header><Paragraph><Text>A header.</Text></Paragraph></Header>
</HeaderAndFooter><Content><Paragraph><Text> </Text></Paragraph>
<Paragraph Alignment="Center"><Text>The </Text><Text Style="Underline">Lamp</Text></Paragraph>
<Paragraph Alignment="Center"><Text>by nobody</Text></Paragraph></Content></TitlePage>
</FinalDraft>
"""


def read(tmp_path: Path, text: str | bytes) -> tuple[list[Dialogue], Rejects]:
    path = tmp_path / "lamp.fdx"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    rejects: Rejects = []
    found = FinalDraftReader().read(path, lambda where, why: rejects.append((where, why)))
    return list(found), rejects


def script(*paragraphs: tuple[str, str], before: str = "") -> str:
    """A screenplay of these types and texts."""
    content = "".join(
        f'<Paragraph Type="{kind}"><Text>{text}</Text></Paragraph>' for kind, text in paragraphs
    )
    return f"{before}<FinalDraft><Content>{content}</Content></FinalDraft>"


def test_a_whole_screenplay(tmp_path: Path) -> None:
    dialogues, rejects = read(tmp_path, SCREENPLAY)
    mill = (
        Utterance(
            "anna",
            "ANNA",
            "I never said that. 2 * 3 * 4, _Anna_ [[1]] <said> &c. Never.",
            ("whispering", "louder"),
            "scene 1, speech 1",
        ),
        Utterance("ben", "BEN", "Ask me.", (), "scene 1, speech 2"),
        Utterance("anna", "Anna", "Ask him.", (), "scene 1, speech 3"),
    )
    hill = (
        Utterance("anna-ben", "ANNA & BEN", "La la lo", (), "scene 3, speech 1", collective=True),
    )
    assert dialogues == [
        Dialogue("lamp/001", "The Lamp", "INT. MILL - NIGHT", "en", "lamp.fdx", mill),
        Dialogue("lamp/003", "The Lamp", "EXT. HILL - DAY", "en", "lamp.fdx", hill),
    ]
    assert rejects == [
        ("scene 1, speech 4", "a line without a character above it: Whose line is this?"),
        ("scene 1, speech 5", "the speech of BEN has no text"),
    ]


def test_without_title_page_the_work_is_the_stem(tmp_path: Path) -> None:
    (dialogue,), rejects = read(tmp_path, script(("Character", "ANNA"), ("Dialogue", "Hello.")))
    spoken = (Utterance("anna", "ANNA", "Hello.", (), "scene 1, speech 1"),)
    assert dialogue == Dialogue("lamp/001", "lamp", "", "en", "lamp.fdx", spoken)
    assert rejects == []


@pytest.mark.parametrize("kind", ["Action", "Transition", "Shot", "General", "New Act", "Unheard"])
def test_a_speech_ends_at_anything_else(tmp_path: Path, kind: str) -> None:
    cue, line = ("Character", "ANNA"), ("Dialogue", "One.")
    dialogues, _ = read(tmp_path, script(cue, line, (kind, "A line."), cue, line))
    assert [[spoken.text for spoken in scene.utterances] for scene in dialogues] == [
        ["One.", "One."]
    ]


def test_the_text_of_an_empty_cue_goes_to_nobody(tmp_path: Path) -> None:
    text = script(("Character", "ANNA"), ("Dialogue", "One."), ("Character", ""), ("Dialogue", "2"))
    (dialogue,), rejects = read(tmp_path, text)
    assert [spoken.text for spoken in dialogue.utterances] == ["One."]
    assert rejects == [("scene 1, speech 2", "a line without a character above it: 2")]


def test_a_line_above_all_headings_and_characters_is_not_lost(tmp_path: Path) -> None:
    dialogues, rejects = read(tmp_path, script(("Dialogue", "One."), ("Scene Heading", "INT. X")))
    assert dialogues == []
    assert rejects == [("scene 1, speech 1", "a line without a character above it: One.")]


def test_the_script_of_what_is_said_tells_the_language(tmp_path: Path) -> None:
    text = script(("Action", "A long description."), ("Character", "小满"), ("Dialogue", "停了！"))
    (dialogue,), _ = read(tmp_path, text)
    assert (dialogue.language, dialogue.utterances[0].speaker) == ("zh", "小满")


def test_another_encoding_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = script(("Character", "ÉMILE"), ("Dialogue", "Oui."))
    latin = f'<?xml version="1.0" encoding="ISO-8859-1"?>{text}'.encode("latin-1")
    for encoded in (latin, text.encode("utf-8-sig"), text.encode("utf-16")):
        assert read(tmp_path, encoded)[0][0].utterances[0].speaker == "émile"


def test_malformed_xml_names_file_line_and_cause(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, "<FinalDraft>\n<Content>\n</FinalDraft>")
    assert str(error.value) == (
        f"{tmp_path / 'lamp.fdx'}, line 3: this is not well-formed XML: Opening and ending tag "
        "mismatch: Content line 2 and FinalDraft. Mend that line, or leave the file out of the "
        "corpus"
    )


def test_xml_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, "<html><p>FinalDraft</p></html>")
    assert str(error.value) == (
        f"{tmp_path / 'lamp.fdx'} expected a Final Draft screenplay with the root element "
        "<FinalDraft>, got <html>"
    )


def entity(declarations: str) -> str:
    """A screenplay with a reference to the entity `e`."""
    doctype = f"<!DOCTYPE FinalDraft [{declarations}]>\n"
    return script(("Character", "ANNA"), ("Dialogue", "Yes &e; no"), before=doctype)


@pytest.mark.parametrize("value", ['"or"', 'SYSTEM "{secret}"', 'SYSTEM "http://127.0.0.1:9/e"'])
def test_entities_are_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "secret").write_text("SECRET")
    value = value.format(secret=(tmp_path / "secret").as_uri())
    with pytest.raises(UserError) as error:
        read(tmp_path, entity(f"<!ENTITY e {value}>"))
    assert str(error.value) == (
        f"{tmp_path / 'lamp.fdx'}, line 2: expected plain text, got the entity &e;. "
        "Write out what it stands for"
    )


def test_a_billion_laughs_are_refused(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    text = entity(f'<!ENTITY l0 "ha">{laughs}<!ENTITY e "&l9;">')
    for bomb in (text, text.replace("<Text>", '<Text Style="&e;">')):
        with pytest.raises(UserError, match="entity"):
            read(tmp_path, bomb)


@pytest.mark.parametrize(
    ("name", "accepted"), [("a.fdx", True), ("a.FDX", True), ("a.xml", False), ("a.txt", False)]
)
def test_accepts_by_ending(name: str, accepted: bool) -> None:
    assert FinalDraftReader().accepts(Path(name), SCREENPLAY) is accepted


def any_paragraphs() -> st.SearchStrategy[bytes]:
    """Screenplays of well-formed paragraphs, in any order and with any text."""
    kinds = st.sampled_from(["Scene Heading", "Character", "Parenthetical", "Dialogue", "Action"])
    texts = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="<&"))
    paragraphs = st.lists(st.tuples(kinds, texts | st.sampled_from(["(", ")", "(a) (b"])))
    return paragraphs.map(lambda found: script(*found).encode())


@FUZZ
@given(broken(SCREENPLAY.encode()) | any_paragraphs())
def test_no_broken_screenplay_crashes_the_reader(raw: bytes) -> None:
    check_survives(FinalDraftReader(), "lamp.fdx", {"lamp.fdx": raw})
