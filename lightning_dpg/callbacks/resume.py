"""What lets a run that was killed go on to the same curve: its state and its log."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from lightning_dpg import files
from lightning_dpg.models.checkpoint import as_bytes
from lightning_dpg.runs import write_atomically


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes the trainer's checkpoints so that a kill or a power cut leaves the old one or the new.

    Lightning's own renames a temporary file, but does not bring it to the disk before.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint to a local path."""
        del storage_options
        files.write_atomically(Path(path), as_bytes(checkpoint))

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read tensors and plain data, onto the CPU; code is refused, whatever is asked for."""
        del map_location, weights_only
        return super().load_checkpoint(path, weights_only=True)


class SaveBetweenSteps(L.Callback):
    """Saves the training state between two steps, when all of the first one is logged.

    Lightning's own checkpoints of a step are saved before its log and its validation: a run that
    is killed there and taken up again lacks both for ever.

    Args:
        path: of the checkpoint, replaced each time.
        every: optimiser steps from one to the next.
    """

    def __init__(self, path: Path, every: int) -> None:
        self.path, self.every, self._saved = path, every, 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Do not save again what was just read."""
        self._saved = trainer.global_step

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Save when a step is due; of an accumulated step only before its first batch."""
        step, loop = trainer.global_step, trainer.fit_loop.epoch_loop
        loop._batches_that_stepped = (
            step  # where a validation is skipped, restoring counts it twice
        )
        if step > self._saved and step % self.every == 0:
            self._saved = step
            for count in (loop.batch_progress.current, loop.batch_progress.total):
                count.ready -= 1  # the batch that begins here is not part of what is saved
            trainer.save_checkpoint(self.path)
            for count in (loop.batch_progress.current, loop.batch_progress.total):
                count.ready += 1


class MetricsLog(Logger):
    """What is logged, as `metrics.csv`: whole at any moment, and carried on by a resumed run.

    Args:
        folder: where the file lies.
        start: step at which the run goes on; rows of this and later steps will come again.
    """

    FILE = "metrics.csv"

    def __init__(self, folder: Path, start: int = 0) -> None:
        super().__init__()
        self.folder, self.rows = folder, []
        if start and (folder / self.FILE).is_file():
            with (folder / self.FILE).open(encoding="utf-8", newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["step"]) < start]

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def version(self) -> str:
        """There is one version."""
        return ""

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Settings lie beside the log already."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add a row."""
        self.rows.append({"step": step, **metrics})

    @rank_zero_only
    def save(self) -> None:
        """Write the file; Lightning calls this after every row."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        columns = sorted({column for row in self.rows for column in row})
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_atomically(self.folder / self.FILE, text.getvalue())
