"""Reader of plays in TEI, as the DraCor corpora (dracor.org) encode them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.corpus.readers.xmltree import parse, tag
from lightning_dpg.records import Dialogue, Utterance

_XML = "{http://www.w3.org/XML/1998/namespace}"
_DIVISIONS = frozenset(("TEI text front body back div div1 div2 div3 div4 div5 div6 div7").split())
_UNSPOKEN = frozenset(["sp", "speaker", "stage", "note", "fw", "del"])
_BLOCKS = frozenset(["p", "l", "lg", "ab", "lb", "pb", "cb", "sp"])
_BRACKETED = re.compile(r"[\[(]\s*([^\[\]()]*?)\s*[\])][.,]?")
_TWO_LETTERS = dict(
    pair.split(":")
    for pair in (
        "eng:en ger:de deu:de fre:fr fra:fr spa:es ita:it por:pt rus:ru ukr:uk pol:pl cze:cs "
        "ces:cs hun:hu dut:nl nld:nl swe:sv dan:da nor:no gre:el ell:el lat:la tat:tt bak:ba "
        "yid:yi heb:he hbo:he zho:zh chi:zh jpn:ja rum:ro ron:ro cat:ca baq:eu eus:eu fin:fi"
    ).split()
)


class TeiReader(Reader):
    """Reads plays: a dialogue is the innermost division that holds speeches.

    Every `<sp>` becomes one utterance or one rejection. A position reads `line N`.
    """

    name = "tei"
    endings: tuple[str, ...] = (".xml", ".tei")

    def accepts(self, path: Path, head: str) -> bool:
        """Whether an XML file opens with a `TEI` element."""
        return path.suffix.lower() in self.endings and bool(re.search(r"<(\w+:)?TEI[\s>]", head))

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The divisions that hold a speech, in the order of their first one.

        Raises:
            UserError: malformed XML, or an XML file that is not TEI.
        """
        root = parse(path, "TEI", "a TEI document", entities=True)
        work = _title(root) or path.stem
        language = _language(root)
        cast = _cast(root)
        for number, (division, speeches) in enumerate(_divisions(root), start=1):
            found = (_utterance(speech, cast, reject) for speech in speeches)
            utterances = tuple(utterance for utterance in found if utterance)
            if utterances:
                scene = _heading(division)
                yield Dialogue(
                    f"{path.stem}/{number:03}", work, scene, language, path.name, utterances
                )


@dataclass(frozen=True)
class _Person:
    """Somebody whom the header declares."""

    name: str
    group: bool


def _title(root: etree._Element) -> str:
    titles = root.findall("{*}teiHeader/{*}fileDesc/{*}titleStmt/{*}title")
    # A subtitle may stand first, and the same title follow in other languages.
    titles.sort(key=lambda title: {"main": 0, None: 1}.get(title.get("type"), 2))
    return next(filter(None, map(_spoken, titles)), "")


def _language(root: etree._Element) -> str:
    """The two-letter code where there is one; `und`, for undetermined, where none is given."""
    code = root.get(f"{_XML}lang", "").lower().split("-")[0]
    return _TWO_LETTERS.get(code, code) or "und"


def _cast(root: etree._Element) -> dict[str, _Person]:
    """Whom the header declares, by `@xml:id`."""
    cast = {}
    for person in root.iter("{*}person", "{*}personGrp"):
        names = person.iter("{*}persName", "{*}name")
        name = next(filter(None, map(_name, names)), "")
        cast[person.get(f"{_XML}id", "")] = _Person(name, tag(person) == "personGrp")
    return cast


def _divisions(root: etree._Element) -> list[tuple[etree._Element, list[etree._Element]]]:
    """Each division with the speeches that have no other division in between."""
    speeches: dict[etree._Element, list[etree._Element]] = {}
    for speech in root.iter("{*}sp"):
        division = next(above for above in speech.iterancestors() if tag(above) in _DIVISIONS)
        speeches.setdefault(division, []).append(speech)
    return list(speeches.items())


def _heading(division: etree._Element) -> str:
    """The headings from the outermost division to this one, joined by ` / `."""
    path = [*reversed(list(division.iterancestors())), division]
    heads = [_spoken(head) for above in path for head in above.findall("{*}head")]
    return " / ".join(filter(None, heads))


def _utterance(
    speech: etree._Element, cast: dict[str, _Person], reject: Reject
) -> Utterance | None:
    position = f"line {speech.sourceline}"
    label = _label(speech)
    ids = [reference.rpartition("#")[2] for reference in speech.get("who", "").split()]
    if not ids and not label:
        reject(position, "a speech with neither @who nor <speaker>")
        return None
    # A label stands for one speaker only: of several, those not declared keep their identifiers.
    fallback = label if len(ids) < 2 else ""
    declared = [cast.get(id) or _Person("", group=False) for id in ids]
    name = " & ".join(
        person.name or fallback or id for person, id in zip(declared, ids, strict=True)
    )
    name = name or label
    text = _spoken(speech)
    if not text:
        reject(position, f"the speech of {name} has no text")
        return None
    return Utterance(
        speaker="+".join(map(slug, ids or [label])),
        name=name,
        text=text,
        directions=tuple(_directions(speech)),
        position=position,
        collective=len(ids) > 1 or is_collective(name) or any(who.group for who in declared),
    )


def _label(speech: etree._Element) -> str:
    """The text of `<speaker>`."""
    label = speech.find("{*}speaker")
    return "" if label is None else _name(label)


def _name(element: etree._Element) -> str:
    """A name, without the full stop or colon that print sets after it."""
    return _spoken(element).rstrip(" .:,;—-")


def _directions(speech: etree._Element) -> Iterator[str]:
    """The stage directions of a speech, those of a nested speech left out, brackets dropped."""
    for stage in speech.iter("{*}stage"):
        if next(stage.iterancestors("{*}sp")) is speech:
            text = _spoken(stage)
            bare = _BRACKETED.fullmatch(text)
            if text:
                yield bare[1] if bare else text


def _spoken(element: etree._Element) -> str:
    """The text of an element on one line, without what nobody speaks in it."""
    return " ".join("".join(_pieces(element)).split())


def _pieces(element: etree._Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        tail = child.tail or ""
        # Between words a direction leaves a space, before a full stop it leaves none.
        parts = tag(child) in _BLOCKS or (tag(child) == "stage" and tail[:1].isalnum())
        gap = " " if parts else ""
        yield gap
        if tag(child) not in _UNSPOKEN and not _superseded(child):
            yield from _pieces(child)
        yield gap + tail


def _superseded(element: etree._Element) -> bool:
    """Whether a `<choice>` offers something better, such as the correction of a misprint."""
    alternatives = {"sic": "{*}corr", "orig": "{*}reg", "abbr": "{*}expan"}
    better = alternatives.get(tag(element))
    parent = element.getparent()
    return (
        better is not None
        and parent is not None
        and tag(parent) == "choice"
        and parent.find(better) is not None
    )
