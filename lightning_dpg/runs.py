"""Folders of runs: one for each start, found again while it is unfinished."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from uuid import uuid4

from lightning_dpg import __version__, files
from lightning_dpg import config as settings
from lightning_dpg.errors import UserError

RUNS = Path("runs")
RESULTS, REPLIES = "results.json", "replies.jsonl"
REPORT, SETTINGS = "report.html", "config.yaml"
KEPT, EVALUATIONS = "kept", "evaluations"


def open_run(config: settings.Config, corpus: str, root: Path = RUNS) -> Path:
    """The folder to work in.

    A run that was interrupted and has the same settings, corpus and version of this package is
    taken up again; otherwise a new folder is made, named by the time. The settings lie in it as
    `config.yaml`.

    Args:
        config: resolved settings.
        corpus: hash of the corpus.
        root: folder of all runs.
    """
    base = root / config.name
    base.mkdir(parents=True, exist_ok=True)
    text = f"# lightning_dpg {__version__}, corpus {corpus}\n{settings.to_yaml(config)}"
    folder = _unfinished(base, text) or _new(base)
    write_atomically(folder / SETTINGS, text)
    return folder


def link_latest(run: Path) -> None:
    """Link a finished run as `runs/<name>/latest`."""
    temporary = run.parent / f".latest-{uuid4().hex[:12]}"  # other machines share the folder, too
    temporary.symlink_to(run.name)
    temporary.replace(run.parent / "latest")
    files.flush_folder(run.parent)


def latest_run(experiment: str, root: Path = RUNS) -> Path:
    """The folder of an experiment's last finished run.

    Raises:
        UserError: none was finished.
    """
    folder = root / experiment / "latest"
    if not folder.is_dir():
        ran = sorted(path.parent.name for path in root.glob("*/latest"))
        raise UserError(
            f"There is no finished run of {experiment!r} under {root}/: "
            f"`make train EXP={experiment}` makes one. Runs there: {', '.join(ran) or 'none'}"
        )
    return folder.resolve()


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that it is there complete or not at all."""
    files.write_atomically(path, text.encode("utf-8"))


def _unfinished(base: Path, text: str) -> Path | None:
    for folder in sorted((p for p in base.iterdir() if not p.is_symlink()), reverse=True):
        saved = folder / SETTINGS
        unfinished = saved.is_file() and not (folder / REPORT).is_file()
        if unfinished and saved.read_text(encoding="utf-8") == text:
            return folder
    return None


def _new(base: Path) -> Path:
    stem = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(2, 1000))):
        folder = base / f"{stem}{suffix}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise UserError(f"No free name for a run under {base}")
