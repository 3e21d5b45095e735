"""Training one arm with Lightning: checkpoints, validation, resuming."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import LearningRateMonitor, TQDMProgressBar
from torch import Tensor

from lightning_dpg import processes
from lightning_dpg.assessment.base import Assessor
from lightning_dpg.callbacks.assess import AssessReplies
from lightning_dpg.callbacks.resume import AtomicCheckpointIO, SaveBetweenSteps
from lightning_dpg.callbacks.tracking import make_loggers
from lightning_dpg.config import Arm, Config
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.datamodule import DialogueDataModule
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.arms import ARMS
from lightning_dpg.evaluation.calibration import calibrate
from lightning_dpg.evaluation.personas import drawn_personas, held_out_personas
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.checkpoint import (
    Identity,
    check_identity,
    read_checkpoint,
    read_progress,
    write_checkpoint,
)
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.regions import parse_regions
from lightning_dpg.runs import write_atomically
from lightning_dpg.strategies import KeepWeights, environments, in_shards, make_strategy

MODEL, LAST, RESPONSE = "model.ckpt", "last.ckpt", "response.json"


def make_datamodule(
    arm: Arm,
    config: Config,
    corpus: Corpus,
    backbone: Backbone,
    test_corpus: Corpus | None = None,
) -> DialogueDataModule:
    """The data of an arm; all arms see the same samples in the same order.

    Args:
        arm: which.
        config: settings of the run.
        corpus: to train on.
        backbone: whose tokens are counted.
        test_corpus: whose characters are held out instead, if another one's are.
    """
    return DialogueDataModule(
        corpus,
        backbone.tokenizer,
        config.data,
        seed=config.seed,
        steps=config.trainer.max_steps,
        validation_batches=config.trainer.validation_batches,
        scores_in_prompt=ARMS[arm].scores_in_prompt,
        accumulate=config.trainer.accumulate,
        test_corpus=test_corpus,
    )


def make_module(
    arm: Arm, config: Config, corpus: Corpus, backbone: Backbone, data: DialogueDataModule
) -> PersonalityModule:
    """The untrained module of an arm, its weights drawn from the seed."""
    spec = ARMS[arm]
    assert spec.source is not None, f"{arm} has nothing to train"
    torch.manual_seed(config.seed)
    module = PersonalityModule(
        backbone,
        config,
        spec.source,
        data.collate,
        config.objective.contrastive_weight if spec.contrast else 0.0,
    )
    module.know_descriptions([sample.description for sample in data.split["train"]])
    names = [site.name for site in module.sites]
    card = corpus.card
    module.identity = Identity.of(
        arm, config, backbone.identity, names, card["labels"], card["hash"]
    )
    return module


def train_arm(
    arm: Arm,
    config: Config,
    corpus: Corpus,
    backbone: Backbone,
    judge: Assessor,
    run: Path,
    test_corpus: Corpus | None = None,
) -> PersonalityModule:
    """Train an arm, or take it up where it was interrupted, or load it if it is done.

    Of several processes all train; the first alone calibrates and writes.

    Args:
        arm: which.
        config: settings of the run.
        corpus: to train on.
        backbone: frozen model.
        judge: who measures at validation and to calibrate.
        run: folder, in which the arm has its own.
        test_corpus: whose characters are held out instead, if another one's are.

    Returns:
        The trained module in eval mode.

    Raises:
        UserError: a checkpoint that does not fit.
    """
    folder = run / arm
    data = make_datamodule(arm, config, corpus, backbone, test_corpus)
    module = make_module(arm, config, corpus, backbone, data)
    if not processes.from_first((folder / MODEL).is_file):
        start = processes.from_first(lambda: _steps_done(folder / LAST, module))
        kept = KeepWeights()
        trainer = _trainer(arm, config, corpus, data, module, judge, run, start, kept)
        trainer.fit(module, data, ckpt_path=folder / LAST if start else None, weights_only=True)
        if in_shards(config.trainer):  # and the module is left in them
            module = make_module(arm, config, corpus, backbone, data)
        processes.from_first(
            lambda: _finish(arm, module, kept.weights, config, data, judge, folder)
        )
    load_weights(module, folder / MODEL)
    return module.eval()


def _steps_done(last: Path, module: PersonalityModule) -> int:
    """Optimiser steps that an interrupted training has behind it; 0 where there is none.

    Raises:
        UserError: what was left is damaged, or of another model.
    """
    if not last.is_file():
        return 0
    stored, steps = read_progress(last)
    check_identity(last, stored, module.backbone.identity, [site.name for site in module.sites])
    return steps


def _finish(
    arm: Arm,
    module: PersonalityModule,
    weights: Mapping[str, Tensor],
    config: Config,
    data: DialogueDataModule,
    judge: Assessor,
    folder: Path,
) -> None:
    """Calibrate an arm that is trained, and write it down."""
    module.load_state_dict(weights)
    module.to(module.backbone.device)  # Lightning leaves a trained module on the CPU
    hears = module.reads_description
    known = [sample.description for sample in data.split["train"]] if hears else []
    response = calibrate(arm, module.eval(), config, judge, known)
    write_atomically(folder / RESPONSE, json.dumps(response, indent=1) + "\n")
    assert module.identity is not None
    learned = {name: tensor.cpu() for name, tensor in module.state_dict().items()}
    write_checkpoint(folder / MODEL, module.identity, learned)


def load_weights(module: PersonalityModule, path: Path) -> None:
    """Put a checkpoint's weights into a module.

    Raises:
        UserError: what reading raises, or a checkpoint for another model.
    """
    stored, weights = read_checkpoint(path)
    check_identity(path, stored, module.backbone.identity, [site.name for site in module.sites])
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"The weights in {path} do not fit the modules of this version: train again. ({reason})"
        ) from None
    module.to(module.backbone.device)


def _trainer(
    arm: Arm,
    config: Config,
    corpus: Corpus,
    data: DialogueDataModule,
    module: PersonalityModule,
    judge: Assessor,
    run: Path,
    start: int,
    kept: KeepWeights,
) -> L.Trainer:
    t, folder = config.trainer, run / arm
    # Said once per start and of no use here: batches are made in this process.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
    # It is: `StepSampler` goes on from the trainer's step.
    warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")
    personas = held_out_personas(corpus, data.split["validation"])
    missing = max(0, config.evaluation.validation_personas - len(personas))
    avoiding = parse_regions(config.data.held_out_regions)
    personas += drawn_personas(missing, config.seed + 1, avoiding)
    callbacks: list[L.Callback] = [
        SaveBetweenSteps(folder / LAST, t.checkpoint_every),
        AssessReplies(
            personas[: config.evaluation.validation_personas],
            judge,
            config.evaluation,
            arm=arm,
            seed=config.seed,
        ),
        LearningRateMonitor("step"),
        TQDMProgressBar(refresh_rate=5),
        kept,
    ]
    return L.Trainer(
        accelerator="gpu" if module.backbone.device.type == "cuda" else "cpu",
        strategy=make_strategy(t),
        devices=t.devices,
        num_nodes=t.nodes,
        plugins=[AtomicCheckpointIO(), *environments(t)],
        precision=t.precision,
        max_steps=t.max_steps,
        accumulate_grad_batches=t.accumulate,
        gradient_clip_val=t.gradient_clip,
        val_check_interval=min(t.validate_every, t.max_steps) * t.accumulate,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=t.log_every,
        logger=make_loggers(arm, config, run, start),
        callbacks=callbacks,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
    )
