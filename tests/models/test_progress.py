"""A training that was interrupted: what `last.ckpt` must hold before it is gone on with."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lightning_dpg
from lightning_dpg.callbacks.resume import AtomicCheckpointIO
from lightning_dpg.config import Config
from lightning_dpg.data.samples import Sample
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.checkpoint import FORMAT, KEY, read_progress
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.training import _steps_done
from tests.models.conftest import Batches, MakeModule, trainer
from tests.models.test_checkpoint import Payload, rewritten

Interrupted = tuple[PersonalityModule, Path]


@pytest.fixture
def interrupted(make_module: MakeModule, samples: list[Sample], tmp_path: Path) -> Interrupted:
    module, path = make_module(), tmp_path / "last.ckpt"
    run = trainer(2, plugins=[AtomicCheckpointIO()])
    run.fit(module, Batches(module, samples[:6]))
    run.save_checkpoint(path)
    return module, path


def refused(interrupted: Interrupted) -> str:
    module, path = interrupted
    with pytest.raises(UserError) as error:
        _steps_done(path, module)
    assert str(path) in str(error.value)
    return str(error.value)


def test_it_says_how_far_it_came(interrupted: Interrupted, tmp_path: Path) -> None:
    module, path = interrupted
    identity, steps = read_progress(path)
    assert (identity, steps) == (module.identity, 2)
    assert _steps_done(path, module) == 2
    assert _steps_done(tmp_path / "none.ckpt", module) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.95])
def test_a_truncated_file_is_one_clear_error(interrupted: Interrupted, share: float) -> None:
    _, path = interrupted
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    message = refused(interrupted)
    assert "is damaged or no checkpoint" in message
    assert message.endswith(f"To train this arm from its beginning, delete {path}")


@pytest.mark.parametrize("how", ["inside a real one", "pickle"])
def test_code_is_refused_and_not_run(interrupted: Interrupted, tmp_path: Path, how: str) -> None:
    _, path = interrupted
    target = tmp_path / "executed"
    if how == "pickle":
        path.write_bytes(pickle.dumps({KEY: Payload(target), "state_dict": {}}))
    else:
        rewritten(path, lambda stored: stored.update(callbacks=Payload(target)))
    assert "more than tensors and plain data" in refused(interrupted)
    reader = AtomicCheckpointIO()
    with pytest.raises(pickle.UnpicklingError):  # nor does the trainer's own reader run it
        reader.load_checkpoint(path, weights_only=False)
    assert not target.exists()


def test_another_backbone_and_other_sites_are_named(
    interrupted: Interrupted,
    make_module: MakeModule,
    make_backbone: Callable[..., Backbone],
    config: Config,
) -> None:
    _, path = interrupted
    other = make_module(on=make_backbone(seed=3))
    message = refused((other, path))
    assert "backbone: the checkpoint has 'tiny-random-llama@seed=0/none/float32'" in message
    config.lora.projections = ["q", "o"]
    assert "sites: the checkpoint has 4" in refused((make_module(on=make_backbone()), path))


@pytest.mark.parametrize(("change", "advice"), [(1, "install a newer"), (-1, "train again")])
def test_another_format_is_named(interrupted: Interrupted, change: int, advice: str) -> None:
    _, path = interrupted
    rewritten(path, lambda stored: stored[KEY].update(format=FORMAT + change))
    assert f"has format {FORMAT + change}, this version reads {FORMAT}: {advice}" in refused(
        interrupted
    )


@pytest.mark.parametrize("lost", ["optimizer_states", "global_step", KEY])
def test_what_holds_no_training_is_named(interrupted: Interrupted, lost: str) -> None:
    """Such as a `model.ckpt` by another name."""
    _, path = interrupted
    rewritten(path, lambda stored: stored.pop(lost))
    message = refused(interrupted)
    assert ("lacks the entry" if lost == KEY else "no training that could go on") in message


def test_nothing_in_the_package_reads_pickles() -> None:
    """Every reader of tensors says so, and no other reader of objects is used."""
    for file in Path(lightning_dpg.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for call in re.findall(r"torch\.load\(.*", text):
            assert "weights_only=True" in call, f"{file}: {call}"
        assert not re.search(r"pickle\.loads?\(|allow_pickle=True|joblib", text), file


def test_a_full_disk_leaves_the_checkpoint_that_was(
    interrupted: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, path = interrupted
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        AtomicCheckpointIO().save_checkpoint({"global_step": 9}, path)
    assert path.read_bytes() == before and _steps_done(path, module) == 2
