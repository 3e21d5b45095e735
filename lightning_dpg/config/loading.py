"""Experiments as typed settings: schema, then fragments, then the experiment, then `key=value`.

Nothing after this module sees an omegaconf object: `load` returns plain dataclasses.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lightning_dpg.config.checks import check
from lightning_dpg.config.schema import Config
from lightning_dpg.errors import UserError

ROOT = Path(__file__).resolve().parent.parent.parent
EXPERIMENTS, FRAGMENTS = ROOT / "experiments", ROOT / "configs"
ABLATIONS = "ablations"
"""Folder of `EXPERIMENTS` with what is no experiment but varies some (`lightning_dpg.ablation`)."""

GROUPS = ("data", "backbone", "hypernetwork", "assessor", "trainer")
"""Settings with a folder of fragments: `backbone=tiny` takes `configs/backbone/tiny.yaml`."""


def load(experiment: str, overrides: Sequence[str] = ()) -> Config:
    """The settings of an experiment.

    Args:
        experiment: a name under `experiments/` or the path of a YAML file.
        overrides: `dotted.key=value`, or `group=fragment` to replace a whole group.

    Raises:
        UserError: every problem found, in one message.
    """
    problems: list[str] = []
    path = find_experiment(experiment)
    layers = _layers(path, problems)
    config = _defaults()
    config.name = path.stem
    for source, layer in layers:
        config = _merge(config, layer, source, problems)
    config = _override(config, overrides, problems)
    if not problems:
        try:
            result = typing.cast(Config, OmegaConf.to_object(config))
        except OmegaConfBaseException as error:  # such as ${name} of something that is not there
            raise UserError(f"{' '.join(str(error).split())} (in {experiment})") from None
        problems += [f"{problem} (in {experiment})" for problem in check(result)]
    if problems:
        raise UserError("\n".join(problems))
    return result


def experiments() -> list[str]:
    """The names of the experiments that come with the project."""
    found = (path.relative_to(EXPERIMENTS) for path in EXPERIMENTS.rglob("*.yaml"))
    return sorted(str(path.with_suffix("")) for path in found if path.parts[0] != ABLATIONS)


def find_experiment(experiment: str) -> Path:
    """The file of an experiment, given its name or path."""
    for path in (EXPERIMENTS / f"{experiment}.yaml", Path(experiment)):
        if path.suffix == ".yaml" and path.is_file():
            return path
    raise UserError(
        f"There is no experiment {experiment!r}. "
        f"{_nearest(experiment, experiments())}Experiments: {', '.join(experiments())}"
    )


def to_yaml(config: Config) -> str:
    """The resolved settings, as saved with every run."""
    return OmegaConf.to_yaml(OmegaConf.structured(config))


def from_dict(settings: dict[str, Any]) -> Config:
    """Settings as stored in a checkpoint.

    Raises:
        UserError: settings that this version does not know.
    """
    problems: list[str] = []
    config = _merge(_defaults(), settings, "the checkpoint", problems)
    if problems:
        raise UserError("\n".join(problems))
    return typing.cast(Config, OmegaConf.to_object(config))


def fingerprint(*settings: Any) -> str:
    """Twelve hex digits that change when any of these dataclasses or plain values does."""
    plain = [dataclasses.asdict(s) if dataclasses.is_dataclass(s) else s for s in settings]  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def _defaults() -> DictConfig:
    return typing.cast(DictConfig, OmegaConf.structured(Config))


def _layers(
    path: Path, problems: list[str], above: tuple[Path, ...] = ()
) -> list[tuple[str, dict[str, Any]]]:
    """What an experiment is made of, from the first fragment to its own settings."""
    if path in above:
        problems.append(f"{path.name} is its own base, by way of {above[-1].name}")
        return []
    own = _read(path, problems)
    layers: list[tuple[str, dict[str, Any]]] = []
    bases = own.pop("base", None) or []
    if not isinstance(bases, list):
        problems.append(f"base (in {path.name}) expected a list such as [{bases}], got {bases!r}")
        bases = []
    for base in bases:
        fragment = FRAGMENTS / f"{base}.yaml"
        if fragment.is_file():
            group = fragment.parent.name
            layers.append((f"configs/{base}.yaml", {group: _read(fragment, problems)}))
        elif (EXPERIMENTS / f"{base}.yaml").is_file():
            layers += _layers(EXPERIMENTS / f"{base}.yaml", problems, (*above, path))
        else:
            known = [*_fragments(), *experiments()]
            problems.append(
                f"base {base!r} (in {path.name}) is neither a fragment under configs/ nor an "
                f"experiment. {_nearest(str(base), known)}Known: {', '.join(known)}"
            )
    return [*layers, (path.name, own)]


def _fragments(group: str = "*") -> list[str]:
    return sorted(f"{path.parent.name}/{path.stem}" for path in FRAGMENTS.glob(f"{group}/*.yaml"))


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        problems.append(f"{path} is not valid YAML: {' '.join(str(error).split())}")
        return {}
    if content is not None and not isinstance(content, dict):
        problems.append(f"{path} must hold settings (key: value), got {type(content).__name__}")
        return {}
    return content or {}


def _merge(
    config: DictConfig, layer: dict[str, Any], source: str, problems: list[str]
) -> DictConfig:
    """Lay one mapping over the settings, setting by setting so that each mistake is reported."""
    for key, value in _flatten(layer):
        config = _set(config, key, value, source, problems)
    return config


def _flatten(layer: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in layer.items():
        if isinstance(value, dict):
            pairs += _flatten(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", value))
    return pairs


def _override(config: DictConfig, overrides: Sequence[str], problems: list[str]) -> DictConfig:
    """Whole groups first, so that `backbone=tiny backbone.dtype=float32` works in any order."""
    ordered = sorted(overrides, key=lambda override: override.partition("=")[0] not in GROUPS)
    for override in ordered:
        key, equals, text = override.partition("=")
        if not equals:
            problems.append(f"An override is key=value, got {override!r}")
        elif key in GROUPS:
            config = _choose(config, key, text, problems)
        else:
            try:
                value = yaml.safe_load(text)
            except yaml.YAMLError:
                value = text
            config = _set(config, key, value, "the command line", problems)
    return config


def _choose(config: DictConfig, group: str, name: str, problems: list[str]) -> DictConfig:
    """Replace a group by a fragment: back to the schema's defaults, then the fragment."""
    fragment = FRAGMENTS / group / f"{name}.yaml"
    if not fragment.is_file():
        known = [known.split("/")[1] for known in _fragments(group)]
        problems.append(
            f"{group}={name}: there is no configs/{group}/{name}.yaml. "
            f"{_nearest(name, known)}Known: {', '.join(known)}"
        )
        return config
    config[group] = _defaults()[group]
    return _merge(
        config, {group: _read(fragment, problems)}, f"configs/{group}/{name}.yaml", problems
    )


def _set(config: DictConfig, key: str, value: Any, source: str, problems: list[str]) -> DictConfig:
    known = _keys(config)
    inside = [name for name in known if name.startswith(f"{key}.")]
    if inside:
        if value is not None:  # a group with nothing below it changes nothing
            problems.append(
                f"{key!r} is a group of settings ({', '.join(inside)}), got {value!r} (in {source})"
            )
        return config
    if key not in known:
        problems.append(f"Unknown setting {key!r} (in {source}). {_nearest(key, known)}")
        return config
    try:
        OmegaConf.update(config, key, value)
    except OmegaConfBaseException as error:
        expected = f"expected {_type_name(key)}"
        problems.append(f"Setting {key!r} {expected}, got {value!r} (in {source})")
        del error
    return config


def _type_name(key: str) -> str:
    """How a person would call the type of a setting."""
    kind: Any = Config
    for part in key.split("."):
        kind = typing.get_type_hints(kind)[part]
    if typing.get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, typing.get_args(kind)))
    text = re.sub(r"(typing|lightning_dpg(?:\.\w+)*)\.", "", str(kind))
    return {int: "an integer", float: "a number", bool: "true or false", str: "text"}.get(
        kind, text
    )


def _keys(config: DictConfig) -> list[str]:
    plain = typing.cast(dict[str, Any], OmegaConf.to_container(config))
    return [key for key, _ in _flatten(plain)]


def _nearest(given: str, known: Sequence[str]) -> str:
    """`Did you mean ...? `, comparing last parts of dotted keys too; empty when nothing is near."""
    part = given.rsplit(".", 1)[-1]
    same = [name for name in known if name.rsplit(".", 1)[-1] == part]
    near = difflib.get_close_matches(given, same or known, n=1, cutoff=0.0 if same else 0.6)
    if not near:
        last = {name.rsplit(".", 1)[-1]: name for name in known}
        near = [last[m] for m in difflib.get_close_matches(part, last, n=1)]
    return f"Did you mean {near[0]!r}? " if near else ""
