"""Files that are there complete or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4


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
