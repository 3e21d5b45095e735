"""The processes of a run: how they come together, who goes first, what they tell each other.

`join` makes a group of them; before it, after `part`, and where there is but one, each function
here simply does what it is asked. The first process alone writes files and speaks to people.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

import lightning as L
import torch
import torch.distributed as dist
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from lightning_dpg.config import TrainerConfig
from lightning_dpg.errors import UserError

T = TypeVar("T")

PATIENCE = timedelta(days=30)
"""How long processes wait for the first: labels may be asked for over hours."""
PARENT = "DPG_PARENT"
"""Environment variable that names the process which started another."""


class _Group:
    """What this process knows of the others."""

    rank = 0
    waiting: dist.ProcessGroup | None = None
    """Messages go over the CPU, where one who waits holds up no GPU and no watchdog."""


def join(trainer: TrainerConfig, gpu: bool = False) -> None:
    """Come together with all processes that the settings name, once.

    Where neither torchrun nor srun has started them, this process does, by its own command line.
    All but the first are silent from here on: what goes wrong is on their standard error.

    Args:
        trainer: how many devices and nodes.
        gpu: whether each process has one; its own is the current one from here on.

    Raises:
        UserError: other processes than asked for were started, or laid out otherwise, several
            nodes without a launcher, or there are too few GPUs.
    """
    wanted = trainer.devices * trainer.nodes
    _check_started(trainer, wanted)
    if wanted == 1 or _Group.waiting is not None:
        return
    gpus = torch.cuda.device_count()
    if gpu and trainer.devices > gpus:
        raise UserError(
            f"Argument 'trainer.devices' expected at most {gpus}, the GPUs of this machine, "
            f"got {trainer.devices}"
        )
    parent = os.environ.get(PARENT)
    os.environ[PARENT] = str(os.getpid())
    fabric = L.Fabric(
        accelerator="cuda" if gpu else "cpu",
        devices=trainer.devices,
        num_nodes=trainer.nodes,
        strategy="ddp",
    )
    fabric.launch()
    _Group.rank = fabric.global_rank
    _Group.waiting = dist.new_group(backend="gloo", timeout=PATIENCE)
    if parent == str(os.getppid()):
        _end_with(int(parent))
    if not is_first():
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def part() -> None:
    """Leave the group when all have come so far: what follows, the first does alone."""
    if _Group.waiting is not None:
        dist.barrier(group=_Group.waiting)
        dist.destroy_process_group()
        _Group.waiting = None


def is_first() -> bool:
    """Whether this process is the one that writes and speaks; it stays so after `part`."""
    return _Group.rank == 0


def count() -> int:
    """How many processes there are."""
    return dist.get_world_size(_Group.waiting) if _Group.waiting is not None else 1


def from_first(action: Callable[[], T]) -> T:
    """What the first process finds or does, told to all; it may take as long as it likes.

    Where it fails, it alone raises, and the others end: one message is enough.

    Args:
        action: run by the first process; its result must be plain enough to be pickled.
    """
    if count() == 1:
        return action()
    told: list[Any] = [None]
    if is_first():
        try:
            told = [("done", action())]
        finally:
            dist.broadcast_object_list(told, src=0, group=_Group.waiting)
    else:
        dist.broadcast_object_list(told, src=0, group=_Group.waiting)
    if told[0] is None:
        _end()
    found: T = told[0][1]
    return found


def after_first(action: Callable[[], T]) -> T:
    """Do something in every process, the others when the first is done and has left it in a cache.

    Args:
        action: run by every process.
    """
    mine: list[T] = []
    from_first(lambda: mine.append(action()))
    return mine[0] if mine else action()


def gathered(mine: T) -> list[T]:
    """What each process has, in their order, in every process."""
    if count() == 1:
        return [mine]
    found: list[Any] = [None] * count()
    dist.all_gather_object(found, mine, group=_Group.waiting)
    return found


def _check_started(trainer: TrainerConfig, wanted: int) -> None:
    """Compare what torchrun or srun has started with what the settings say."""
    if TorchElasticEnvironment.detect():
        how, started = "torchrun", int(os.environ["WORLD_SIZE"])
    elif _in_slurm():
        how, started = "srun", int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))
    elif trainer.nodes > 1 and "NODE_RANK" not in os.environ:
        raise UserError(
            f"trainer.nodes={trainer.nodes} needs a command on each of them: start them by "
            "torchrun or srun (docs/training.md)"
        )
    else:
        return
    if started != wanted:
        raise UserError(
            f"trainer.devices={trainer.devices} and trainer.nodes={trainer.nodes} ask for "
            f"{wanted} process{'es' * (wanted > 1)}, and there {'are' if started > 1 else 'is'} "
            f"{started}: start as many by {how} as the settings say (docs/training.md)"
        )
    if how == "srun" and wanted > 1:
        _check_layout(trainer)


def _check_layout(trainer: TrainerConfig) -> None:
    """Compare how SLURM was asked to lay out tasks with what the settings say.

    Lightning reads the same two numbers, and ends with errors of its own where they do not fit.
    """
    nodes = os.environ.get("SLURM_NNODES", str(trainer.nodes))
    tasks = os.environ.get("SLURM_NTASKS_PER_NODE")
    if (nodes, tasks) == (str(trainer.nodes), str(trainer.devices)):
        return
    each = f"--ntasks-per-node={tasks}" if tasks else "no --ntasks-per-node"
    raise UserError(
        f"trainer.devices={trainer.devices} and trainer.nodes={trainer.nodes} expected "
        f"--nodes={trainer.nodes} and --ntasks-per-node={trainer.devices} of SLURM, got "
        f"--nodes={nodes} and {each}: give both to sbatch or srun (docs/training.md)"
    )


def _in_slurm() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of srun not being used, which is no mistake here
        return SLURMEnvironment.detect()


def _end_with(parent: int) -> None:
    """End when the process that started this one is gone, and leave Ctrl-C to it.

    What fails because it is gone is no error of its own, and not told.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    def tell(*error: Any) -> None:
        time.sleep(1.0)  # it may be going just now
        if os.getppid() == parent:
            sys.__excepthook__(*error)

    sys.excepthook = tell
    threading.Thread(target=watch, daemon=True, name="parent-watcher").start()


def _end() -> NoReturn:
    """End without a word: the first process says why.

    Not by an exception: with any other status than 0, whoever started this process would kill the
    first before it has spoken.
    """
    sys.stderr.flush()
    os._exit(0)
