"""What results say of packages and of the checkout, against git itself."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lightning_dpg.run import versions
from lightning_dpg.run.versions import commit


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a.py").write_text("1\n", encoding="utf-8")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    git(tmp_path, "tag", "-a", "v1", "-m", "one")
    return tmp_path


def test_the_commit_is_that_of_git_and_changes_show(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    assert commit(checkout) == head
    (checkout / "new.txt").write_text("not tracked", encoding="utf-8")
    assert commit(checkout) == head
    (checkout / "a.py").write_text("2\n", encoding="utf-8")
    assert commit(checkout) == f"{head}-dirty"


def test_no_checkout_has_no_commit(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = checkout / "site-packages"
    inside.mkdir()
    assert commit(inside) is None  # that repository is another one
    assert commit(tmp_path_factory.mktemp("plain")) is None
    assert commit(checkout / "absent") is None
    monkeypatch.setenv("PATH", str(inside))
    assert commit(checkout) is None  # no git


def test_packages_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "PACKAGES", ("numpy", "no-such-package-of-anybody"))
    assert versions.versions() == {"python": platform.python_version(), "numpy": np.__version__}
