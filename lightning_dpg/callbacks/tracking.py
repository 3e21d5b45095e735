"""Where a run is logged: a CSV file always, Weights & Biases as the settings say."""

from __future__ import annotations

import netrc
import os
from pathlib import Path

from lightning.pytorch.loggers import Logger, WandbLogger

from lightning_dpg.callbacks.resume import MetricsLog
from lightning_dpg.config import Arm, Config, to_yaml
from lightning_dpg.errors import UserError
from lightning_dpg.report.flat import flat_tables
from lightning_dpg.report.gallery import overview
from lightning_dpg.report.reading import read_run, run_of
from lightning_dpg.report.style import looks


def make_loggers(arm: Arm, config: Config, run: Path, start: int = 0) -> list[Logger]:
    """A CSV log always, from step `start` on, and Weights & Biases as the settings say."""
    loggers: list[Logger] = [MetricsLog(run / arm, start)]
    if config.logging.wandb != "disabled":
        loggers.append(_wandb_logger(arm, config, run))
    return loggers


def log_results(config: Config, folder: Path) -> None:
    """Send an evaluation to Weights & Biases: the tables and figures of its report.

    Args:
        config: settings of the evaluation.
        folder: of a run, or of a further evaluation inside one, which is logged in the group of the
            run under its own name.
    """
    if config.logging.wandb == "disabled":
        return
    import wandb

    read, run = read_run(folder), run_of(folder)
    part = f"evaluation/{folder.name}" if read.is_evaluation else "evaluation"
    logger = _wandb_logger(part, config, run, folder)
    for name, table in flat_tables(read).items():
        logger.log_table(f"evaluation/{name}", columns=table.columns, data=table.rows)
    figures = overview(read, looks(read.arm_names))
    images = {f"figures/{name}": wandb.Image(one.figure) for name, one in figures.items()}
    logger.experiment.log(images)
    logger.experiment.finish()


def _wandb_logger(part: str, config: Config, run: Path, folder: Path | None = None) -> WandbLogger:
    """The log of a part of a run, kept in the folder of the run or in another."""
    import wandb

    mode = config.logging.wandb
    if mode == "online" and not _has_wandb_key():
        raise UserError(
            "logging.wandb=online needs a key: set WANDB_API_KEY or run `wandb login`, "
            "or leave logging.wandb=auto, which logs offline without one"
        )
    return WandbLogger(
        name=f"{config.name}/{run.name}/{part}",
        save_dir=folder or run,
        project=config.logging.project,
        entity=config.logging.entity,
        group=f"{config.name}/{run.name}",
        offline=mode == "offline" or not _has_wandb_key(),
        config={"part": part, "settings": to_yaml(config)},
        settings=wandb.Settings(console="off", silent=True),
        reinit="create_new",
        # A run that is taken up again goes on in the same place.
        id=f"{config.name}-{run.name}-{part}".replace("/", "-"),
        resume="allow",
    )


def _has_wandb_key() -> bool:
    """Whether Weights & Biases would find a key without asking anybody."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return any("wandb" in host for host in netrc.netrc().hosts)
    except (OSError, netrc.NetrcParseError):
        return False
