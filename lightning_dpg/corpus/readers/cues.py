"""Cues and lines of subtitles: SubRip through the library pysubs2, WebVTT through webvtt-py."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pysubs2 import SSAFile
from webvtt import WebVTT

from lightning_dpg.corpus.readers import Reject
from lightning_dpg.errors import UserError

BRACKETS = r"\([^()]*\)|\[[^\[\]]*\]|（[^（）]*）|【[^【】]*】"

_TIME = r"(?:(\d{1,2}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?!\d)")
_BACKWARDS = "0:00:01.000 --> 0:00:00.000"
_LONGEST = 4000
"""Characters of a cue. More is no subtitle, and Python refuses entities with as many digits."""

_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s([^<>]*)>|</v>")
_MARKUP = re.compile(r"<[^<>]*>|\{[^{}]*\}")
_ASIDE = re.compile(BRACKETS)
_DASH = re.compile(r"^(?:[-‐‑–—―]+(?!\d)|>{2,}) ?")


@dataclass(frozen=True)
class Cue:
    """What stands on the screen at one time.

    Attributes:
        number: its place in the file, from 1, broken cues included.
        start: in milliseconds.
        end: in milliseconds.
        text: with its markup.
    """

    number: int
    start: int
    end: int
    text: str

    @property
    def position(self) -> str:
        """`cue 12, 00:01:05`."""
        minutes, seconds = divmod(self.start // 1000, 60)
        return f"cue {self.number}, {minutes // 60:02}:{minutes % 60:02}:{seconds:02}"

    def lines(self) -> Iterator[Line]:
        """Its lines; a new one begins where a voice does, and none ends within brackets."""
        voice = ""
        for place, part in enumerate(_VOICE.split(self.text)):
            if place % 2:
                voice = " ".join(plain(part or "").split())
                continue
            text = _ASIDE.sub(lambda aside: aside[0].replace("\n", " "), plain(part))
            lines = [" ".join(line.split()) for line in text.split("\n") if line.strip()]
            for i, line in enumerate(lines):
                said = _DASH.sub("", line)
                opens = said != line and not voice
                yield Line(voice, opens or (place > 0 and i == 0), said)


@dataclass(frozen=True)
class Line:
    """A line of a cue, as plain text.

    Attributes:
        voice: whom the tag over it names; empty without one.
        opens: whether a tag or a dash shows that somebody else begins here.
        text: without the dash.
    """

    voice: str
    opens: bool
    text: str


def read_cues(path: Path, reject: Reject) -> tuple[str, list[Cue]]:
    """The header of a file, which only WebVTT has, and the cues that can be read.

    Raises:
        UserError: no cue at all.
    """
    header, cues = _parse(_mended(path.read_text(encoding="utf-8-sig")))
    if not cues:
        raise UserError(
            f"{path} expected subtitles, each below a timing such as "
            f"00:01:05,000 --> 00:01:07,500, got none. Leave the file out of the corpus"
        )
    return header, [cue for cue in cues if _is_whole(cue, reject)]


def plain(text: str) -> str:
    """Text without formatting; its lines stay."""
    return html.unescape(_MARKUP.sub("", text))


def _mended(text: str) -> str:
    """The text with timings that both libraries read, each below an empty line and a number.

    A cue whose timing cannot be read one library adds to the cue above and the other drops: it gets
    a timing that runs backwards. And pysubs2 takes `42`, said at the end of a cue, for the number
    of the next cue unless that has one, and spends the square of time on runs of empty lines.
    """
    mended: list[str] = []
    for line in re.sub(r"\n{3,}", "\n\n", text).split("\n"):
        if "-->" in line:
            if mended and mended[-1].strip().isdecimal():
                mended.pop()
            mended += ["", "0", _timing(line)]
        else:
            mended.append(line)
    return "\n".join([*mended, "", "0"])


def _timing(line: str) -> str:
    """A timing with hours and full stops, as both formats allow, and nothing behind it."""
    found = _TIMING.match(line)
    if found is None:
        return _BACKWARDS
    return "{}:{}:{}.{} --> {}:{}:{}.{}".format(*found.groups(default="0"))


def _parse(text: str) -> tuple[str, list[Cue]]:
    if text.startswith("WEBVTT"):
        file = WebVTT.from_string(text)
        header = "\n".join(file.metadata)
        timed = [
            (cue.start_time.in_milliseconds(), cue.end_time.in_milliseconds(), cue.raw_text)
            for cue in file.captions
        ]
    else:
        header = ""
        events = SSAFile.from_string(text, "srt", keep_html_tags=True)
        timed = [(event.start, event.end, event.text.replace(r"\N", "\n")) for event in events]
    return header, [Cue(number, *cue) for number, cue in enumerate(timed, start=1)]


def _is_whole(cue: Cue, reject: Reject) -> bool:
    if cue.end < cue.start:
        reject(f"cue {cue.number}", "its timing cannot be read, or ends before it starts")
    elif len(cue.text) > _LONGEST:
        reject(cue.position, f"more than {_LONGEST} characters are no subtitle")
    else:
        return True
    return False
