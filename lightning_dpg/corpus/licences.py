"""Under which licence a text stands, as far as its file says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lxml import etree

from lightning_dpg.config import Columns
from lightning_dpg.corpus.card import NOT_STATED, OWN
from lightning_dpg.corpus.sources import DATASETS, is_bundled, source_files


def read_licences(sources: Sequence[str], columns: Columns) -> dict[str, str]:
    """The licence of each file by its name; `NOT_STATED` where it says nothing.

    TEI states it in the header (`availability/licence`); other formats have no place for it.

    Args:
        sources: as `read_sources` takes them.
        columns: of tables.
    """
    found = {}
    for given in sources:
        if given.startswith(DATASETS):
            found[given.removeprefix(DATASETS)] = NOT_STATED
            continue
        bundled = is_bundled(given)
        for source in source_files([given], columns):
            tei = source.reader.name == "tei"
            stated = OWN if bundled else _header(source.path) if tei else ""
            found[source.name] = stated or NOT_STATED
    return found


def _header(path: Path) -> str:
    """What the header of a TEI document says, with the address that it points to."""
    options = {"resolve_entities": False, "load_dtd": False, "no_network": True, "recover": True}
    try:
        for _, element in etree.iterparse(str(path), tag="{*}teiHeader", **options):
            licences = element.iterfind(".//{*}availability/{*}licence")
            return "; ".join(filter(None, map(_licence, licences)))
    except etree.XMLSyntaxError:
        return ""  # its reader has said so already
    return ""


def _licence(element: etree._Element) -> str:
    text = " ".join("".join(str(part) for part in element.itertext()).split())
    target = element.get("target", "")
    return f"{text} ({target})" if text and target else text or target
