"""Everything that the given files say: dialogues, characters, and what had to be left out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from lightning_dpg.corpus.readers import Reject
from lightning_dpg.corpus.readers.registry import READERS, read_file
from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS, Character, Dialogue

SIDECAR = ".characters.yaml"
BUNDLED = "bundled"

Note = tuple[str, tuple[int, ...]]
"""Description and poles of a character, each possibly empty."""


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
        hashes: SHA-256 of each file by its name, sidecars included.
    """

    dialogues: list[Dialogue] = field(default_factory=list)
    characters: dict[str, Character] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)


def source_files(sources: Sequence[str]) -> list[Path]:
    """The files behind names, folders and `bundled`, sorted within each folder.

    Raises:
        UserError: a source that does not exist, or that holds no file to read.
    """
    found: list[Path] = []
    for source in sources:
        path = (
            Path(str(files("lightning_dpg.corpus") / "sample"))
            if source == BUNDLED
            else Path(source)
        )
        if not path.exists():
            raise UserError(
                f"The source {source!r} is neither a file nor a folder: "
                "give paths, or 'bundled' for the corpus that comes with the package (data.sources)"
            )
        endings = tuple(ending for reader in READERS for ending in reader.endings)
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        texts = [p for p in inside if p == path or _is_text(p, path, endings)]
        if not texts:
            raise UserError(
                f"The folder {source!r} holds no file to read (data.sources): "
                f"names end in {', '.join(sorted(set(endings)))}"
            )
        found += texts
    return found


def _is_text(path: Path, folder: Path, endings: tuple[str, ...]) -> bool:
    """Whether a file inside a folder is dialogue by its name; hidden files and folders are not."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden and path.name.lower().endswith(endings)


def read_sources(sources: Sequence[str], languages: Sequence[str]) -> Sources:
    """Read every file, keeping the dialogues in the given languages.

    Raises:
        UserError: an unreadable file or sidecar, two files of one name, or nothing in these
            languages.
    """
    result = Sources()
    seen: set[str] = set()
    by_name: dict[str, Path] = {}
    for path in source_files(sources):
        if other := by_name.get(path.stem):
            raise UserError(
                f"{other} and {path} have the same name, which tells works apart: rename one, or "
                "leave one out (data.sources)"
            )
        by_name[path.stem] = path
        for file in (path, sidecar_of(path)):
            if file.is_file():
                result.hashes[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
        dialogues = read_file(path, _rejecting(path, result))
        seen |= {dialogue.language for dialogue in dialogues}
        kept = [dialogue for dialogue in dialogues if dialogue.language in languages]
        result.dialogues += kept
        if kept:
            _add_characters(result, kept, path)
    if not result.dialogues:
        raise UserError(
            f"No dialogue in {', '.join(languages)} (data.languages) in {', '.join(sources)}; "
            f"languages found: {', '.join(sorted(seen)) or 'none'}"
        )
    return result


def character_id(dialogue: Dialogue, speaker: str) -> str:
    """Identifier of a character over the whole corpus: file and speaker."""
    return f"{dialogue.id.rsplit('/', 1)[0]}/{speaker}"


def _rejecting(path: Path, result: Sources) -> Reject:
    def reject(position: str, reason: str) -> None:
        result.rejected.append(Rejected(path.name, position, reason))

    return reject


def _add_characters(result: Sources, dialogues: Sequence[Dialogue], path: Path) -> None:
    notes = read_sidecar(path)
    for dialogue in dialogues:
        for utterance in dialogue.utterances:
            if utterance.collective or not utterance.speaker:
                continue
            identity = character_id(dialogue, utterance.speaker)
            if identity not in result.characters:
                description, poles = notes.get(utterance.name.casefold(), ("", ()))
                result.characters[identity] = Character(
                    identity, utterance.name, description, poles
                )


def sidecar_of(path: Path) -> Path:
    """Where the descriptions for a source lie, if there are any."""
    return path.with_name(path.stem + SIDECAR)


def read_sidecar(path: Path) -> dict[str, Note]:
    """Descriptions and poles beside a source, by name in lower case.

    Raises:
        UserError: a sidecar that is no such mapping.
    """
    sidecar = sidecar_of(path)
    if not sidecar.is_file():
        return {}
    try:
        notes = yaml.safe_load(sidecar.read_text(encoding="utf-8")) or {}
        return {str(name).casefold(): _note(entry) for name, entry in notes.items()}
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise UserError(
            f"{sidecar} must hold `NAME:` with `description:` below it for each character: "
            f"{' '.join(str(error).split())}"
        ) from None


def _note(entry: Any) -> Note:
    entry = dict(entry or {})
    given = entry.get("poles") or {}
    poles: tuple[Any, ...] = tuple(given.get(trait) for trait in TRAITS) if given else ()
    if not set(poles) <= {-1, 0, 1}:
        raise ValueError(f"poles expected -1, 0 or 1 for each of {', '.join(TRAITS)}, got {given}")
    return str(entry.get("description") or ""), poles
