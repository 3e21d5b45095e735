"""Checkpoints: what is in them, exact reloading, and everything that is refused."""

from __future__ import annotations

import io
import pickle
import random
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lightning_dpg import __version__
from lightning_dpg.config import Config, from_dict
from lightning_dpg.data.prompts import VERSION
from lightning_dpg.data.samples import Sample
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.checkpoint import (
    FORMAT,
    KEY,
    check_identity,
    read_checkpoint,
    read_progress,
)
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile
from lightning_dpg.run.loading import load_trained
from lightning_dpg.training import load_weights
from tests.models.conftest import Batches, MakeModule, trainer

SOURCES = ["hypernetwork", "linear", "static"]
PEOPLE = [Profile((4.0, -2.0, 3.0, 0.0, -4.0)), Profile((-1.0, 2.0, -3.0, 4.0, 5.0))]
TEXTS = ["A captain.", ""]

Trained = tuple[PersonalityModule, Path]


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def train(module: PersonalityModule, samples: list[Sample], path: Path) -> Trained:
    module.config.trainer.learning_rate, module.config.trainer.warmup_steps = 0.05, 0
    run = trainer(3)
    run.fit(module, Batches(module, samples[:9]))
    run.save_checkpoint(path, weights_only=True)
    return module, path


@pytest.fixture
def trained(make_module: MakeModule, samples: list[Sample], tmp_path: Path) -> Trained:
    return train(make_module(), samples, tmp_path / "model.ckpt")


def content(path: Path) -> dict[str, Any]:
    return dict(torch.load(path, weights_only=True))


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    stored = content(path)
    change(stored)
    torch.save(stored, path)
    return path


def test_holds_only_what_was_trained(
    make_module: MakeModule, samples: list[Sample], tmp_path: Path, source: str
) -> None:
    module, path = train(make_module(source), samples, tmp_path / "model.ckpt")
    stored = content(path)
    trained = {f"adapters.{name}" for name, _ in module.adapters.named_parameters()}
    usual = {"adapters.usual_mean", "adapters.usual_spread"} if "hyper" in source else set()
    dial = {"dial.matrix", "dial.offset", "dial.described"}
    assert set(stored["state_dict"]) == trained | usual | dial
    assert "optimizer_states" not in stored and "lr_schedulers" not in stored
    buffer = io.BytesIO()
    torch.save({n: p.detach() for n, p in module.adapters.named_parameters()}, buffer)
    assert path.stat().st_size < buffer.tell() + 16_000
    backbone = sum(p.numel() for p in module.backbone.model.parameters())
    assert path.stat().st_size < 4 * backbone


def test_identity_says_what_the_weights_depend_on(trained: Trained, config: Config) -> None:
    module, path = trained
    identity, weights = read_checkpoint(path)
    assert identity == module.identity
    assert identity.backbone == "tiny-random-llama@seed=0/none/float32"
    assert identity.sites == [site.name for site in module.sites]
    assert (identity.prompt, identity.version, identity.format) == (VERSION, __version__, FORMAT)
    assert (identity.arm, identity.labels, identity.corpus) == ("dpg", "scripted", "abc")
    assert from_dict(identity.config).lora == config.lora
    assert set(weights) == set(module.state_dict())
    assert {"dial.matrix", "dial.offset", "dial.described"} < set(weights)
    assert not any("model.layers" in name and name.endswith("weight") for name in weights)


def test_reloads_exactly(
    make_module: MakeModule,
    make_backbone: Callable[..., Backbone],
    samples: list[Sample],
    tmp_path: Path,
    source: str,
) -> None:
    module, path = train(make_module(source), samples, tmp_path / "model.ckpt")
    fresh = make_module(source, on=make_backbone(), seed=7)
    expected = module.adapters_for(PEOPLE, TEXTS)
    before = {name: lora.b.clone() for name, lora in fresh.adapters_for(PEOPLE, TEXTS).items()}
    load_weights(fresh, path)
    got = fresh.adapters_for(PEOPLE, TEXTS)
    assert list(got) == list(expected)
    for name, lora in expected.items():
        assert torch.equal(got[name].a, lora.a) and torch.equal(got[name].b, lora.b)
        assert got[name].scale == lora.scale
        assert lora.delta_weight().any() and not torch.equal(before[name], lora.b)


def test_another_backbone_is_named(trained: Trained) -> None:
    module, path = trained
    identity, _ = read_checkpoint(path)
    names = [site.name for site in module.sites]
    check_identity(path, identity, identity.backbone, names)
    with pytest.raises(UserError) as error:
        check_identity(path, identity, "other/nf4/bfloat16", names)
    assert str(error.value) == (
        f"{path} does not fit this model. backbone: the checkpoint has "
        "'tiny-random-llama@seed=0/none/float32', here it is 'other/nf4/bfloat16'"
    )


def test_another_precision_fits(trained: Trained) -> None:
    module, path = trained
    identity, _ = read_checkpoint(path)
    names = [site.name for site in module.sites]
    check_identity(path, identity, identity.backbone.replace("float32", "bfloat16"), names)
    with pytest.raises(UserError, match="backbone"):
        check_identity(path, identity, identity.backbone.replace("none", "nf4"), names)


def test_another_prompt_version_is_named(trained: Trained) -> None:
    module, path = trained
    identity, _ = read_checkpoint(path)
    old = replace(identity, prompt="prompt-0")
    with pytest.raises(UserError) as error:
        check_identity(path, old, identity.backbone, [site.name for site in module.sites])
    assert str(error.value).endswith(
        f"prompt: the checkpoint has 'prompt-0', here it is {VERSION!r}"
    )


def test_other_sites_are_named(
    trained: Trained,
    make_module: MakeModule,
    make_backbone: Callable[..., Backbone],
    config: Config,
) -> None:
    _, path = trained
    config.lora.projections = ["q", "o"]
    other = make_module(on=make_backbone())
    before = {n: p.clone() for n, p in other.state_dict().items()}
    with pytest.raises(UserError) as error:
        load_weights(other, path)
    message = str(error.value)
    assert "sites: the checkpoint has 4, here there are 4" in message
    assert "only in the checkpoint: model.layers.0.self_attn.v_proj" in message
    assert "only here: model.layers.0.self_attn.o_proj" in message
    assert "backbone" not in message and "prompt:" not in message
    assert all(torch.equal(before[n], p) for n, p in other.state_dict().items())


def test_sites_in_another_order_are_refused(trained: Trained) -> None:
    module, path = trained
    identity, _ = read_checkpoint(path)
    names = [site.name for site in module.sites]
    with pytest.raises(UserError, match="the same 4 sites in another order"):
        check_identity(path, identity, identity.backbone, names[::-1])


def test_all_differences_are_named_at_once(trained: Trained) -> None:
    _, path = trained
    identity, _ = read_checkpoint(path)
    with pytest.raises(UserError) as error:
        check_identity(path, replace(identity, prompt="prompt-0"), "other", ["model.layers.0.q"])
    for part in ("backbone: ", "prompt: ", "sites: the checkpoint has 4, here there are 1"):
        assert part in str(error.value)


class Payload:
    """Unpickled, it makes a file: what a hostile checkpoint would do."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("how", ["torch.save", "pickle", "inside a real one"])
def test_code_is_refused_and_not_run(trained: Trained, tmp_path: Path, how: str) -> None:
    _, path = trained
    target = tmp_path / "executed"
    if how == "pickle":
        path.write_bytes(pickle.dumps({KEY: Payload(target), "state_dict": {}}))
    elif how == "torch.save":
        torch.save(Payload(target), path)
    else:
        stored = content(path)
        stored["callbacks"] = Payload(target)
        torch.save(stored, path)
    with pytest.raises(UserError) as error:
        read_checkpoint(path)
    assert str(path) in str(error.value) and "more than tensors and plain data" in str(error.value)
    assert not target.exists()
    torch.load(path, weights_only=False) if how != "pickle" else pickle.loads(path.read_bytes())
    assert target.exists()  # the payload works: it was refused, not broken


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.95])
def test_a_truncated_file_is_damaged(trained: Trained, share: float) -> None:
    _, path = trained
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"model\.ckpt is damaged or no checkpoint"):
        read_checkpoint(path)


@pytest.mark.parametrize("text", [b"hello\n", b"{}", b"\x00" * 64, b"PK\x03\x04 no archive"])
def test_a_file_of_another_kind_is_no_checkpoint(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(text)
    with pytest.raises(UserError, match=r"notes\.txt (is damaged|holds more)"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "stored",
    [{"state_dict": {"weight": torch.zeros(1)}, "epoch": 3}, torch.zeros(2), [1, 2]],
    ids=["lightning", "tensor", "list"],
)
def test_another_programs_checkpoint_is_named_as_such(tmp_path: Path, stored: Any) -> None:
    path = tmp_path / "other.ckpt"
    torch.save(stored, path)
    with pytest.raises(UserError, match=r"other\.ckpt is no checkpoint of lightning_dpg: it lacks"):
        read_checkpoint(path)


def test_a_newer_format_asks_for_a_newer_version(trained: Trained) -> None:
    _, path = trained

    def change(stored: dict[str, Any]) -> None:
        stored[KEY] = {**stored[KEY], "format": FORMAT + 1, "something_new": 1}

    with pytest.raises(UserError) as error:
        read_checkpoint(rewritten(path, change))
    message = f"{path} has format {FORMAT + 1}, this version reads {FORMAT}: install a newer"
    assert message in str(error.value)


def test_an_older_format_asks_to_train_again(trained: Trained) -> None:
    _, path = trained

    def change(stored: dict[str, Any]) -> None:
        stored[KEY] = {**stored[KEY], "format": FORMAT - 1}

    with pytest.raises(
        UserError, match=f"has format {FORMAT - 1}, this version reads {FORMAT}: train again"
    ):
        read_checkpoint(rewritten(path, change))


@pytest.mark.parametrize("lost", ["identity", "weights", "field"])
def test_an_incomplete_checkpoint_is_one_clear_error(trained: Trained, lost: str) -> None:
    module, path = trained

    def change(stored: dict[str, Any]) -> None:
        if lost == "identity":
            stored[KEY] = "dpg"
        elif lost == "weights":
            del stored["state_dict"]
        else:
            stored[KEY] = {k: v for k, v in asdict(module.identity).items() if k != "sites"}  # type: ignore[arg-type]

    with pytest.raises(UserError, match=r"model\.ckpt is damaged or no checkpoint"):
        read_checkpoint(rewritten(path, change))


@pytest.mark.parametrize(
    ("entry", "value", "said"),
    [
        ("sites", 5, "its sites is 5, not a list of texts"),
        ("sites", ["model.layers.0.self_attn.q_proj", 5], "its sites holds names that are no text"),
        ("backbone", None, "its backbone is None, not a text"),
        ("config", [1], "its config is [1], not settings by name"),
        ("config", {1: 2}, "its config holds names that are no texts"),
        ("arm", ["dpg"], "its arm is ['dpg'], not a text"),
        ("corpus", torch.zeros(99), "its corpus is a Tensor, not a text"),
    ],
)
def test_an_entry_of_another_kind_is_named(
    trained: Trained, entry: str, value: Any, said: str
) -> None:
    _, path = trained
    rewritten(path, lambda stored: stored[KEY].update({entry: value}))
    with pytest.raises(UserError) as error:
        read_checkpoint(path)
    assert str(path) in str(error.value) and said in str(error.value)
    assert "copy it again or train again" in str(error.value)


@pytest.mark.parametrize("found", [None, "3", 3.5, torch.zeros(2)])
def test_a_format_that_is_no_number_is_another_format(trained: Trained, found: Any) -> None:
    _, path = trained
    rewritten(path, lambda stored: stored[KEY].update(format=found))
    with pytest.raises(UserError, match=f"this version reads {FORMAT}: train again"):
        read_checkpoint(path)


def test_an_unknown_arm_is_named_with_those_that_are_known(trained: Trained) -> None:
    _, path = trained
    rewritten(path, lambda stored: stored[KEY].update(arm="nobody"))
    with pytest.raises(UserError) as error:
        read_checkpoint(path)
    for part in (str(path), "the arm 'nobody'", "lora_sft", f"use lightning_dpg {__version__}"):
        assert part in str(error.value)


@pytest.mark.parametrize("weights", [7, [torch.zeros(2)], {"adapters.a": 5}])
def test_weights_that_are_no_tensors_are_named(trained: Trained, weights: Any) -> None:
    _, path = trained
    rewritten(path, lambda stored: stored.update(state_dict=weights))
    with pytest.raises(
        UserError, match=r"model\.ckpt is damaged .*(state_dict|'adapters\.a' is 5)"
    ):
        read_checkpoint(path)


@pytest.mark.parametrize("value", [{"trainer": 5}, {"lora": {"rank": [1]}}, {"nothing": 1}])
def test_settings_that_mean_nothing_are_one_error(trained: Trained, value: Any) -> None:
    """Of the right kind: what they say is read when the model is made."""
    _, path = trained
    rewritten(path, lambda stored: stored[KEY].update(config=value))
    with pytest.raises(UserError):
        load_trained(path)


def flipped(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_flipped_bit_in_a_weight_is_refused(trained: Trained) -> None:
    _, path = trained
    name, weight = max(content(path)["state_dict"].items(), key=lambda item: item[1].numel())
    flipped(path, path.read_bytes().index(weight.numpy().tobytes()) + 2 * weight.numel())
    loaded = content(path)["state_dict"][name]  # torch itself sees nothing
    assert int((loaded != weight).sum()) == 1
    with pytest.raises(UserError, match=r"model\.ckpt is damaged .*is not what was written"):
        read_checkpoint(path)
    with pytest.raises(UserError, match=f"delete {path}"):
        read_progress(path)


def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(trained: Trained) -> None:
    """Bytes between the parts of an archive, and dates, mean nothing."""
    _, path = trained
    whole, (identity, weights) = path.read_bytes(), read_checkpoint(path)
    with zipfile.ZipFile(path) as archive:
        stored = sum(entry.file_size for entry in archive.infolist())
    draw, refused = random.Random(0), 0
    for _ in range(80):
        flipped(path, draw.randrange(len(whole)))
        try:
            found, others = read_checkpoint(path)
        except UserError:
            refused += 1
        else:
            assert found == identity and list(others) == list(weights)
            assert all(torch.equal(others[name], part) for name, part in weights.items())
        path.write_bytes(whole)
    assert refused > 80 * 0.8 * stored / len(whole)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read_checkpoint(tmp_path / "none.ckpt")
    assert f"There is no checkpoint {tmp_path / 'none.ckpt'}" in str(error.value)
    assert "make train" in str(error.value)
