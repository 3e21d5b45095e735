"""Adapters of personas on disk, by the digest of all that they depend on."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from lightning_dpg.files import write_atomically
from lightning_dpg.models.backbone import CACHE
from lightning_dpg.models.lora import Adapters, LoRA

LIMIT_BYTES = 2**30

ENDING = ".safetensors"
CHECKSUM = "crc32"
"""Safetensors knows the length of a file, and nothing of its bytes."""


class AdapterCache:
    """Files `DIGEST.safetensors`, each complete or not there; they may be deleted at any time.

    Several processes may share a folder: a file is renamed into place, and one that vanishes or is
    damaged is made again. A folder that cannot be written keeps nothing, and nothing else fails.

    Args:
        folder: where the files lie.
        limit_bytes: of all files together; those that were not used for longest go first.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder, self.limit_bytes = folder, limit_bytes

    def get(
        self,
        keys: Sequence[str],
        make: Callable[[Sequence[int]], Sequence[Adapters]],
    ) -> list[Adapters]:
        """Adapters by their keys: read where they lie, else made, all at once, and kept.

        Args:
            keys: digests of what each depends on, in hex digits.
            make: from the indices of those that are not there to their adapters, one sample each,
                in float32 with a scale of 1.

        Returns:
            One for each key. Those that were read are on the CPU.
        """
        found = {i: adapters for i, key in enumerate(keys) if (adapters := self._read(key))}
        missing = [i for i in range(len(keys)) if i not in found]
        if missing:
            for i, adapters in zip(missing, make(missing), strict=True):
                found[i] = adapters
                self._write(keys[i], adapters)
            self._evict()
        return [found[i] for i in range(len(keys))]

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{ENDING}"

    def _read(self, key: str) -> Adapters | None:
        path = self._path(key)
        try:
            content = path.read_bytes()  # a mapped file that is cut short ends the process
            tensors = load(content)
            if _stated_checksum(content) != _checksum(tensors):
                return None
            sites = sorted({name.rsplit(".", 1)[0] for name in tensors})
            adapters = {
                site: LoRA(tensors[f"{site}.a"][None], tensors[f"{site}.b"][None], 1.0)
                for site in sites
            }
        except (OSError, SafetensorError, KeyError):  # absent, damaged or not of ours
            return None
        with suppress(OSError):
            _touch(path)
        return adapters

    def _write(self, key: str, adapters: Adapters) -> None:
        tensors = {}
        for site, lora in adapters.items():
            tensors[f"{site}.a"], tensors[f"{site}.b"] = _plain(lora.a[0]), _plain(lora.b[0])
        content = save(tensors, {CHECKSUM: _checksum(tensors)})
        if len(content) <= self.limit_bytes:
            with suppress(OSError):
                write_atomically(self._path(key), content)
                _touch(self._path(key))

    def _evict(self) -> None:
        """Delete what was not used for longest until the rest is within the limit."""
        files = []
        with suppress(OSError):
            # What a killed process left half written bears the ending inside its name.
            for path in self.folder.glob(f"*{ENDING}*"):
                with suppress(OSError):  # another process was faster
                    state = path.stat()
                    files.append((state.st_mtime_ns, state.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self.limit_bytes:
                return
            with suppress(OSError):
                path.unlink(missing_ok=True)
            total -= size


def adapter_cache() -> AdapterCache:
    """The cache of this machine, of one GiB."""
    return AdapterCache(CACHE / "adapters", LIMIT_BYTES)


def _touch(path: Path) -> None:
    """Set the time of use; the clock of file systems alone is too coarse to order uses by."""
    now = time.time_ns()
    os.utime(path, ns=(now, now))


def _plain(part: Tensor) -> Tensor:
    return part.detach().to("cpu", torch.float32).contiguous()


def _stated_checksum(content: bytes) -> str | None:
    """The checksum in the header of a safetensors file: its length, and then JSON."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    return metadata.get(CHECKSUM)


def _checksum(tensors: dict[str, Tensor]) -> str:
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(name.encode(), value)
        value = zlib.crc32(tensors[name].flatten().view(torch.uint8).numpy().data, value)
    return f"{value:08x}"
