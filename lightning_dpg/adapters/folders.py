"""Where adapters are written: a folder for each, there complete or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lightning_dpg.adapters.card import is_ours
from lightning_dpg.adapters.parts import Blend
from lightning_dpg.adapters.peft_format import CARD, FILES
from lightning_dpg.errors import UserError
from lightning_dpg.files import put_back, replacing

LONGEST_NAME = 160
"""Bytes: file systems take 255, and a folder that is being written has a longer name."""


def folders_for(
    blends: Sequence[Blend], out: Path, overwrite: bool = False, named: bool = False
) -> list[Path]:
    """The folder of each adapter: `out` for one, a folder below it for each name of several.

    Args:
        blends: who is written.
        out: as given.
        overwrite: whether adapters that this package wrote may be replaced.
        named: whether even a single one has a folder of its name.

    Raises:
        UserError: names that give no folder or the same one, or folders that may not be written.
    """
    if not blends:
        raise UserError("There is nobody to export: give --ocean or --personas")
    folders = [out] if len(blends) == 1 and not named else _named(blends, out)
    problems = [problem for folder in folders if (problem := _in_the_way(folder, overwrite))]
    if problems:
        raise UserError("\n".join(problems))
    return folders


def safe_name(name: str) -> str:
    """A name as that of a folder: letters of any script, digits, `-`, `_` and `.`."""
    letters = re.sub(r"[^\w.-]+", "-", name.strip()).encode()[:LONGEST_NAME]
    return letters.decode(errors="ignore").strip("-.")


def _named(blends: Sequence[Blend], out: Path) -> list[Path]:
    problems, taken = [], dict[str, str]()
    for blend in blends:
        name = safe_name(blend.name)
        if not name:
            problems.append(f"The name {blend.name!r} has no letter or digit to name a folder by")
        elif name.casefold() in taken:
            problems.append(
                f"{taken[name.casefold()]!r} and {blend.name!r} would share the folder {name}: "
                "rename one"
            )
        taken[name.casefold()] = blend.name
    if problems:
        raise UserError("\n".join(problems))
    return [out / safe_name(blend.name) for blend in blends]


def _in_the_way(folder: Path, overwrite: bool) -> str:
    """Why a folder may not be written; empty where it may."""
    put_back(folder)  # what a killed `--force` left is there to be asked for again
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return ""
    if not _holds_ours(folder):
        kind = "holds more than an adapter of ours" if folder.is_dir() else "is a file"
        return f"{folder} {kind} and is not overwritten: give another --out"
    if not overwrite:
        return f"{folder} holds an adapter: give --force to overwrite it, or another --out"
    return ""


def _holds_ours(folder: Path) -> bool:
    """Whether a folder holds an adapter that this package wrote, and nothing else."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
    return names == FILES and is_ours(folder / CARD)


@contextmanager
def placed(folder: Path) -> Iterator[Path]:
    """A new folder to fill in a `with` block; after it, it takes the place of `folder`.

    What `folder` held is replaced; where the block fails, it stays as it was (`files.replacing`).

    Raises:
        UserError: it cannot be written.
    """
    try:
        with replacing(folder) as new:
            yield new
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror}): give another --out"
        ) from None
