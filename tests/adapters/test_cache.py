"""Adapters on disk: found again without the hypernetwork, bounded, shared by processes."""

from __future__ import annotations

import multiprocessing
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lightning_dpg.adapters.blend import blended
from lightning_dpg.adapters.cache import AdapterCache
from lightning_dpg.models.lora import Adapters, LoRA
from lightning_dpg.models.module import PersonalityModule
from tests.adapters.conftest import ANNA, BEN, SOURCES, Train, single

LARGE = 2**24
SITE = "model.layers.0.self_attn.q_proj"
BLENDS = [single(ANNA), single(BEN)]


class Maker:
    """Makes adapters that say whose they are, and keeps which were asked for."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys, self.made = keys, list[str]()

    def __call__(self, missing: Sequence[int]) -> list[Adapters]:
        self.made += [self.keys[i] for i in missing]
        return [marked(self.keys[i]) for i in missing]


def marked(key: str) -> Adapters:
    value = float(int(key, 16))
    a, b = torch.full((1, 2, 64), value), torch.full((1, 32, 2), -value)
    return {SITE: LoRA(a, b, 1.0)}


def get(cache: AdapterCache, *keys: str) -> list[str]:
    """Ask for keys, see that each gets its own, and say which were made."""
    make = Maker(keys)
    for key, found in zip(keys, cache.get(keys, make), strict=True):
        lora, expected = found[SITE], marked(key)[SITE]
        assert torch.equal(lora.a, expected.a) and torch.equal(lora.b, expected.b)
        assert lora.scale == 1.0
    return make.made


@pytest.mark.parametrize("source", SOURCES)
def test_a_hit_runs_no_hypernetwork_and_is_the_same_to_the_last_bit(
    train: Train, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, cache = train(source), AdapterCache(tmp_path / "cache", LARGE)
    first = blended(module, BLENDS, cache)
    plain = blended(module, BLENDS)

    def refuse(*_: Any) -> None:
        raise AssertionError("the hypernetwork ran")

    monkeypatch.setattr(PersonalityModule, "adapters_for", refuse)
    monkeypatch.setattr(module.adapters, "forward", refuse)
    again = blended(module, BLENDS[::-1], AdapterCache(cache.folder, LARGE))
    for name, lora in again.items():
        for other in (first[name], plain[name]):
            assert torch.equal(lora.a, other.a) and torch.equal(lora.b.flip(0), other.b)
    with pytest.raises(AssertionError, match="ran"):
        blended(module, [single(replace(BEN, description="Someone else."))], cache)


def change_weight(module: PersonalityModule) -> None:
    with torch.no_grad():
        next(module.adapters.parameters()).view(-1)[0] += 1e-3


def turn_dial(module: PersonalityModule) -> None:
    module.dial.matrix[0, 0] = 0.5


def guide(module: PersonalityModule) -> None:
    module.config.hypernetwork.guidance = 7.0


def rescale(module: PersonalityModule) -> None:
    module.config.lora.alpha = 1.0


def requantise(module: PersonalityModule) -> None:
    module.backbone = replace(module.backbone, identity="another/nf4/bfloat16")


def exchange_backbone(module: PersonalityModule) -> None:
    with torch.no_grad():
        module.backbone.model.get_output_embeddings().weight.mul_(1.3)


@pytest.mark.parametrize(
    "change", [change_weight, turn_dial, guide, rescale, requantise, exchange_backbone]
)
def test_whatever_adapters_depend_on_makes_them_anew(
    train: Train, tmp_path: Path, change: Callable[[PersonalityModule], None]
) -> None:
    module, cache = train("imprint"), AdapterCache(tmp_path, LARGE)
    blended(module, BLENDS, cache)
    blended(module, BLENDS, cache)
    assert len(list(tmp_path.iterdir())) == 2
    change(module)
    blended(module, BLENDS, cache)
    assert len(list(tmp_path.iterdir())) == 4


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    cache = AdapterCache(tmp_path / "new", LARGE)
    assert get(cache, "a1", "b2") == ["a1", "b2"]
    assert get(cache, "b2", "c3", "a1") == ["c3"]


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    get(AdapterCache(tmp_path, LARGE), "a")
    size = next(tmp_path.iterdir()).stat().st_size
    cache = AdapterCache(tmp_path, 3 * size)
    for key in ("b", "c"):
        get(cache, key)
    assert get(cache, "a") == []  # used again: b is the oldest now
    assert get(cache, "d") == ["d"]
    assert {path.stem for path in tmp_path.iterdir()} == {"a", "c", "d"}
    get(AdapterCache(tmp_path, size - 1), "e")  # larger than all that may be kept
    assert not list(tmp_path.iterdir())


def test_the_remains_of_a_killed_process_go_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / ".a.safetensors-123").write_bytes(bytes(LARGE))
    (tmp_path / "notes.txt").write_bytes(bytes(LARGE))
    assert get(AdapterCache(tmp_path, LARGE), "b") == ["b"]
    assert {path.name for path in tmp_path.iterdir()} == {"b.safetensors", "notes.txt"}


def flip(content: bytes) -> bytes:
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


@pytest.mark.parametrize(
    "damage", [lambda c: b"", lambda c: c[:5], lambda c: c[:-7], flip, lambda c: b"\xff" * 64]
)
def test_a_damaged_file_is_made_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    cache = AdapterCache(tmp_path, LARGE)
    get(cache, "a")
    path = tmp_path / "a.safetensors"
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert get(cache, "a") == ["a"]
    assert path.read_bytes() == whole and get(cache, "a") == []


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = AdapterCache(tmp_path / "file" / "cache", LARGE)
    assert get(cache, "a") == get(cache, "a") == ["a"]


def work(folder: Path, limit: int, seed: int) -> None:
    cache, own = AdapterCache(folder, limit), random.Random(seed)
    for _ in range(60):
        get(cache, *own.sample([f"{i:x}" for i in range(1, 13)], 3))


def vandalise(folder: Path, seed: int) -> None:
    """Cut files short, in place, and delete others, while they are read and written."""
    own = random.Random(seed)
    for _ in range(300):
        for path in own.sample(found := list(folder.glob("*.safetensors")), min(1, len(found))):
            try:
                if own.random() < 0.5:
                    path.unlink()
                else:
                    os.truncate(path, own.randrange(900))
            except FileNotFoundError:
                pass


def test_processes_share_a_folder_that_overflows_and_is_damaged(tmp_path: Path) -> None:
    get(AdapterCache(tmp_path, LARGE), "f")
    limit = 5 * next(tmp_path.iterdir()).stat().st_size
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=work, args=(tmp_path, limit, i)) for i in range(3)]
    processes.append(context.Process(target=vandalise, args=(tmp_path, 9)))
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    get(AdapterCache(tmp_path, limit), "e")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= limit
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors"}
