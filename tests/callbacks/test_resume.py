"""A run that dies goes on to the same curve; here it dies of an exception, in this process."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.callbacks.resume import MetricsLog
from lightning_dpg.config import Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.training import LAST, MODEL, train_arm


class Power(Exception):
    """What fails."""


@pytest.fixture
def config(config: Config) -> Config:
    config.data.batch_size, config.logging.wandb = 2, "disabled"
    config.hypernetwork.description_dropout = 0.5  # chance inside a step must be repeated too
    t, e = config.trainer, config.evaluation
    t.max_steps, t.warmup_steps, t.log_every = 9, 2, 1
    t.checkpoint_every, t.validate_every, t.validation_batches = 2, 4, 1
    e.validation_personas, e.validation_replies, e.max_new_tokens = 2, 1, 4
    return config


@pytest.fixture
def train(
    config: Config, corpus: Corpus, make_backbone: Callable[..., Backbone]
) -> Callable[[Path], PersonalityModule]:
    def go(run: Path) -> PersonalityModule:
        return train_arm("dpg", config, corpus, make_backbone(), ScriptedAssessor(), run)

    return go


def dies(patch: pytest.MonkeyPatch, hook: str, when: int) -> None:
    """Let the n-th call of a hook of the module fail."""
    original, calls = getattr(PersonalityModule, hook), [0]

    def failing(self: PersonalityModule, *args: Any) -> Any:
        calls[0] += 1
        if calls[0] == when:
            raise Power
        return original(self, *args)

    patch.setattr(PersonalityModule, hook, failing)


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "dpg" / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize(
    ("hook", "when"),
    [
        ("training_step", 1),  # before any checkpoint
        ("training_step", 6),  # between two checkpoints, or inside an accumulated step
        ("validation_step", 1),  # in the validation of a step whose checkpoint is due
        ("validation_step", 2),
        ("on_train_batch_start", 5),
        ("on_validation_epoch_end", 2),
    ],
)
def test_a_run_that_dies_goes_on_to_the_same_curve(
    train: Callable[[Path], PersonalityModule],
    config: Config,
    tmp_path: Path,
    hook: str,
    when: int,
    accumulate: int,
) -> None:
    config.trainer.accumulate = accumulate
    whole = train(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        dies(patch, hook, when)
        with pytest.raises(Power):
            train(tmp_path / "died")
    resumed = train(tmp_path / "died")
    expected = rows(tmp_path / "whole")
    assert [int(row["step"]) for row in expected if row["train/loss"]] == list(range(9))
    assert [int(row["step"]) for row in expected if row["val/loss"]] == [3, 7]
    assert rows(tmp_path / "died") == expected
    states = whole.adapters.state_dict(), resumed.adapters.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_same_seed_gives_the_same_weights_bit_by_bit(
    train: Callable[[Path], PersonalityModule], config: Config, tmp_path: Path, precision: Any
) -> None:
    config.trainer.precision, config.trainer.max_steps = precision, 4
    one, other = (train(tmp_path / name).state_dict() for name in ("one", "other"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert rows(tmp_path / "one") == rows(tmp_path / "other")
    config.seed += 1
    third = train(tmp_path / "third").state_dict()
    assert not any(torch.equal(one[n], third[n]) for n in one if n.endswith("head.b.0"))
    assert rows(tmp_path / "one") != rows(tmp_path / "third")


def test_a_resumed_run_repeats_no_step_that_was_saved(
    train: Callable[[Path], PersonalityModule], tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        dies(patch, "training_step", 8)
        with pytest.raises(Power):
            train(tmp_path)
    assert torch.load(tmp_path / "dpg" / LAST, weights_only=True)["global_step"] == 6
    with pytest.MonkeyPatch.context() as patch:
        steps: list[int] = []
        original = PersonalityModule.training_step
        patch.setattr(
            PersonalityModule,
            "training_step",
            lambda self, batch, i: [steps.append(i), original(self, batch, i)][1],
        )
        train(tmp_path)
    assert steps == [6, 7, 8]
    assert (tmp_path / "dpg" / MODEL).is_file()


def test_the_log_keeps_what_does_not_come_again(tmp_path: Path) -> None:
    first = MetricsLog(tmp_path / "dpg")
    for step in range(4):
        first.log_metrics({"train/loss": step / 7}, step)
        first.save()
    first.log_metrics({"val/loss": 1.5}, 3)
    first.save()
    second = MetricsLog(tmp_path / "dpg", start=2)
    second.log_metrics({"train/loss": 9.0, "more": 1.0}, 2)
    second.save()
    found = rows(tmp_path)
    assert [(row["step"], row["train/loss"], row["more"]) for row in found] == [
        ("0", "0.0", ""),
        ("1", str(1 / 7), ""),
        ("2", "9.0", "1.0"),
    ]
    assert [path.name for path in (tmp_path / "dpg").iterdir()] == ["metrics.csv"]


def test_a_run_that_starts_anew_starts_its_log_anew(tmp_path: Path) -> None:
    first = MetricsLog(tmp_path / "dpg")
    first.log_metrics({"train/loss": 1.0}, 0)
    first.save()
    second = MetricsLog(tmp_path / "dpg")
    second.log_metrics({"train/loss": 2.0}, 0)
    second.save()
    assert [row["train/loss"] for row in rows(tmp_path)] == ["2.0"]
