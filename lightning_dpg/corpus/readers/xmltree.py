"""XML from strangers: parsed without a network and without what a document type makes it load."""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from lightning_dpg.errors import UserError


def parse(path: Path, root: str, kind: str, entities: bool = False) -> etree._Element:
    """The root element of a file.

    Args:
        path: the file, in the encoding that it declares.
        root: the name that its root element must have, without a namespace.
        kind: what such a file is called, with its article.
        entities: whether to resolve the entities that the file itself defines. A format without
            any does better to refuse them; entities from elsewhere are never resolved.

    Raises:
        UserError: malformed XML, another root element, or an entity that is not resolved.
    """
    parser = etree.XMLParser(
        resolve_entities="internal" if entities else False,  # type: ignore[arg-type]  # newer than its stubs
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        found = etree.fromstring(path.read_bytes(), parser)
    except etree.XMLSyntaxError as error:
        message = re.sub(r", line \d+, column \d+$", "", error.msg or "")
        raise UserError(
            f"{path}, line {error.lineno}: this is not well-formed XML: {message}. "
            f"Mend that line, or leave the file out of the corpus"
        ) from None
    if tag(found) != root:
        raise UserError(
            f"{path} expected {kind} with the root element <{root}>, got <{tag(found)}>"
        )
    for reference in found.iter(etree.Entity):
        raise UserError(
            f"{path}, line {reference.sourceline}: expected plain text, got the entity "
            f"{reference.text}. Write out what it stands for"
        )
    return found


def tag(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""
