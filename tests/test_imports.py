"""The import rules of the design, read from the source with `ast`."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

import lightning_dpg

ROOT = Path(lightning_dpg.__file__).parent
NETWORK = {"requests", "httpx", "aiohttp", "urllib", "http", "socket", "huggingface_hub", "litellm"}
# Packages that speak to a network, or load what does.
NETWORK |= {"transformers", "datasets", "wandb", "openai"}


def files(root: Path) -> dict[str, Path]:
    """Every module of the package by its path without ending: `models/lora`, `config`."""
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in root.rglob("*.py")}


def imports(path: Path, root: Path = ROOT) -> set[str]:
    """Dotted names that a module imports, wherever in it: `a.b` and, from `a` import b, `a.b`."""
    package = [root.name, *path.relative_to(root).parts[:-1]]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            names |= {a.value for a in node.args if isinstance(a, ast.Constant)}  # type: ignore[misc]
    return names


def reaches(start: str, root: Path = ROOT) -> set[str]:
    """What a module imports, with all that the modules of this package which it imports import."""
    known, todo, names = files(root), [start], set[str]()
    seen = {start}
    while todo:
        found = imports(known[todo.pop()], root)
        names |= found
        for name in found:
            parts = name.split(".")
            if parts[0] != root.name:
                continue
            for end in range(1, len(parts) + 1):
                inside = "/".join(parts[1:end])
                for module in (inside, f"{inside}/__init__".lstrip("/")):
                    if module in known and module not in seen:
                        seen.add(module)
                        todo.append(module)
    return names


def matching(names: Iterable[str], forbidden: Iterable[str]) -> set[str]:
    """The names that are, or lie below, a forbidden one."""
    return {n for n in names for f in forbidden if n == f or n.startswith(f"{f}.")}


def users(package: str, root: Path = ROOT) -> set[str]:
    """The modules that import a package themselves."""
    return {name for name, path in files(root).items() if matching(imports(path, root), [package])}


def below(*folders: str) -> list[str]:
    return sorted(name for name in files(ROOT) if name.startswith(folders))


def test_the_package_is_found() -> None:
    assert {"config/loading", "records", "models/injection", "metrics/__init__"} <= set(files(ROOT))


@pytest.mark.parametrize("module", below("metrics/"))
def test_metrics_know_neither_assessment_nor_network(module: str) -> None:
    assert not matching(reaches(module), {*NETWORK, "lightning_dpg.assessment"})


@pytest.mark.parametrize(
    "module", ["models/hypernetwork", "models/linear", "models/lora", "models/injection"]
)
def test_the_method_knows_neither_transformers_nor_lightning(module: str) -> None:
    assert not matching(reaches(module), {"transformers", "lightning", "pytorch_lightning"})


@pytest.mark.parametrize("module", below("corpus/", "assessment/"))
def test_corpus_and_assessment_know_no_model(module: str) -> None:
    assert not matching(reaches(module), {"lightning_dpg.models", "transformers"})


def test_records_know_no_torch() -> None:
    assert not matching(reaches("records"), {"torch", "numpy", "omegaconf"})


def test_omegaconf_stays_in_config() -> None:
    assert users("omegaconf") == {"config/loading"}


def test_bitsandbytes_stays_in_the_backbone() -> None:
    assert users("bitsandbytes") <= {"models/backbone"}
    assert users("transformers.BitsAndBytesConfig") == {"models/backbone"}


def test_wandb_stays_in_callbacks_training_and_run() -> None:
    allowed = {"training", "run/main_job", *below("callbacks/")}
    assert users("wandb") <= allowed
    assert users("lightning.pytorch.loggers.WandbLogger") <= allowed


def test_litellm_stays_in_one_file_of_the_assessors() -> None:
    assert len(users("litellm")) <= 1
    assert all(name.startswith("assessment/") for name in users("litellm"))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A package that breaks every rule once, each in another manner of importing."""
    sources = {
        "__init__": "",
        "helper": "def f():\n    import transformers.models\n",
        "relative": "from . import helper\n",
        "parent/__init__": "",
        "parent/child": "from ..helper import f\nfrom omegaconf import OmegaConf\n",
        "lazy": "import importlib\nimportlib.import_module('wandb')\n",
        "alias": "import torch.nn as nn\n",
        "clean": "import torchmetrics\nfrom typing import Any\n",
    }
    root = tmp_path / "house"
    for name, text in sources.items():
        path = root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("helper", "transformers"),
        ("relative", "transformers"),
        ("parent/child", "transformers"),
        ("parent/child", "omegaconf"),
        ("parent/child", "house.helper"),
        ("lazy", "wandb"),
        ("alias", "torch"),
    ],
)
def test_the_checker_catches_a_violation(broken: Path, module: str, package: str) -> None:
    assert matching(reaches(module, broken), [package])


def test_the_checker_takes_no_neighbour_for_a_violation(broken: Path) -> None:
    assert not matching(reaches("clean", broken), ["torch", "transformers", "house"])
    assert users("transformers", broken) == {"helper"}
