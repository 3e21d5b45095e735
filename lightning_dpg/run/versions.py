"""What a run was made with: packages, Python, and the commit of the checkout."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "torch",
    "transformers",
    "bitsandbytes",
    "lightning",
    "datasets",
    "numpy",
    "scipy",
    "torchmetrics",
    "statsmodels",
    "pingouin",
    "litellm",
)
ROOT = Path(__file__).parents[2]
PATIENCE = 10.0
"""Seconds that git may take."""


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers come from, those that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def commit(root: Path = ROOT) -> str | None:
    """The commit of a checkout, `-dirty` behind it where tracked files were changed since.

    Args:
        root: folder that holds the package.

    Returns:
        None where this is no checkout of its own (a package that is installed somewhere inside
        another repository is none), where there is no commit, or no git.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or not Path(top).is_dir() or not Path(top).samefile(root):
        return None
    return _git(root, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")


def _git(root: Path, *arguments: str) -> str | None:
    # Without optional locks, so that nobody who commits meanwhile is in its way.
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
