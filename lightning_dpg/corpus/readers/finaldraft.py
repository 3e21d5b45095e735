"""Reader of Final Draft screenplays (.fdx)."""

# The library screenplay-tools has a parser for these files, which is of no use here: it takes the
# first run of a paragraph and loses the styled ones, loses dual dialogue and the title page, ends
# a scene at a shot and a speech at a lyric, and leaves ANNA (V.O.) of ANNA (V.O.) (CONT'D). All
# mended, what is left for it is the table below. It gives the types of elements only.

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lxml import etree
from screenplay_tools.screenplay import ElementType

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.languages import by_script
from lightning_dpg.corpus.readers.screenplay import Piece, dialogues
from lightning_dpg.corpus.readers.xmltree import parse
from lightning_dpg.records import Dialogue

_KINDS = {
    "Scene Heading": ElementType.HEADING,
    "Character": ElementType.CHARACTER,
    "Parenthetical": ElementType.PARENTHETICAL,
    "Dialogue": ElementType.DIALOGUE,
    "Singing": ElementType.LYRIC,
    "Lyrics": ElementType.LYRIC,
}
"""What matters to a dialogue; all else (transitions, shots, acts) is action, which nobody says."""

_EXTENSION = re.compile(r"\([^()]*\)?")


class FinalDraftReader(Reader):
    """Reads screenplays: a dialogue is a scene, a speech is a cue with all that follows it.

    Of a dual dialogue the left column goes before the right one. The files do not name their
    language: it is told by the script of what is said.
    """

    name = "finaldraft"
    endings: tuple[str, ...] = (".fdx",)
    by_name = True

    def accepts(self, path: Path, head: str) -> bool:
        """Whether the name of the file ends as Final Draft files do."""
        return path.suffix.lower() in self.endings

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The scenes that hold a speech.

        Raises:
            UserError: malformed XML, an XML file that is no screenplay, or one with entities.
        """
        root = parse(path, "FinalDraft", "a Final Draft screenplay")
        title = map(_text, root.iterfind("TitlePage/Content/Paragraph"))
        work = next(filter(None, title), path.stem)
        pieces = list(_pieces(_paragraphs(root)))
        said = "".join(text for kind, text in pieces if kind is ElementType.DIALOGUE)
        yield from dialogues(pieces, path, work, by_script(said), reject)


def _paragraphs(root: etree._Element) -> Iterator[etree._Element]:
    """The paragraphs of the script; those of notes and summaries lie deeper and stay out."""
    for paragraph in root.iterfind("Content/Paragraph"):
        dual = paragraph.find("DualDialogue")
        if dual is None:
            yield paragraph
        else:
            yield from dual.iterfind("Paragraph")


def _pieces(paragraphs: Iterable[etree._Element]) -> Iterator[Piece]:
    for paragraph in paragraphs:
        kind = _KINDS.get(paragraph.get("Type", ""), ElementType.ACTION)
        text = _text(paragraph)
        if kind is ElementType.CHARACTER:
            yield kind, " ".join(_EXTENSION.sub(" ", text).split())
        elif kind is ElementType.PARENTHETICAL:
            yield kind, text.removeprefix("(").removesuffix(")").strip()
        elif text:
            yield kind, text


def _text(paragraph: etree._Element) -> str:
    """The text of a paragraph on one line: every change of style begins a new `<Text>`."""
    runs = paragraph.iterfind("Text")
    return " ".join("".join(str(text) for run in runs for text in run.itertext()).split())
