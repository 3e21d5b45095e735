"""What the readers of annotated novels share: quotations gathered into dialogues, and literals."""

from __future__ import annotations

import ast
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lightning_dpg.records import Utterance

Heading = tuple[int, str]
"""Where a chapter begins in the text of the novel, and what stands above it."""


@dataclass(frozen=True)
class Quotation:
    """An utterance, with where it begins and ends in the text of the novel."""

    start: int
    end: int
    utterance: Utterance


def gather(
    quotations: Iterable[Quotation], headings: Sequence[Heading], narration: int
) -> Iterator[tuple[str, tuple[Utterance, ...]]]:
    """The dialogues, each with the heading of its chapter: a novel does not mark its scenes.

    Args:
        quotations: in the order of the text.
        headings: of the chapters, in order; no dialogue reaches from one into the next.
        narration: how many characters between two quotations part them.
    """
    starts = [start for start, _ in headings]
    names = ["", *(name for _, name in headings)]
    run: list[Utterance] = []
    chapter = end = 0
    for quotation in quotations:
        entered = bisect(starts, quotation.start)
        if run and (entered != chapter or quotation.start - end >= narration):
            yield names[chapter], tuple(run)
            run = []
        run.append(quotation.utterance)
        # One quotation may go on behind another, which interrupts it.
        chapter, end = entered, max(end, quotation.end)
    if run:
        yield names[chapter], tuple(run)


def literal(text: str) -> Any:
    """The value of a Python literal: annotators often print their lists and records so.

    Raises:
        ValueError: this is no literal, or one that nests too deeply.
    """
    try:
        return ast.literal_eval(text.strip())
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(str(error)) from None
