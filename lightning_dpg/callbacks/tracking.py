"""Where a run is logged: a CSV file always, Weights & Biases as the settings say."""

from __future__ import annotations

import netrc
import os
from pathlib import Path

from lightning.pytorch.loggers import Logger, WandbLogger

from lightning_dpg.callbacks.resume import MetricsLog
from lightning_dpg.config import Arm, Config, to_yaml
from lightning_dpg.errors import UserError
from lightning_dpg.records import TRAITS
from lightning_dpg.report.plots import deviation_chart
from lightning_dpg.report.reading import Estimate, read_run
from lightning_dpg.report.style import looks
from lightning_dpg.report.tables import headline_rows


def make_loggers(arm: Arm, config: Config, run: Path, start: int = 0) -> list[Logger]:
    """A CSV log always, from step `start` on, and Weights & Biases as the settings say."""
    loggers: list[Logger] = [MetricsLog(run / arm, start)]
    if config.logging.wandb != "disabled":
        loggers.append(_wandb_logger(arm, config, run))
    return loggers


def log_results(config: Config, run: Path) -> None:
    """Send the closing evaluation to Weights & Biases: the headline table and the chart."""
    if config.logging.wandb == "disabled":
        return
    import wandb

    logger, read = _wandb_logger("evaluation", config, run), read_run(run)
    columns = ["arm", "psdc_l2", "low", "high", *(f"r_{trait}" for trait in TRAITS), "unscored"]
    rows = [
        [r.label, *_ends(r.l2), *r.trait_r, r.unscored if r.scored else None]
        for r in headline_rows(read)
    ]
    logger.log_table("evaluation/arms", columns=columns, data=rows)
    chart = deviation_chart(read.arms, read.trivial, looks([arm.name for arm in read.arms]))
    logger.experiment.log({"evaluation/psdc": wandb.Image(chart)})
    logger.experiment.finish()


def _wandb_logger(part: str, config: Config, run: Path) -> WandbLogger:
    import wandb

    mode = config.logging.wandb
    if mode == "online" and not _has_wandb_key():
        raise UserError(
            "logging.wandb=online needs a key: set WANDB_API_KEY or run `wandb login`, "
            "or leave logging.wandb=auto, which logs offline without one"
        )
    return WandbLogger(
        name=f"{config.name}/{run.name}/{part}",
        save_dir=run,
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


def _ends(value: Estimate | None) -> list[float | None]:
    return [value.mean, value.low, value.high] if value else [None] * 3


def _has_wandb_key() -> bool:
    """Whether Weights & Biases would find a key without asking anybody."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return any("wandb" in host for host in netrc.netrc().hosts)
    except (OSError, netrc.NetrcParseError):
        return False
