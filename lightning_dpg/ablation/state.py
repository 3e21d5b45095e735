"""Whether a run of a cell is done: with these settings, these texts, this version."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from lightning_dpg import __version__
from lightning_dpg.config import Config, DataConfig, LoggingConfig, TrainerConfig, fingerprint
from lightning_dpg.corpus.sources import DATASETS, source_files
from lightning_dpg.corpus.store import CARD, is_corpus
from lightning_dpg.runs import RESULTS, write_atomically

SPLIT = 2
"""Of the rules by which characters are held out: each language by itself. Raised with them."""
STATE = "cell.json"
"""In the folder of a run that is done: what it was given, and how long it took."""


@dataclasses.dataclass(frozen=True)
class Done:
    """A run that is done.

    Attributes:
        folder: of the run.
        seconds: wall time of its last start.
    """

    folder: Path
    seconds: float


def digest(config: Config) -> str:
    """Of all that the numbers of a run depend on: settings, texts, version, rules of the split.

    Where it logs and how many threads compute are no part of that, whatever they are set to.

    Raises:
        UserError: a source of the data that does not exist or cannot be read.
    """
    texts = _texts(config.data, [*config.data.sources, *config.data.test_sources])
    return fingerprint(__version__, SPLIT, _that_counts(config), texts)


def find_done(base: Path, wanted: str) -> Done | None:
    """The newest run in a folder that is done and was given the same."""
    for folder in sorted((p for p in base.glob("*") if not p.is_symlink()), reverse=True):
        state = folder / STATE
        if state.is_file() and (folder / RESULTS).is_file():
            found = json.loads(state.read_text(encoding="utf-8"))
            if found["digest"] == wanted:
                return Done(folder, found["seconds"])
    return None


def mark_done(folder: Path, given: str, seconds: float) -> Done:
    """Write down that a run is done."""
    done = Done(folder, round(seconds, 1))
    state = {"digest": given, "seconds": done.seconds}
    write_atomically(folder / STATE, json.dumps(state) + "\n")
    return done


def _that_counts(config: Config) -> Config:
    """The settings with defaults in place of those that change nothing of what comes out."""
    trainer = dataclasses.replace(config.trainer, threads=TrainerConfig().threads)
    return dataclasses.replace(config, trainer=trainer, logging=LoggingConfig())


def _texts(config: DataConfig, sources: Sequence[str]) -> list[str]:
    """A line for each text. Of data sets on a hub there is the name alone."""
    lines = []
    for source in sources:
        if source.startswith(DATASETS):
            lines.append(source)
        elif is_corpus(Path(source)):
            card = json.loads((Path(source) / CARD).read_text(encoding="utf-8"))
            lines.append(f"{source} {card['hash']}")
        else:
            for file in source_files([source], config.columns):
                lines += [
                    f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
                    for name, path in file.with_companions.items()
                ]
    return lines
