"""Files and folders that are there complete or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

ABANDONED = 24 * 3600.0
"""Seconds after which nobody is filling a new folder any more."""
TRIES = 3
"""Of putting a folder in its place, which others may do at the same moment."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file, with its folder, so that a kill at any moment leaves the old one or the new.

    Both the content and its name are on the disk when this returns: a power cut takes nothing back.
    """
    _make_folder(path.parent)
    # Other machines share the folder, too, where process numbers come twice.
    temporary = path.with_name(f".{path.name}-{uuid4().hex[:12]}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush([path.parent])


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder to fill in a `with` block; after it, it takes the place of `folder`.

    One folder takes the place of another in two steps. A kill between them leaves the old one
    beside its place, from where `put_back` fetches it: here the next time, and for whoever reads.
    Where the block fails, all stays as it was.

    Args:
        folder: what is to be there, complete or as it was; of a link, what it points to.

    Raises:
        OSError: it cannot be written.
    """
    folder = folder.resolve()
    _make_folder(folder.parent)
    put_back(folder)
    _clear(folder)
    new = _beside(folder, "new")
    new.mkdir()
    try:
        yield new
        flush_tree(new)
        _put_in_place(new, folder)
        flush_folder(folder.parent)
        _clear(folder)
    finally:
        put_back(folder)
        shutil.rmtree(new, ignore_errors=True)


def put_back(folder: Path) -> None:
    """Undo a replacement that was killed when the old folder was away and the new one not there."""
    with suppress(OSError):  # nothing may be read or written there, or another process was faster
        folder = folder.resolve()
        if not folder.exists() and (old := _left(folder, "old")):
            max(old, key=lambda path: path.stat().st_mtime).rename(folder)


def _put_in_place(new: Path, folder: Path) -> None:
    for left in reversed(range(TRIES)):
        with suppress(FileNotFoundError):
            folder.rename(_beside(folder, "old"))
        try:
            new.rename(folder)
            return
        except OSError as error:
            if not left or error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise  # otherwise another process put a folder there in between


def _clear(folder: Path) -> None:
    """Delete what replacements that were killed have left beside a folder."""
    old = _left(folder, "old")
    if folder.exists():  # asked after looking: those were replaced, and none is on its way back
        for path in old:
            shutil.rmtree(path, ignore_errors=True)
    for path in _left(folder, "new"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - ABANDONED:
                shutil.rmtree(path, ignore_errors=True)


def _beside(folder: Path, kind: str) -> Path:
    """A free name; other machines share the folder, too, where process numbers come twice."""
    return folder.with_name(f".{folder.name}-{uuid4().hex[:12]}-{kind}")


def _left(folder: Path, kind: str) -> list[Path]:
    """What lies beside a folder under a name of `_beside`."""
    name = re.compile(rf"\.{re.escape(folder.name)}-[0-9a-f]{{12}}-{kind}")
    beside = folder.parent.iterdir() if folder.parent.is_dir() else []
    return [path for path in beside if name.fullmatch(path.name)]


def flush_tree(folder: Path) -> None:
    """Bring a folder with all that lies in it to the disk, before it is renamed to its place."""
    _flush([*folder.rglob("*"), folder])


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, after one was changed."""
    _flush([folder])


def _make_folder(folder: Path) -> None:
    """Make a folder with those above it, each on the disk."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    _flush(path.parent for path in reversed(new))


def _flush(paths: Iterable[Path]) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if not (path.is_dir() and error.errno in (errno.EINVAL, errno.ENOTSUP)):
                raise  # some network file systems bring no folder to the disk
        finally:
            os.close(descriptor)
