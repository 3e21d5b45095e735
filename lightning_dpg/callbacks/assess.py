"""At validation: let held-out personas speak, rate what they say, log how near it came."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import WandbLogger

from lightning_dpg import processes
from lightning_dpg.assessment.base import Assessor
from lightning_dpg.config import Arm, EvaluationConfig
from lightning_dpg.data.prompts import Turn
from lightning_dpg.evaluation.arms import make_speaker
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.questions import questions_for, validation
from lightning_dpg.evaluation.replies import ask_personas, by_persona
from lightning_dpg.evaluation.results import ratings_tensor
from lightning_dpg.metrics import PSDC, TraitCorrelation, Unscored
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import TRAITS, Rating
from lightning_dpg.report.plots import validation_scatter


class AssessReplies(L.Callback):
    """Generates, rates, logs `val/psdc`, `val/psdc_const0`, `val/trait_r/<trait>`, `val/unscored`.

    Several processes share the speaking.

    Args:
        personas: who speaks.
        judge: who rates; several replies of a persona are rated together.
        config: how many replies of each, and their language.
        arm: whose training it is.
        seed: of the sampling.
    """

    def __init__(
        self,
        personas: list[Persona],
        judge: Assessor,
        config: EvaluationConfig,
        *,
        arm: Arm,
        seed: int,
    ) -> None:
        self.personas, self.judge, self.config = personas, judge, config
        self.arm, self.seed = arm, seed

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Run after the validation batches."""
        assert isinstance(pl_module, PersonalityModule)
        if trainer.sanity_checking:
            return
        own = slice(trainer.global_rank, None, trainer.world_size)
        shares = processes.gathered(self._speak(pl_module, self.personas[own]))
        replies = [said for turn in zip_longest(*shares) for said in turn if said is not None]
        # The first alone rates: one budget holds for all that is asked for.
        ratings = processes.from_first(lambda: self.judge.rate(replies))
        self._log(pl_module, self.personas[own], ratings[own])
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger) and trainer.is_global_zero:
                self._show(logger, trainer.global_step, self.personas, replies, ratings)

    def _speak(self, module: PersonalityModule, personas: list[Persona]) -> list[list[str]]:
        count = self.config.validation_replies
        asked = [self._questions()] * len(personas)
        requests = ask_personas(personas, asked, self.config.language)
        speaker = make_speaker(self.arm, module.config, module.backbone, module)
        return by_persona(speaker.speak(requests, self.seed), count)

    def _questions(self) -> list[Turn]:
        pool = validation(self.config.language)
        return questions_for(self.config.validation_replies, pool)

    def _log(
        self, module: PersonalityModule, personas: list[Persona], ratings: list[Rating]
    ) -> None:
        scores = [p.target.scores for p in personas]
        prompted = torch.tensor(scores, device=module.device).reshape(-1, len(TRAITS))
        measured = ratings_tensor(ratings).to(module.device)
        psdc, zero = PSDC().to(module.device), PSDC().to(module.device)
        correlation, unscored = TraitCorrelation().to(module.device), Unscored().to(module.device)
        psdc.update(prompted, measured)
        zero.update(prompted, torch.zeros_like(prompted))
        correlation.update(prompted, measured)
        unscored.update(measured)
        values = {
            "val/psdc": psdc.compute(),
            "val/psdc_const0": zero.compute(),
            "val/unscored": unscored.compute(),
        }
        for trait, r in zip(TRAITS, correlation.compute(), strict=True):
            values[f"val/trait_r/{trait}"] = r
        module.log_dict(values, sync_dist=True)  # the same in every process by now

    def _show(
        self,
        logger: WandbLogger,
        step: int,
        personas: list[Persona],
        replies: list[list[str]],
        ratings: list[Rating],
    ) -> None:
        """A table of prompts and replies and a scatter plot, for Weights & Biases."""
        rows: list[list[Any]] = []
        questions = self._questions()
        for persona, said, rating in zip(personas, replies, ratings, strict=True):
            measured = rating.profile()
            rows += [
                [step, persona.name, str(persona.target), q, reply, str(measured or rating.reason)]
                for (_, q), reply in zip(questions, said, strict=True)
            ]
        columns = ["step", "persona", "prompted", "prompt", "reply", "measured"]
        logger.log_table("val/replies", columns=columns, data=rows)
        figure = validation_scatter(
            [p.target.scores for p in personas], [rating.scores for rating in ratings]
        )
        import wandb

        logger.experiment.log({"val/prompted_against_measured": wandb.Image(figure)})
