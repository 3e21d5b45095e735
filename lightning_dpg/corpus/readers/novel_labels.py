"""Reader of Chinese novels for which people have labelled who speaks each quotation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.novels import Heading, Quotation, gather, literal
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.errors import UserError
from lightning_dpg.records import Dialogue, Utterance

_LABELS = re.compile(r"_speaker_labels$", re.IGNORECASE)

_NARRATION = 200
"""Narration that parts dialogues: nine gaps in ten are shorter than 120 characters, and in what is
longer than 200 the story has nearly always gone on to another day or another room."""

_TITLE = re.compile(r"\s*《([^》\n]+)》")
_HEADING = re.compile(
    r"^[ \t\u3000]*(第[〇零一二三四五六七八九十百\d]+[回章](?:[ \t\u3000].*)?)$", re.M
)
_MARKS = re.compile(r"[“”\"]")
_INNER = re.compile(r"`([^`-]*)-")
"""What conversions of old texts have made of single quotation marks."""

_UNNAMED = "?"
_ANYBODY = re.compile(
    r"(有|那|有一|一|三)?[人个客]|有的|一个.+|(那些|几个|两三个|许多).+|.+等|.+[，与].+|诸人"
)
"""Passers-by and people together, as narration calls them: `一个丫头`, `贾政与众人`."""


class NovelLabelsReader(Reader):
    """Reads a list of labels, `NAME_speaker_labels.txt`, and the novel `NAME.txt` beside it.

    A line is a Python dict: `context` is the narration that ends where a quotation begins,
    `speaker` the name that narration gives, or None. A dialogue is a run of quotations in one
    chapter with little narration between them. A position reads `line N`, of the labels.
    """

    name = "novel-labels"
    endings: tuple[str, ...] = ("_speaker_labels.txt",)

    def accepts(self, path: Path, head: str) -> bool:
        """Whether a file has the name of a list of labels and opens with one."""
        return path.name.lower().endswith(self.endings) and "'context':" in head.partition("\n")[0]

    def companions(self, path: Path) -> tuple[Path, ...]:
        """The novel beside a list of labels, which is read with it: no work of its own."""
        return (path.with_stem(_LABELS.sub("", path.stem) or path.stem),)

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """The runs of labelled quotations, in the order of the novel.

        Raises:
            UserError: the novel is missing.
        """
        (novel,) = self.companions(path)
        if not novel.is_file():
            raise UserError(f"{path} expected its novel beside it, as {novel.name}. Add that file")
        text = novel.read_text(encoding="utf-8-sig")
        title = _TITLE.match(text)
        labels = _labels(path.read_text(encoding="utf-8-sig").split("\n"), reject)
        quotations = _quotations(list(_placed(labels, text, reject)), text, reject)
        found = gather(quotations, list(_headings(text)), _NARRATION)
        for number, (heading, utterances) in enumerate(found, start=1):
            yield Dialogue(
                id=f"{novel.stem}/{number:03}",
                work=title[1].strip() if title else novel.stem,
                scene=heading,
                language="zh",
                source=path.name,
                utterances=utterances,
            )


@dataclass(frozen=True)
class _Label:
    """A line of the list; the name is empty where nobody is named."""

    line: int
    context: str
    name: str


@dataclass(frozen=True)
class _Place:
    """A label with where its context begins in the novel, and where its quotation does."""

    label: _Label
    start: int
    quotation: int


def _labels(lines: Iterable[str], reject: Reject) -> Iterator[_Label]:
    """The labels; of several for one quotation the last, which its annotator left standing."""
    by_id: dict[object, _Label] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            label, id = _label(number, line)
        except ValueError:
            reject(f"line {number}", f"expected a dict with context and speaker: {line[:40]}")
            continue
        if earlier := by_id.get(id):
            reject(f"line {earlier.line}", f"labelled again on line {number}")
        by_id[id] = label
    for label in by_id.values():
        if label.context:
            yield label
        else:
            reject(f"line {label.line}", "a label without a context, by which it would be found")


def _label(number: int, line: str) -> tuple[_Label, object]:
    """A label and the identifier of what it labels, if it has one.

    Raises:
        ValueError: this is no label.
    """
    match record := literal(line):
        case {"context": str(context), "speaker": str() | None as name}:
            id = record.get("uid")
            label = _Label(number, context.strip(), "".join((name or "").split()))
            label.name.encode()  # an escape may stand for half a character: a ValueError, too
            return label, id if isinstance(id, int) else f"line {number}"
    raise ValueError(line)


def _placed(labels: Iterable[_Label], novel: str, reject: Reject) -> Iterator[_Place]:
    """The labels whose context is found, each behind the one before: many contexts are alike."""
    end = 0
    for label in labels:
        start = _find(label.context, novel, end)
        if start is None:
            reject(
                f"line {label.line}",
                f"no quotation follows this in what is left of the novel: {label.context[-20:]}",
            )
        else:
            end = start + len(label.context)
            yield _Place(label, start, end)


def _find(context: str, novel: str, begin: int) -> int | None:
    """Where a context stands between two quotations, or between a paragraph's begin and one."""
    start = novel.find(context, begin)
    while start >= 0:
        opens = novel.startswith(("“", '"'), start + len(context))
        if opens and (start == 0 or novel[start - 1] in '”"' or novel[start - 1].isspace()):
            return start
        start = novel.find(context, start + 1)
    return None


def _quotations(places: list[_Place], novel: str, reject: Reject) -> Iterator[Quotation]:
    """The quotations that can be told from the narration behind them."""
    end = _Place(_Label(0, "", ""), len(novel), len(novel))
    for place, following in pairwise([*places, end]):
        position, name = f"line {place.label.line}", place.label.name
        closed = _closed(novel[place.quotation : following.start])
        text = _plain(novel[place.quotation + 1 : place.quotation + closed - 1])
        if not closed:
            reject(position, "its quotation does not end, or another opens inside it")
        elif not text:
            reject(position, "its quotation has no text")
        elif not name and text[-1].isalnum():
            reject(
                position, f"no name and no mark at its end, so not speech but writing: {text[:40]}"
            )
        else:
            yield Quotation(
                place.quotation, place.quotation + closed, _utterance(name, text, position)
            )


def _utterance(name: str, text: str, position: str) -> Utterance:
    name = name or _UNNAMED
    collective = is_collective(name) or _ANYBODY.fullmatch(name) is not None
    return Utterance(slug(name), name, text, position=position, collective=collective)


def _closed(text: str) -> int:
    """Where the quotation ends that opens a text, in its paragraph; 0 if it does not.

    Straight marks close what curly ones have opened; quotations inside are counted.
    """
    depth = 0
    for mark in _MARKS.finditer(text.partition("\n")[0]):
        depth += 1 if mark[0] == "“" or mark.start() == 0 else -1
        if depth == 0:
            return mark.end()
    return 0


def _plain(text: str) -> str:
    """One line of text with today's punctuation."""
    return _INNER.sub(r"‘\1’", " ".join(text.split())).replace("．", "。")


def _headings(novel: str) -> Iterator[Heading]:
    for found in _HEADING.finditer(novel):
        yield found.start(), " ".join(found[1].split())
