"""Everything that the given files say: dialogues, characters, and what had to be left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from lightning_dpg.config import Columns
from lightning_dpg.corpus.aliases import merge_aliases
from lightning_dpg.corpus.readers import Reader
from lightning_dpg.corpus.readers.registry import ENDINGS, FORMATS, read_file, reader_of
from lightning_dpg.corpus.readers.table import read_dataset
from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS, Character, Dialogue

SIDECAR = ".characters.yaml"
BUNDLED = "bundled"
DATASETS = "datasets:"

Rejecting = Callable[[str, str, str], None]
"""Told the file, the position and the reason of what is left out."""


@dataclass(frozen=True)
class Note:
    """What a person wrote about a character; see `records.Character`.

    Attributes:
        name: as it was written.
        aliases: other names of the character.
    """

    name: str = ""
    description: str = ""
    poles: tuple[int, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rejected:
    """A record that was left out: where it stands and why."""

    file: str
    position: str
    reason: str


@dataclass
class Sources:
    """What was read.

    Attributes:
        dialogues: in order of files and scenes.
        characters: by id; those who speak and are no crowd.
        rejected: what was left out.
        hashes: SHA-256 of each file by its name, companions and sidecars included.
    """

    dialogues: list[Dialogue] = field(default_factory=list)
    characters: dict[str, Character] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """SHA-256 of all that was read, and of what was not: names of files may be the same."""
        read = (self.dialogues, sorted(self.characters.items()), self.rejected)
        return hashlib.sha256(repr(read).encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Source:
    """A file to read.

    Attributes:
        path: where it lies.
        name: what it is called in the corpus: its path within the folder that was given.
        reader: who reads it.
        alone: given by itself, not found in a folder: then it must be readable.
    """

    path: Path
    name: str
    reader: Reader
    alone: bool = True

    @property
    def with_companions(self) -> dict[str, Path]:
        """The file and those that are read with it, by name, where they exist."""
        beside = (*self.reader.companions(self.path), sidecar_of(self.path))
        folder = Path(self.name).parent
        named = {self.name: self.path} | {(folder / p.name).as_posix(): p for p in beside}
        return {name: path for name, path in named.items() if path.is_file()}


def source_files(
    sources: Sequence[str], columns: Columns | None = None, reject: Rejecting | None = None
) -> list[Source]:
    """The files behind names, folders and `bundled`, sorted within each folder.

    Args:
        sources: paths, `bundled`, one of its works (`bundled/saltmarsh`), or any of these with the
            name of a format before it (`transcript:notes.txt`).
        columns: of tables.
        reject: told of files in folders that no reader accepts.

    Raises:
        UserError: a source that does not exist, that no reader accepts, or a folder that holds no
            file to read.
    """
    found: list[Source] = []
    for given in sources:
        format, path = _split(given)
        if not path.exists():
            raise UserError(
                f"The source {given!r} is neither a file nor a folder: give paths, or 'bundled' or "
                "'bundled/WORK' for the corpus that comes with the package (data.sources)"
            )
        if not path.is_dir():
            found.append(Source(path, path.name, reader_of(path, format, columns)))
            continue
        inside = list(_inside(path, format, columns, reject or (lambda *_: None)))
        if not inside:
            raise UserError(
                f"The folder {given!r} holds no file to read (data.sources): "
                f"names end in {', '.join(ENDINGS)}"
            )
        found += inside
    return list({source.path.resolve(): source for source in reversed(found)}.values())[::-1]


def _split(given: str) -> tuple[str | None, Path]:
    """The format and the path of a source as it was given."""
    format, colon, rest = given.partition(":")
    named = bool(colon) and format in FORMATS
    rest = rest if named else given
    return (format if named else None), (_bundled(rest) if is_bundled(rest) else Path(rest))


def is_bundled(given: str) -> bool:
    """Whether a source is the corpus that comes with the package, or one of its works."""
    format, colon, rest = given.partition(":")
    path = rest if colon and format in FORMATS else given
    return path == BUNDLED or path.startswith(f"{BUNDLED}/")


def _bundled(given: str) -> Path:
    """The folder of the bundled corpus, or the file of the work that is named after a slash."""
    folder = Path(str(files("lightning_dpg.corpus") / "sample"))
    name = given.removeprefix(BUNDLED).strip("/")
    if not name:
        return folder
    works = {path.stem: path for path in sorted(folder.iterdir()) if sidecar_of(path).is_file()}
    if name not in works:
        raise UserError(
            f"The bundled corpus holds no {name!r} (data.sources): "
            f"its works are {', '.join(f'{BUNDLED}/{work}' for work in works)}"
        )
    return works[name]


def _inside(
    folder: Path, format: str | None, columns: Columns | None, reject: Rejecting
) -> list[Source]:
    """What is to be read in a folder: no hidden files, notes, or companions of other files."""
    endings = FORMATS[format].endings if format else ENDINGS
    found: list[Source] = []
    unread: dict[Path, tuple[str, str]] = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inner.parts)
        if not path.is_file() or hidden or not path.name.lower().endswith(endings):
            continue
        try:
            reader = reader_of(path, format, columns)
            found.append(Source(path, inner.as_posix(), reader, alone=False))
        except UserError as error:
            unread[path] = inner.as_posix(), str(error)
    companions = {beside for source in found for beside in source.reader.companions(source.path)}
    for path, (name, reason) in unread.items():
        if path not in companions:
            reject(name, "file", reason)
    return [source for source in found if source.path not in companions]


def read_sources(
    sources: Sequence[str], languages: Sequence[str], columns: Columns | None = None
) -> Sources:
    """Read every file, keeping the dialogues in the given languages, or in all where none is given.

    Args:
        sources: as `source_files` takes them, or `datasets:NAME` for a dataset of the library
            datasets, from the hub or a folder.
        languages: two-letter codes.
        columns: of tables and datasets.

    Raises:
        UserError: an unreadable file or sidecar, two files of one name, or nothing in these
            languages.
    """
    result = Sources()
    origins: dict[str, str] = {}
    seen: set[str] = set()
    for origin, dialogues, notes in _read(sources, columns, result):
        for work in sorted({work_of(dialogue) for dialogue in dialogues}):
            if (other := origins.setdefault(work, origin)) != origin:
                raise UserError(
                    f"{other} and {origin} have the same name, which tells works apart: "
                    "rename one, or leave one out (data.sources)"
                )
        seen |= {dialogue.language for dialogue in dialogues}
        kept = [d for d in dialogues if not languages or d.language in languages]
        result.dialogues += kept
        _add_characters(result, kept, notes)
    if not result.dialogues:
        raise UserError(
            f"No dialogue in {', '.join(languages) or 'any language'} (data.languages) in "
            f"{', '.join(sources)}; languages found: {', '.join(sorted(seen)) or 'none'}"
        )
    if not result.characters:
        raise UserError(f"Nobody who speaks in {', '.join(sources)} is named (data.sources)")
    return result


def _read(
    sources: Sequence[str], columns: Columns | None, result: Sources
) -> Iterator[tuple[str, list[Dialogue], dict[str, Note]]]:
    """Of each file and dataset where it is from, its dialogues and notes; hashes go to `result`."""

    def reject(file: str, position: str, reason: str) -> None:
        result.rejected.append(Rejected(file, position, reason))

    given = [source.removeprefix(DATASETS) for source in sources if source.startswith(DATASETS)]
    paths = [source for source in sources if not source.startswith(DATASETS)]
    for source in source_files(paths, columns, reject):
        for name, path in source.with_companions.items():
            result.hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            dialogues = read_file(source.path, partial(reject, source.name), source.reader)
        except UserError as error:
            if source.alone:
                raise
            reject(source.name, "file", str(error))
            continue
        notes = read_sidecar(source.path)
        merged = _merged(dialogues, notes, source.reader.by_name)
        told, unused = _told(notes, dialogues, merged)
        for name in unused:
            reject(sidecar_of(source.path).name, name, "a note about somebody who never speaks")
        yield str(source.path), merged, told
    for name in dict.fromkeys(given):
        dialogues = list(read_dataset(name, columns or Columns(), partial(reject, name)))
        result.hashes[name] = hashlib.sha256(repr(dialogues).encode()).hexdigest()
        yield name, _merged(dialogues, {}, by_name=True), {}


def _merged(
    dialogues: Sequence[Dialogue], notes: Mapping[str, Note], by_name: bool
) -> list[Dialogue]:
    """The dialogues, in their order, with each character of a work under one name."""
    aliases = {note.name: note.aliases for note in notes.values()}
    works: dict[str, list[Dialogue]] = {}
    for dialogue in dialogues:
        works.setdefault(work_of(dialogue), []).append(dialogue)
    done = [d for work in works.values() for d in merge_aliases(work, aliases, by_name)]
    by_id = {dialogue.id: dialogue for dialogue in done}
    return [by_id[dialogue.id] for dialogue in dialogues]


def _told(
    notes: Mapping[str, Note], before: Sequence[Dialogue], after: Sequence[Dialogue]
) -> tuple[dict[str, Note], list[str]]:
    """Notes by the name that stands after merging, and the names of those about nobody."""
    told, used = dict(notes), set[str]()
    for old, new in zip(before, after, strict=True):
        for spoken, merged in zip(old.utterances, new.utterances, strict=True):
            names = merged.name.casefold(), spoken.name.casefold()
            used |= {name for name in names if name in notes}
            if names[1] in notes:
                told.setdefault(names[0], notes[names[1]])
    return told, [note.name for name, note in notes.items() if name not in used]


def work_of(dialogue: Dialogue) -> str:
    """Identifier of the work that a dialogue is from, as it stands in the dialogue's own."""
    return dialogue.id.rsplit("/", 1)[0]


def character_id(dialogue: Dialogue, speaker: str) -> str:
    """Identifier of a character over the whole corpus: file and speaker."""
    return f"{work_of(dialogue)}/{speaker}"


def _add_characters(
    result: Sources, dialogues: Sequence[Dialogue], notes: Mapping[str, Note]
) -> None:
    for dialogue in dialogues:
        for utterance in dialogue.utterances:
            if utterance.collective or not utterance.speaker:
                continue
            identity = character_id(dialogue, utterance.speaker)
            if identity not in result.characters:
                note = notes.get(utterance.name.casefold(), Note())
                result.characters[identity] = Character(
                    identity, utterance.name, note.description, note.poles
                )


def sidecar_of(path: Path) -> Path:
    """Where the descriptions for a source lie, if there are any."""
    return path.with_name(path.stem + SIDECAR)


def read_sidecar(path: Path) -> dict[str, Note]:
    """Notes beside a source, by name in lower case.

    Raises:
        UserError: a sidecar that is no such mapping.
    """
    sidecar = sidecar_of(path)
    if not sidecar.is_file():
        return {}
    try:
        notes = yaml.safe_load(sidecar.read_text(encoding="utf-8")) or {}
        return {str(name).casefold(): _note(str(name), entry) for name, entry in notes.items()}
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise UserError(
            f"{sidecar} must hold `NAME:` with `description:` below it for each character: "
            f"{' '.join(str(error).split())}"
        ) from None


def _note(name: str, entry: Any) -> Note:
    entry = dict(entry or {})
    given = entry.get("poles") or {}
    poles: tuple[Any, ...] = tuple(given.get(trait) for trait in TRAITS) if given else ()
    if not set(poles) <= {-1, 0, 1}:
        raise ValueError(f"poles expected -1, 0 or 1 for each of {', '.join(TRAITS)}, got {given}")
    aliases = entry.get("aliases") or []
    if not isinstance(aliases, list):
        raise ValueError(f"aliases expected a list of names, got {aliases!r}")
    return Note(name, str(entry.get("description") or ""), poles, tuple(map(str, aliases)))
