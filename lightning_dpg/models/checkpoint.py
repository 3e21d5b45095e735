"""Checkpoints: only what was trained, with the identity of everything it depends on."""

from __future__ import annotations

import dataclasses
import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import torch

from lightning_dpg import __version__
from lightning_dpg import config as settings
from lightning_dpg.data.prompts import VERSION as PROMPT_VERSION
from lightning_dpg.errors import UserError
from lightning_dpg.files import write_atomically

FORMAT = 3
KEY = "lightning_dpg"
"""Where the identity stands in a Lightning checkpoint."""
KINDS: dict[type, str] = {str: "a text", list: "a list of texts", dict: "settings by name"}
"""What the parts of an identity may be, in words."""


@dataclass(frozen=True)
class Identity:
    """What trained weights depend on. Everything here is plain data.

    Attributes:
        arm: name of the arm.
        backbone: identity of the frozen model.
        sites: names of the sites, in order.
        prompt: version of the prompts.
        labels: identity of the assessor that labelled.
        corpus: hash of the corpus.
        config: the resolved settings of the run.
        version: of this package.
        format: of the checkpoint.
    """

    arm: str
    backbone: str
    sites: list[str]
    prompt: str
    labels: str
    corpus: str
    config: dict[str, Any]
    version: str = __version__
    format: int = FORMAT

    @classmethod
    def of(
        cls,
        arm: str,
        config: settings.Config,
        backbone: str,
        sites: list[str],
        labels: str,
        corpus: str,
    ) -> Identity:
        """The identity of what a run trains."""
        return cls(arm, backbone, sites, PROMPT_VERSION, labels, corpus, dataclasses.asdict(config))


def write_checkpoint(path: Path, identity: Identity, weights: Mapping[str, torch.Tensor]) -> None:
    """Write trained weights and what they depend on, complete or not at all."""
    content = {KEY: dataclasses.asdict(identity), "state_dict": dict(weights)}
    write_atomically(path, as_bytes(content))


def as_bytes(content: Mapping[str, Any]) -> bytes:
    """What `torch.save` writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def read_checkpoint(path: Path) -> tuple[Identity, dict[str, torch.Tensor]]:
    """Identity and trained weights of a checkpoint.

    Raises:
        UserError: no file, a damaged one, one that holds code instead of data, one of another
            program or of another format.
    """
    identity, content = _read(path)
    return identity, dict(content["state_dict"])


def read_progress(path: Path) -> tuple[Identity, int]:
    """Identity and optimiser steps of a training that was interrupted.

    Raises:
        UserError: what `read_checkpoint` raises, or a checkpoint without the state of a training.
    """
    try:
        identity, content = _read(path)
    except UserError as error:
        raise UserError(f"{error}. To train this arm from its beginning, delete {path}") from None
    states, steps = content.get("optimizer_states"), content.get("global_step")
    if not (isinstance(states, list) and states and isinstance(steps, int)):
        raise UserError(
            f"{path} holds no training that could go on: delete it to train this arm from its "
            "beginning"
        )
    return identity, steps


def _read(path: Path) -> tuple[Identity, Mapping[str, Any]]:
    """Identity and content of a checkpoint that this version can read."""
    if not path.is_file():
        raise UserError(
            f"There is no checkpoint {path}: train first (`make train`), or give --checkpoint"
        )
    try:
        _compare_checksums(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} holds more than tensors and plain data, so it is not loaded: "
            f"use a checkpoint that this project wrote ({_first_line(error)})"
        ) from None
    except Exception as error:  # reading bytes that mean something else fails in every way
        raise _damaged(path, _first_line(error)) from None
    if not isinstance(content, Mapping) or KEY not in content:
        raise UserError(f"{path} is no checkpoint of lightning_dpg: it lacks the entry {KEY!r}")
    if not isinstance(content[KEY], Mapping):
        raise _damaged(path, f"{KEY} is {_kind(content[KEY])}, not {KINDS[dict]}")
    found = content[KEY].get("format", FORMAT)
    if not isinstance(found, int) or found != FORMAT:
        newer = isinstance(found, int) and found > FORMAT
        advice = "install a newer lightning_dpg" if newer else "train again (`make train`)"
        raise UserError(f"{path} has format {found}, this version reads {FORMAT}: {advice}")
    try:
        identity = Identity(**content[KEY])
    except TypeError as error:
        raise _damaged(path, _first_line(error)) from None
    if wrong := _wrong(identity) or _wrong_weights(content.get("state_dict")):
        raise _damaged(path, wrong)
    if identity.arm not in get_args(settings.Arm):
        raise UserError(
            f"{path} is of the arm {identity.arm!r}, and this version knows "
            f"{', '.join(get_args(settings.Arm))}: use lightning_dpg {identity.version}, which "
            "wrote it, or train again (`make train`)"
        )
    return identity, content


def _compare_checksums(path: Path) -> None:
    """Refuse an archive in which anything is not what was written.

    `torch.save` writes a zip archive with the CRC-32 of each tensor, and `torch.load` compares
    none: a bit that was flipped would become a weight.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if name := archive.testzip():
                raise zipfile.BadZipFile(f"{name} is not what was written")


def _wrong(identity: Identity) -> str | None:
    """What in an identity is of another kind than it was written as."""
    kinds: dict[str, type] = {"sites": list, "config": dict, "format": int}
    for field in dataclasses.fields(identity):
        value, kind = getattr(identity, field.name), kinds.get(field.name, str)
        if not isinstance(value, kind):
            return f"its {field.name} is {_kind(value)}, not {KINDS[kind]}"
    for part in ("sites", "config"):
        if not all(isinstance(name, str) for name in getattr(identity, part)):
            return f"its {part} holds names that are no texts"
    return None


def _wrong_weights(weights: Any) -> str | None:
    if not isinstance(weights, Mapping):
        return "it has no weights by name (state_dict)"
    if others := [name for name, part in weights.items() if not isinstance(part, torch.Tensor)]:
        return f"the weight {others[0]!r} is {_kind(weights[others[0]])}, not a tensor"
    return None


def _kind(value: Any) -> str:
    """A value for an error message, by its type where it is long."""
    text = repr(value)
    return text if len(text) <= 40 and "\n" not in text else f"a {type(value).__name__}"


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"{path} is damaged or no checkpoint ({reason}): copy it again or train again")


def _first_line(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
    return next(iter(text.splitlines()), type(error).__name__)[:160]


def check_identity(path: Path, stored: Identity, backbone: str, sites: list[str]) -> None:
    """Compare a checkpoint with the model it is to be put on.

    The precision that the model computes in may differ: it depends on the machine, and adapters are
    stored in float32.

    Raises:
        UserError: another backbone, other sites or another version of the prompts; each difference
            is named.
    """
    expected = {"backbone": backbone, "prompt": PROMPT_VERSION}
    differences = [
        f"{name}: the checkpoint has {getattr(stored, name)!r}, here it is {here!r}"
        for name, here in expected.items()
        if _weights(getattr(stored, name)) != _weights(here)
    ]
    if stored.sites != sites:
        missing, extra = (
            sorted(set(stored.sites) - set(sites)),
            sorted(set(sites) - set(stored.sites)),
        )
        differences.append(
            f"sites: the checkpoint has {len(stored.sites)}, here there are {len(sites)} "
            f"(only in the checkpoint: {', '.join(missing[:3]) or 'none'}; "
            f"only here: {', '.join(extra[:3]) or 'none'})"
            if missing or extra
            else f"sites: the checkpoint has the same {len(sites)} sites in another order"
        )
    if differences:
        raise UserError(f"{path} does not fit this model. " + "; ".join(differences))


def _weights(identity: str) -> str:
    """An identity without the precision at its end (`backbone.Backbone.identity`)."""
    return identity.removesuffix("/bfloat16").removesuffix("/float32")
