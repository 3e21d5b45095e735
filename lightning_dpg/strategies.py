"""How several processes share what is trained: whole in each, or in shards.

The frozen backbone is shared by no strategy: it lies outside Lightning's sight, whole in every
process, so that nothing of it is wrapped, sent or saved.
"""

from __future__ import annotations

from typing import Literal

import lightning as L
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy, Strategy
from torch import Tensor

from lightning_dpg.config import TrainerConfig


def make_strategy(trainer: TrainerConfig) -> Strategy | Literal["auto"]:
    """The strategy that settings name.

    `ddp` needs no search for unused parameters: every batch reaches all of them
    (`tests/models/test_reach.py`). `fsdp` is FSDP2 (`torch.distributed.fsdp.fully_shard`), which
    leaves parameters in float32 and inputs as they are; checkpoints hold the whole.
    """
    world = trainer.devices * trainer.nodes
    if world == 1:
        return "auto"
    if in_shards(trainer):
        return ModelParallelStrategy(
            data_parallel_size=world, tensor_parallel_size=1, save_distributed_checkpoint=False
        )
    return DDPStrategy()


def environments(trainer: TrainerConfig) -> list[ClusterEnvironment]:
    """What Lightning is told of who starts processes; nothing, where it is to find out.

    One process needs nobody: an allocation of SLURM for several tasks may surround it all the same,
    and Lightning would refuse to run in it.
    """
    return [LightningEnvironment()] if trainer.devices * trainer.nodes == 1 else []


def in_shards(trainer: TrainerConfig) -> bool:
    """Whether each process holds a part alone of what is trained."""
    return trainer.strategy == "fsdp" and trainer.devices * trainer.nodes > 1


class KeepWeights(L.Callback):
    """Puts the shards of what was trained together, while all processes are still there.

    Attributes:
        weights: when training is over, whole; under `fsdp` in the first process alone.
    """

    def __init__(self) -> None:
        self.weights: dict[str, Tensor] = {}

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Every process takes part in it."""
        del pl_module
        self.weights = trainer.strategy.lightning_module_state_dict()
