"""Reader of subtitles (.srt, .vtt): somebody speaks only where the file says who."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lightning_dpg.corpus.readers import Reader, Reject
from lightning_dpg.corpus.readers.cue_labels import named, names, parted
from lightning_dpg.corpus.readers.cues import Cue, plain, read_cues
from lightning_dpg.corpus.readers.labels import label
from lightning_dpg.corpus.readers.languages import by_label, by_script, joined
from lightning_dpg.corpus.readers.speakers import is_collective, slug
from lightning_dpg.records import Dialogue, Utterance

_PAUSE = 20_000
"""Milliseconds without a word that begin a new dialogue: subtitles do not mark scenes, and within
one people are seldom silent for longer."""

_BREATH = 2_000
"""Milliseconds after which a sentence does not go on: a longer gap is no turn of the page."""

_STEM = re.compile(r"(.+)\.([a-z]{2})([-_]\w+)?(\.(sdh|forced))?")
_HEADER = re.compile(r"^language:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?…。！？—–-][\"'”’»」』]*$")


class SubtitleReader(Reader):
    """Reads subtitles: a dialogue is what is said without a long pause.

    Most subtitles do not say who speaks, and nobody is guessed. A voice tag `<v Anna>` names a
    speaker, and so does a label: `ANNA: text` in capitals, `Anna: text` or `[Anna] text` where they
    recur. All else is said by somebody unnamed (speaker ''), by another one at each dash; only the
    rest of an unfinished sentence goes to whoever began it. Brackets and songs are directions, and
    a cue of nothing else is left out as the action of a screenplay is.

    The language is in the name of the file (`lamp.en.srt`), or in the header of WebVTT, or told by
    the script. A position reads `cue 12, 00:01:05`.
    """

    name = "subtitles"
    endings: tuple[str, ...] = (".srt", ".vtt")
    by_name = True

    def accepts(self, path: Path, head: str) -> bool:
        """Whether the name of the file ends as subtitles do."""
        return path.suffix.lower() in self.endings

    def read(self, path: Path, reject: Reject) -> Iterator[Dialogue]:
        """What is said between long pauses.

        Raises:
            UserError: a file without a cue.
        """
        header, cues = read_cues(path, reject)
        stem = _STEM.fullmatch(path.stem)
        language = stem[2] if stem else _language(header, cues)
        for number, run in enumerate(_runs(_speeches(cues, reject)), start=1):
            yield Dialogue(
                id=f"{path.stem}/{number:03}",
                work=stem[1] if stem else path.stem,
                scene="",
                language=language,
                source=path.name,
                utterances=tuple(speech.utterance(language) for speech in run),
            )


@dataclass
class _Speech:
    """What one speaker says: in one cue at first, then in all over which a sentence runs."""

    cue: Cue
    name: str
    opens: bool
    texts: list[str]
    directions: list[str]
    end: int

    def goes_on(self, other: _Speech) -> bool:
        """Whether the next speech is the rest of a sentence begun in this one.

        Without a name it is only if it says so by a small letter: languages without any, and
        subtitles without full stops, give no sign of who goes on.
        """
        again = other.name == self.name != ""
        follows = not other.opens and other.texts[0][0].islower()
        ended = _SENTENCE_END.search(self.texts[-1])
        return (again or follows) and not ended and abs(other.cue.start - self.end) <= _BREATH

    def add(self, other: _Speech) -> None:
        """Take in what is said next."""
        self.texts += other.texts
        self.directions += other.directions
        self.end = other.end

    def utterance(self, language: str) -> Utterance:
        """The record; whoever is unnamed is one person all the same, and nothing collective."""
        return Utterance(
            speaker=slug(self.name),
            name=self.name,
            text=joined(self.texts, language),
            directions=tuple(self.directions),
            position=self.cue.position,
            collective=bool(self.name) and is_collective(self.name),
        )


def _language(header: str, cues: Iterable[Cue]) -> str:
    found = _HEADER.search(header)
    return by_label(found[1]) if found else by_script("".join(plain(cue.text) for cue in cues))


def _speeches(cues: Iterable[Cue], reject: Reject) -> Iterator[_Speech]:
    """The speeches in order; a sound between the halves of a sentence does not part them."""
    known = names([line.text for cue in cues for line in cue.lines() if not line.voice])
    last: _Speech | None = None
    for cue in cues:
        for turn in _turns(cue, known, reject):
            if last and last.goes_on(turn):
                last.add(turn)
            else:
                if last:
                    yield last
                last = turn
    if last:
        yield last


def _turns(cue: Cue, known: frozenset[str], reject: Reject) -> Iterator[_Speech]:
    """What each speaker says in a cue."""
    turns: list[_Speech] = []
    for line in cue.lines():
        text, directions = parted(line.text if line.voice else named(line.text, known))
        found = None if line.voice else label(text)
        name = line.voice
        if found and found[0] in known:
            name, text = found
        opens = line.opens or name != line.voice
        texts = [text] if any(map(str.isalnum, text)) else []
        turn = _Speech(cue, name, opens, texts, directions, cue.end)
        if turns and not opens:
            turns[-1].add(turn)
        else:
            turns.append(turn)
    for turn in turns:
        if turn.name and not turn.texts:
            reject(cue.position, f"the speech of {turn.name} has no text")
    if not any(turn.texts or turn.directions for turn in turns):
        reject(cue.position, "no text")
    yield from (turn for turn in turns if turn.texts)


def _runs(speeches: Iterable[_Speech]) -> list[list[_Speech]]:
    """The speeches between pauses; a time that jumps back, as on a second disc, is a pause too."""
    runs: list[list[_Speech]] = []
    for speech in speeches:
        if not runs or abs(speech.cue.start - runs[-1][-1].end) >= _PAUSE:
            runs.append([])
        runs[-1].append(speech)
    return runs
