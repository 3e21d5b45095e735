"""Two processes that train together: the same weights in both, and those that one would get."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from lightning_dpg import processes
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.config import Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.collate import Batch
from lightning_dpg.data.datamodule import DialogueDataModule
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Rating
from lightning_dpg.strategies import make_strategy
from lightning_dpg.training import (
    LAST,
    MODEL,
    RESPONSE,
    make_datamodule,
    make_module,
    train_arm,
)
from tests.callbacks.test_resume import Power, dies, rows
from tests.distributed.forked import LONGEST, run_in_two, start_two
from tests.models.conftest import stir, trainer
from tests.models.test_module import nll_by_hand

Found = dict[str, Any]
STRATEGIES: tuple[Literal["ddp", "fsdp"], ...] = ("ddp", "fsdp")
STEPS = 4


@pytest.fixture
def config(config: Config) -> Config:
    """Greedy replies, so that nothing depends on who speaks beside whom."""
    config.data.batch_size, config.logging.wandb = 2, "disabled"
    config.hypernetwork.description_dropout = 0.5
    config.objective.other_profile = "alternate"
    t, e = config.trainer, config.evaluation
    t.max_steps, t.warmup_steps, t.log_every, t.learning_rate = STEPS, 2, 1, 1e-2
    t.checkpoint_every, t.validate_every, t.validation_batches = 1, 2, 2
    e.validation_personas, e.validation_replies, e.max_new_tokens, e.temperature = 3, 1, 4, 0.0
    config.calibration.profiles, config.calibration.replies = 8, 1
    return config


class Watched:
    """What training did in this process."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, list[str]]] = []
        self.losses: list[float] = []
        self.wrapped: set[str] = set()
        self.rated: list[int] = []

    def taken(self) -> Found:
        """What was seen since it was last asked."""
        found = dict(vars(self))
        self.__init__()  # type: ignore[misc]
        return found


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Forks take the patches along."""
    watched = Watched()
    step, rate = PersonalityModule.training_step, ScriptedAssessor.rate

    def training_step(self: PersonalityModule, batch: Batch, batch_idx: int) -> Tensor:
        watched.batches.append((self._turn(batch_idx), [s.reply for s in batch["samples"]]))
        model = self.trainer.strategy.model
        if isinstance(model, DistributedDataParallel):
            watched.wrapped = {name for name, _ in model.module.named_parameters()}
        loss = step(self, batch, batch_idx)
        watched.losses.append(float(loss.detach()))
        return loss

    def rating(self: ScriptedAssessor, texts: Any, **options: Any) -> list[Rating]:
        watched.rated.append(len(texts))
        return rate(self, texts, **options)

    monkeypatch.setattr(PersonalityModule, "training_step", training_step)
    monkeypatch.setattr(ScriptedAssessor, "rate", rating)
    return watched


@pytest.fixture
def train(corpus: Corpus, make_backbone: Callable[..., Backbone]) -> Callable[..., Found]:
    def go(config: Config, run: Path) -> Found:
        module = train_arm("dpg", config, corpus, make_backbone(), ScriptedAssessor(), run)
        return {name: tensor.clone() for name, tensor in module.state_dict().items()}

    return go


def sharing(config: Config, strategy: Literal["ddp", "fsdp"]) -> Config:
    shared = deepcopy(config)
    shared.trainer.strategy, shared.trainer.devices = strategy, 2
    return shared


def same(one: Found, other: Found) -> bool:
    return set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)


def test_two_processes_learn_what_one_learns_from_as_many_batches(
    config: Config, train: Callable[..., Found], watched: Watched, tmp_path: Path
) -> None:
    """Two processes at a step are one that accumulates two batches: an oracle for all of it."""
    alone = deepcopy(config)
    alone.trainer.accumulate = 2
    expected = train(alone, tmp_path / "alone")
    seen_alone = watched.taken()

    def in_both(rank: int) -> dict[str, Found]:
        found: dict[str, Found] = {}
        for strategy in STRATEGIES:
            shared = sharing(config, strategy)
            processes.join(shared.trainer)
            assert (processes.count(), processes.is_first()) == (2, rank == 0)
            weights = train(shared, tmp_path / strategy)
            found[strategy] = {"weights": weights, **watched.taken()}
        processes.part()
        return found

    first, second = run_in_two(in_both, tmp_path, grouped=False)
    for strategy in STRATEGIES:
        one, other = first[strategy], second[strategy]
        assert same(one["weights"], other["weights"])
        for name, learned in expected.items():
            got, tensor = one["weights"][name], learned
            if name.endswith("in_proj_bias"):
                # A bias of the keys changes no attention: its gradient is rounding, and Adam
                # makes steps of full size of it.
                got, tensor = (torch.cat(part.chunk(3)[::2]) for part in (got, tensor))
            torch.testing.assert_close(got, tensor, rtol=1e-3, atol=1e-5)
        taken = [b for step in zip(one["batches"], other["batches"], strict=True) for b in step]
        assert taken == seen_alone["batches"] and len(taken) == 2 * STEPS
        assert other["rated"] == [] and one["rated"][:2] == [3, 3]  # all personas, by the first
        curve, wanted = rows(tmp_path / strategy), rows(tmp_path / "alone")
        trained = [float(row["train/loss"]) for row in curve if row["train/loss"]]
        means = [sum(pair) / 2 for pair in zip(one["losses"], other["losses"], strict=True)]
        assert trained == pytest.approx(means, rel=1e-5)
        accumulated = [float(row["train/loss"]) for row in wanted if row["train/loss"]]
        assert trained == pytest.approx(accumulated, rel=1e-3)
        validated = [row for row in curve if row["val/loss"]]
        assert len(validated) == STEPS / 2
        for row, as_one in zip(validated, [r for r in wanted if r["val/loss"]], strict=True):
            names = [name for name in as_one if name.startswith("val/")]
            assert {"val/psdc", "val/unscored", "val/trait_r/openness"} < set(names)
            got, aim = ([float(r[name]) for name in names] for r in (row, as_one))
            assert got == pytest.approx(aim, rel=1e-3, nan_ok=True)
        assert {path.name for path in (tmp_path / strategy / "dpg").iterdir()} == {
            *(MODEL, LAST, RESPONSE, "metrics.csv")
        }
    trained_names = {name for name in expected if not name.startswith("dial.")}
    assert {n for n in first["ddp"]["wrapped"]} <= trained_names  # and nothing of the backbone
    assert first["ddp"]["wrapped"]


def test_validation_is_the_mean_over_all_samples_however_they_are_shared(
    config: Config, corpus: Corpus, make_backbone: Callable[..., Backbone], tmp_path: Path
) -> None:
    """Three samples for two processes: one has twice as many as the other."""
    config.data.batch_size, config.trainer.validation_batches = 1, 3

    def make() -> tuple[PersonalityModule, DialogueDataModule]:
        backbone = make_backbone()
        data = make_datamodule("dpg", config, corpus, backbone)
        data.split["validation"] = data.split["train"][:3]
        module = make_module("dpg", config, corpus, backbone, data)
        stir(module)
        return module, data

    def in_both(rank: int) -> list[dict[str, float]]:
        del rank
        found = []
        for strategy in STRATEGIES:
            shared = sharing(config, strategy).trainer
            processes.join(shared)
            how = make_strategy(shared)
            run = trainer(
                devices=2, strategy=how, limit_val_batches=3, use_distributed_sampler=False
            )
            module, data = make()
            run.validate(module, data, verbose=False)
            found.append({name: float(value) for name, value in run.callback_metrics.items()})
        processes.part()
        return found

    module, data = make()
    samples = [sample for batch in data.val_dataloader() for sample in batch["samples"]]
    own, other = (
        [
            nll_by_hand(module, s, [sign * x for x in s.profile.scores], s.profile.scores)
            for s in samples
        ]
        for sign in (1, -1)
    )
    preferred = sum(mine < its for (mine, _), (its, _) in zip(own, other, strict=True))
    assert len(samples) == 3 and preferred > 0
    expected = {
        "val/loss": sum(nats for nats, _ in own) / sum(tokens for _, tokens in own),
        "val/own_preferred": preferred / 3,
    }
    for found in run_in_two(in_both, tmp_path, grouped=False):
        for metrics in found:
            assert metrics == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_four_bit_weights_are_neither_wrapped_nor_saved(
    config: Config,
    corpus: Corpus,
    make_backbone: Callable[..., Backbone],
    watched: Watched,
    tmp_path: Path,
) -> None:
    config.trainer.max_steps, config.calibration.profiles = 2, 0
    shared = sharing(config, "ddp")

    def in_both(rank: int) -> Found:
        del rank
        # Before they come together: transformers saves, on the way to 4 bits, in the first alone.
        backbone = make_backbone(quantization="nf4")
        processes.join(shared.trainer)
        before = packed(backbone)
        module = train_arm("dpg", shared, corpus, backbone, ScriptedAssessor(), tmp_path)
        trained = {name for name, _ in module.named_parameters()}
        learned = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        frozen = {"before": before, "after": packed(backbone)}
        return {"trained": trained, "learned": learned, **frozen, **watched.taken()}

    one, other = run_in_two(in_both, tmp_path, grouped=False)
    assert same(one["learned"], other["learned"])
    for found in (one, other):
        assert found["wrapped"] == found["trained"]
        assert len(found["before"]) == 2 * 7  # and they are in 4 bits, and stay as they were
        assert same(found["before"], found["after"])
    for name in (MODEL, LAST):
        stored = torch.load(tmp_path / "dpg" / name, weights_only=True)
        assert set(stored["state_dict"]) == set(one["learned"])
        assert all(tensor.dtype == torch.float32 for tensor in stored["state_dict"].values())
    (optimizer,) = torch.load(tmp_path / "dpg" / LAST, weights_only=True)["optimizer_states"]
    assert len(optimizer["state"]) == len(one["trained"])


def packed(backbone: Backbone) -> Found:
    """Copies of the weights in 4 bits."""
    named = backbone.model.named_parameters()
    return {name: p.detach().clone() for name, p in named if p.dtype == torch.uint8}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_dies_in_two_processes_goes_on_to_the_same_curve(
    config: Config, train: Callable[..., Found], tmp_path: Path, strategy: Literal["ddp", "fsdp"]
) -> None:
    config.trainer.accumulate, config.backbone.gradient_checkpointing = 2, True
    shared = sharing(config, strategy)

    def in_both(rank: int) -> list[Found]:
        del rank
        processes.join(shared.trainer)
        whole = train(shared, tmp_path / "whole")
        with pytest.MonkeyPatch.context() as patch:
            dies(patch, "training_step", 2 * 2 + 2)  # in the middle of the third step
            with pytest.raises(Power):
                train(shared, tmp_path / "died")
        return [whole, train(shared, tmp_path / "died")]

    for whole, resumed in run_in_two(in_both, tmp_path, grouped=False):
        assert same(whole, resumed)
    assert rows(tmp_path / "died") == rows(tmp_path / "whole")
    stored = torch.load(tmp_path / "died" / "dpg" / LAST, weights_only=True)
    assert stored["global_step"] == STEPS - 1
    assert all(name.startswith(("adapters.", "dial.")) for name in stored["state_dict"])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_killed_in_two_processes_goes_on_to_the_same_curve(
    config: Config, train: Callable[..., Found], tmp_path: Path, strategy: Literal["ddp", "fsdp"]
) -> None:
    config.trainer.max_steps, config.trainer.validate_every = 20, 5
    shared = sharing(config, strategy)

    def in_both(name: str, rank: int) -> Found:
        del rank
        processes.join(shared.trainer)
        return train(shared, tmp_path / name)

    last = tmp_path / "killed" / "dpg" / LAST
    begun = start_two(partial(in_both, "killed"), tmp_path, grouped=False)
    end = time.monotonic() + LONGEST
    try:
        while not last.is_file():
            assert all(process.is_alive() for process in begun.processes)
            assert time.monotonic() < end
            time.sleep(0.005)
    finally:
        for process in begun.processes:
            process.kill()
            process.join()
    assert not last.with_name(MODEL).exists()
    assert torch.load(last, weights_only=True)["global_step"] < 20
    resumed = run_in_two(partial(in_both, "killed"), tmp_path, grouped=False)
    whole = run_in_two(partial(in_both, "whole"), tmp_path, grouped=False)
    assert same(resumed[0], whole[0]) and same(resumed[1], whole[1])
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")


def started_by(launcher: str, rank: int) -> dict[str, str]:
    """What a launcher says to one of two processes on one machine."""
    if launcher == "torchrun":
        ranks = {"RANK": str(rank), "LOCAL_RANK": str(rank), "GROUP_RANK": "0"}
        return {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2", **ranks}
    tasks = ("SLURM_NTASKS", "SLURM_NTASKS_PER_NODE", "SLURM_STEP_NUM_TASKS")
    return {
        "SLURM_JOB_NAME": "dpg",
        "SLURM_NNODES": "1",
        "SLURM_NODEID": "0",
        "SLURM_PROCID": str(rank),
        "SLURM_LOCALID": str(rank),
        **dict.fromkeys(tasks, "2"),
    }


@pytest.mark.parametrize("launcher", ["torchrun", "srun"])
def test_launchers_that_start_all_processes_are_understood(
    config: Config, train: Callable[..., Found], tmp_path: Path, launcher: str
) -> None:
    config.trainer.max_steps, config.calibration.profiles = 1, 0
    shared = sharing(config, "ddp")

    def in_both(rank: int) -> tuple[list[int], Found]:
        del os.environ["LOCAL_RANK"], os.environ["NODE_RANK"]
        os.environ |= started_by(launcher, rank)
        processes.join(shared.trainer)
        return processes.gathered(rank), train(shared, tmp_path / "run")

    (found, one), (also, other) = run_in_two(in_both, tmp_path, grouped=False)
    assert found == also == [0, 1]
    assert same(one, other)


def came(folder: Path) -> int:
    """How many came here before; the others wait for the first."""
    before = len(list(folder.glob("came*")))
    (folder / f"came{before}").touch()
    return before


def test_the_others_end_quietly_where_the_first_fails(config: Config, tmp_path: Path) -> None:
    def in_both(rank: int) -> str:
        processes.join(sharing(config, "ddp").trainer)
        assert processes.gathered(rank) == [0, 1]
        assert processes.from_first(lambda: rank) == 0
        assert processes.after_first(lambda: came(tmp_path)) == rank
        try:
            processes.from_first(lambda: 1 // 0)
        except ZeroDivisionError:
            return "failed"
        raise AssertionError("a process went on after the first had failed")

    with pytest.raises(FileNotFoundError, match="rank1"):  # it ended with status 0, and before
        run_in_two(in_both, tmp_path, grouped=False)
    assert torch.load(tmp_path / "rank0.pt") == "failed"
