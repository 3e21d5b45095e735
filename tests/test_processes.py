"""Processes that come together: what is compared with the settings before, and one alone."""

from __future__ import annotations

import os
from pathlib import Path

import lightning as L
import pytest
import torch

from lightning_dpg import processes
from lightning_dpg.ablation.grid import read_ablation
from lightning_dpg.ablation.plan import plan
from lightning_dpg.assessment.scripted import ScriptedAssessor
from lightning_dpg.config import Config, TrainerConfig, load
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.run.ablation import ablate
from lightning_dpg.strategies import make_strategy
from lightning_dpg.training import train_arm


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One that no launcher has filled."""
    for name in ("TORCHELASTIC_RUN_ID", "WORLD_SIZE", "LOCAL_RANK", processes.PARENT):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_one_process_does_what_it_is_asked(environment: pytest.MonkeyPatch) -> None:
    processes.join(TrainerConfig())
    assert (processes.count(), processes.is_first()) == (1, True)
    assert processes.from_first(lambda: 3) == 3 == processes.after_first(lambda: 3)
    assert processes.gathered("mine") == ["mine"]
    with pytest.raises(ZeroDivisionError):
        processes.from_first(lambda: 1 // 0)
    processes.part()
    assert processes.PARENT not in os.environ


def test_torchrun_must_start_as_many_as_the_settings_say(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TORCHELASTIC_RUN_ID", "none")
    environment.setenv("WORLD_SIZE", "4")
    with pytest.raises(UserError) as error:
        processes.join(TrainerConfig(devices=1, nodes=2))
    assert str(error.value) == (
        "trainer.devices=1 and trainer.nodes=2 ask for 2 processes, and there are 4: start as many "
        "by torchrun as the settings say (docs/training.md)"
    )
    with pytest.raises(UserError, match="ask for 1 process, and there are 4"):
        processes.join(TrainerConfig())  # four would do the same in one folder


@pytest.mark.parametrize(("tasks", "devices"), [(None, 2), ("4", 2), ("2", 1)])
def test_srun_must_start_as_many_as_the_settings_say(
    environment: pytest.MonkeyPatch, tasks: str | None, devices: int
) -> None:
    """`dpg train` in a batch script without srun before it is one process, whatever was asked."""
    environment.setenv("SLURM_NTASKS", "2")
    if tasks:
        environment.setenv("SLURM_STEP_NUM_TASKS", tasks)
    with pytest.raises(UserError, match="start as many by srun as the settings say"):
        processes.join(TrainerConfig(devices=devices))


@pytest.mark.parametrize(
    ("nodes", "tasks", "given"),
    [
        ("2", None, "--nodes=2 and no --ntasks-per-node"),
        ("2", "4", "--nodes=2 and --ntasks-per-node=4"),
        ("4", "2", "--nodes=4 and --ntasks-per-node=2"),
        ("1", "4", "--nodes=1 and --ntasks-per-node=4"),
    ],
)
def test_slurm_must_lay_tasks_out_as_the_settings_say(
    environment: pytest.MonkeyPatch, nodes: str, tasks: str | None, given: str
) -> None:
    """The number of tasks fits in all of them."""
    environment.setenv("SLURM_NTASKS", "4")
    environment.setenv("SLURM_STEP_NUM_TASKS", "4")
    environment.setenv("SLURM_NNODES", nodes)
    if tasks:
        environment.setenv("SLURM_NTASKS_PER_NODE", tasks)
    with pytest.raises(UserError) as error:
        processes.join(TrainerConfig(devices=2, nodes=2))
    assert str(error.value) == (
        "trainer.devices=2 and trainer.nodes=2 expected --nodes=2 and --ntasks-per-node=2 of "
        f"SLURM, got {given}: give both to sbatch or srun (docs/training.md)"
    )


BATCH_SCRIPTS = [
    {"SLURM_NTASKS": "8"},
    {"SLURM_NTASKS": "8", "SLURM_NTASKS_PER_NODE": "4", "SLURM_NNODES": "2"},
    {"SLURM_NTASKS": "1", "SLURM_STEP_NUM_TASKS": "1", "SLURM_NNODES": "2"},
]


@pytest.mark.parametrize("variables", BATCH_SCRIPTS)
def test_one_process_trains_in_any_allocation(
    environment: pytest.MonkeyPatch,
    config: Config,
    corpus: Corpus,
    backbone: Backbone,
    tmp_path: Path,
    variables: dict[str, str],
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    made: list[L.Trainer] = []
    environment.setattr(L.Trainer, "fit", lambda trainer, *_, **__: made.append(trainer))
    environment.setattr("lightning_dpg.training._finish", lambda *_: None)
    environment.setattr("lightning_dpg.training.load_weights", lambda *_: None)
    config.logging.wandb = "disabled"
    processes.join(config.trainer)
    train_arm("dpg", config, corpus, backbone, ScriptedAssessor(), tmp_path)
    (trainer,) = made
    assert (trainer.world_size, trainer.global_rank, trainer.num_nodes) == (1, 0, 1)
    assert trainer.strategy.root_device.type == "cpu"


def test_one_process_in_a_batch_script_is_alone(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SLURM_NTASKS", "8")
    processes.join(TrainerConfig())
    assert processes.count() == 1


def test_more_gpus_than_there_are(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match=r"'trainer\.devices' expected at most 2, .* got 3"):
        processes.join(TrainerConfig(devices=3), gpu=True)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (TrainerConfig(), "str"),
        (TrainerConfig(strategy="fsdp"), "str"),  # one process has nothing to share
        (TrainerConfig(devices=2), "DDPStrategy"),
        (TrainerConfig(nodes=2, strategy="ddp"), "DDPStrategy"),
        (TrainerConfig(devices=2, strategy="fsdp"), "ModelParallelStrategy"),
    ],
)
def test_settings_name_a_strategy(settings: TrainerConfig, kind: str) -> None:
    assert type(make_strategy(settings)).__name__ == kind


def test_an_ablation_is_one_process() -> None:
    planned = plan(read_ablation("components"), "smoke", ["trainer.devices=2"])
    with pytest.raises(UserError, match="An ablation trains its cells in one process"):
        ablate(planned)


def test_settings_of_processes_are_checked() -> None:
    with pytest.raises(UserError) as error:
        load("smoke", ["trainer.devices=0", "trainer.nodes=-1", "trainer.strategy=dpp"])
    assert "'trainer.strategy' expected one of auto, ddp, fsdp, got 'dpp'" in str(error.value)
    with pytest.raises(UserError) as error:
        load("smoke", ["trainer.devices=0", "trainer.nodes=-1"])
    for name, value in (("devices", 0), ("nodes", -1)):
        problem = f"Argument 'trainer.{name}' expected a positive integer, got {value}"
        assert problem in str(error.value)
