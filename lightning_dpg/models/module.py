"""One LightningModule for all trained arms: only the source of the adapters differs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.nn import functional as F

from lightning_dpg.config import Config
from lightning_dpg.data.collate import Batch, Collate
from lightning_dpg.metrics import WeightedMean
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.checkpoint import KEY, Identity
from lightning_dpg.models.description import DescriptionEncoder
from lightning_dpg.models.dial import Dial
from lightning_dpg.models.hypernetwork import Hypernetwork, make_hypernetwork
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.likelihood import (
    by_reply,
    reply_nll,
    reply_positions,
    token_implausibility,
    token_nll,
)
from lightning_dpg.models.linear import LinearLoRA
from lightning_dpg.models.lora import LoRA, Site, StaticLoRA, find_sites
from lightning_dpg.records import HIGHEST, TRAITS, Profile, distinct, is_given

LIMIT_IN_PROMPT = HIGHEST
"""A prompt states scores of the scale alone; the dial of an adapter may go beyond."""


def make_adapter_source(
    kind: str, config: Config, backbone: Backbone, sites: list[Site]
) -> nn.Module:
    """The trained part of an arm, of the same rank and sites for all of them.

    Args:
        kind: `hypernetwork`, `linear` or `static`.
        config: settings of the run.
        backbone: whose descriptions a hypernetwork reads.
        sites: where adapters go.
    """
    scale = config.lora.alpha / config.lora.rank
    if kind == "static":
        return StaticLoRA(sites, config.lora.rank, scale)
    if kind == "linear":
        return LinearLoRA(sites, config.lora.rank, scale)
    return make_hypernetwork(
        config.hypernetwork, sites, config.lora.rank, scale, backbone.hidden_size
    )


class PersonalityModule(L.LightningModule):
    """Trains adapters so that a frozen model speaks as a profile asks.

    The backbone is kept outside Lightning's sight (no submodule): it is neither moved, wrapped nor
    saved.

    Args:
        backbone: frozen model; hooks are installed at its sites.
        config: settings of the run.
        source: `hypernetwork` (DPG), `linear` (a linear map of the scores) or `static` (LoRA-SFT).
        collate: encodes samples, here to state other profiles in the prompt.
        contrastive_weight: weight of the contrast between profiles; 0 leaves it out.
        identity: what the trained weights depend on, stored in checkpoints.
    """

    backbone: Backbone

    def __init__(
        self,
        backbone: Backbone,
        config: Config,
        source: str,
        collate: Collate,
        contrastive_weight: float,
        identity: Identity | None = None,
    ) -> None:
        super().__init__()
        self.config, self.collate, self.identity = config, collate, identity
        self.contrastive_weight = contrastive_weight
        self.sites = find_sites(backbone.model, config.lora.projections, config.lora.first_layer)
        self.adapters = make_adapter_source(source, config, backbone, self.sites)
        self.dial = Dial(LIMIT_IN_PROMPT if collate.scores_in_prompt else config.calibration.limit)
        self.held_out_loss, self.own_preferred = WeightedMean(), WeightedMean()
        self._step_terms: list[dict[str, Tensor]] = []
        object.__setattr__(self, "backbone", backbone)
        heard = self.sites if source == "hypernetwork" and config.hypernetwork.imprint else ()
        self.describe = DescriptionEncoder(backbone, heard)
        injection = install(backbone.model, self.sites)
        if config.backbone.gradient_checkpointing:
            backbone.model.gradient_checkpointing_enable(
                {"use_reentrant": False, "context_fn": injection.checkpoint_contexts}
            )
            backbone.model.train()  # checkpointing is off in eval mode; Llama has no dropout

    @property
    def reads_scores(self) -> bool:
        """Whether the profile that is asked for reaches the model, by its prompt or adapters.

        Where it does not, no setting of the dial changes anything.
        """
        source = self.adapters
        reads = not isinstance(source, Hypernetwork) or source.reads_scores
        return self.collate.scores_in_prompt or (reads and not isinstance(source, StaticLoRA))

    @property
    def reads_description(self) -> bool:
        """Whether adapters depend on the description."""
        return isinstance(self.adapters, Hypernetwork) and self.adapters.reads_description

    def know_descriptions(self, descriptions: Sequence[str]) -> None:
        """Show the hypernetwork what is usual in the descriptions it will be trained on."""
        texts = distinct(descriptions)
        if isinstance(self.adapters, Hypernetwork) and texts:
            self.adapters.usual(self._encoded(texts))

    def forward(
        self, profiles: Tensor, descriptions: list[str], guidance: float = 1.0
    ) -> dict[str, LoRA]:
        """Adapters for profiles (B, 5) and B descriptions."""
        return self._adapters(profiles, self._encoded(descriptions), guidance)

    def configure_model(self) -> None:
        """Shard what is trained, where the strategy asks for shards."""
        if self.device_mesh is not None and not isinstance(self.adapters, FSDPModule):
            fully_shard(self.adapters, mesh=self.device_mesh["data_parallel"])

    @torch.inference_mode()
    def adapters_for(
        self, profiles: Sequence[Profile], descriptions: Sequence[str]
    ) -> dict[str, LoRA]:
        """Adapters to generate with, for as many personas; the dial is turned as it was fitted."""
        was_training = self.training
        self.eval()
        settings = self.dial_settings(profiles, descriptions)
        guidance = self.config.hypernetwork.guidance
        adapters: dict[str, LoRA] = self(settings, list(descriptions), guidance)
        self.train(was_training)
        return adapters

    def dial_settings(self, profiles: Sequence[Profile], descriptions: Sequence[str]) -> Tensor:
        """Where the dial stands for personas, (personas, 5)."""
        scores = torch.tensor([p.scores for p in profiles], device=self.device)
        scores = scores.reshape(-1, len(TRAITS))  # of nobody, too
        described = torch.tensor([float(is_given(d)) for d in descriptions])
        with self._exact():
            settings: Tensor = self.dial(scores, described.to(self.device))
        return settings

    def stated(self, profile: Profile) -> Profile:
        """The profile that a prompt states so that this one is measured."""
        return Profile.cut(self.dial_settings([profile], [""])[0].tolist())

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The weighted sum of the objective's terms.

        What is logged is the mean over all micro-batches and processes of a step.
        """
        loss, shown = torch.zeros((), device=self.device), {}
        for name, term in self._terms(batch, self._turn(batch_idx)).items():
            loss = loss + self._weight(name) * term
            shown[f"train/{name}"] = term.detach()
        shown["train/loss"] = loss.detach()
        for name, value in self._of_step(shown, batch_idx).items():
            on_bar = name in ("train/contrast", "train/loss")
            self.log(name, value, prog_bar=on_bar, sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Cross-entropy of held-out characters under their own profile and under its negation."""
        profiles, described = batch["profiles"], self._described(batch["descriptions"])
        own, tokens = self._nll(batch, profiles, described)
        other, _ = self._nll(self._restated(batch, -profiles), -profiles, described)
        # Weighted by what each is a mean of, they are the same however samples are batched and
        # shared among processes.
        self.held_out_loss.update(own.sum() / tokens.sum(), tokens.sum())
        self.own_preferred.update((own < other).float().mean(), len(tokens))
        self.log("val/loss", self.held_out_loss, prog_bar=True)
        self.log("val/own_preferred", self.own_preferred)

    def on_validation_epoch_start(self) -> None:
        """Forget what a validation that was interrupted has left."""
        self.held_out_loss.reset()
        self.own_preferred.reset()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Chance inside a step is a function of seed and step: a resumed run repeats it."""
        torch.manual_seed(self.config.seed * 1_000_003 + self._turn(batch_idx))

    def _turn(self, batch_idx: int) -> int:
        """Number of this process's batch among those of all: `data.datamodule.StepSampler`'s."""
        trainer = self._trainer
        return batch_idx * trainer.world_size + trainer.global_rank if trainer else batch_idx

    def _of_step(self, values: dict[str, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """Means over the micro-batches of a step so far: with its last one, over all of them."""
        trainer = self._trainer
        if not trainer or batch_idx % trainer.accumulate_grad_batches == 0:
            self._step_terms = []
        self._step_terms.append(values)
        return {
            name: torch.stack([terms[name] for terms in self._step_terms]).mean() for name in values
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what the weights depend on."""
        if self.identity is not None:
            checkpoint[KEY] = asdict(self.identity)

    def _weight(self, term: str) -> float:
        if term == "contrast":
            return self.contrastive_weight
        return self.config.objective.plausibility_weight if term == "implausibility" else 1.0

    def _terms(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Cross-entropy a token, and where profiles are contrasted what that adds.

        Implausibility is that of the other profile's model, from which the contrast takes the
        reply: the own one is held by the reply itself. It is asked where no prompt
        states scores: there is no frozen model to ask in those words otherwise.
        """
        profiles, described = batch["profiles"], self._described(batch["descriptions"])
        if not self.contrastive_weight:
            own, count = self._nll(batch, profiles, described)
            return {"cross_entropy": own.sum() / count.sum()}
        others, strangers = self._others(profiles, described, step)
        pair, descriptions = torch.cat([profiles, others]), torch.cat([described, strangers])
        implausibility: dict[str, Tensor] = {}
        if self.collate.scores_in_prompt:
            both = _concatenate(
                batch, self._restated(batch, others), self.collate.tokenizer.pad_token_id
            )
            nll, tokens = self._nll(both, pair, descriptions)
        else:  # the same text for both: layers below the first site run once
            model = self.backbone.model
            with injected(model, self._adapters(pair, descriptions), branches=2):
                hidden, targets, inside = reply_positions(
                    model, batch["input_ids"], batch["labels"], branches=2
                )
            nll = by_reply(token_nll(model.get_output_embeddings(), hidden, targets), inside)
            tokens = inside.sum(1)
            if self.config.objective.plausibility_weight:
                unlearned = hidden.chunk(2)[1]
                implausibility["implausibility"] = self._implausibility(batch, unlearned)
        (own, other), count = nll.chunk(2), tokens[: len(profiles)]
        return {
            "cross_entropy": own.sum() / count.sum(),
            "contrast": F.softplus((own - other) / count.sqrt()).mean(),
            **implausibility,
        }

    def _others(self, profiles: Tensor, described: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Whom own profiles (B, 5) and encoded descriptions (B, width) are contrasted with.

        The opposite profile teaches the direction; that of another sample keeps the contrast inside
        the corpus's own range of profiles. With somebody else's description beside it, descriptions
        are taught to matter as well; where a sample has none, the other has none either.
        """
        objective = self.config.objective
        alternate = objective.other_profile == "alternate" and len(profiles) > 1
        others = profiles.roll(1, dims=0) if alternate and step % 2 else -profiles
        if objective.other_description == "own":
            return others, described
        return others, _strangers(described)

    def _restated(self, batch: Batch, profiles: Tensor) -> Batch:
        """The batch under other profiles: new prompts where prompts state them, else the same."""
        if not self.collate.scores_in_prompt:
            return batch
        encoded = self.collate.encode(batch["samples"], profiles.tolist())
        for key in ("input_ids", "attention_mask", "labels", "profiles"):
            encoded[key] = encoded[key].to(profiles.device)
        return encoded

    def _nll(self, batch: Batch, profiles: Tensor, described: Tensor) -> tuple[Tensor, Tensor]:
        """NLL and tokens of each reply, (len(profiles),), under these people's adapters."""
        model = self.backbone.model
        with injected(model, self._adapters(profiles, described)):
            return reply_nll(model, batch["input_ids"], batch["labels"])

    def _adapters(
        self, profiles: Tensor, described: Tensor, guidance: float = 1.0
    ) -> dict[str, LoRA]:
        with self._exact():
            adapters: dict[str, LoRA] = self.adapters(profiles, described, guidance)
        return adapters

    def _encoded(self, descriptions: Sequence[str]) -> Tensor:
        with self._exact():  # kept for all of the run: not in the precision of the first to ask
            return self.describe(descriptions)

    def _exact(self) -> AbstractContextManager[None]:
        """Full precision inside of mixed precision, which rounds a score of 3.3 to 3.297."""
        return torch.autocast(self.device.type, enabled=False)

    def _implausibility(self, batch: Batch, hidden: Tensor) -> Tensor:
        """Mean over the tokens of the batch's replies, with hidden states (tokens, width)."""
        model = self.backbone.model
        with torch.no_grad():
            frozen, _, _ = reply_positions(model, batch["input_ids"], batch["labels"])
        return token_implausibility(model.get_output_embeddings(), hidden, frozen).mean()

    def _described(self, descriptions: list[str]) -> Tensor:
        """Encoded descriptions (B, width); in training some are left out, as zeros."""
        vectors = self._encoded(descriptions)
        dropout = self.config.hypernetwork.description_dropout
        if not (self.training and dropout):
            return vectors
        return vectors * (torch.rand(len(vectors), 1) >= dropout).to(vectors.device)

    def configure_optimizers(self) -> Any:
        """AdamW with linear warm-up and linear decay to a tenth."""
        trainer = self.config.trainer
        optimizer = torch.optim.AdamW(self.adapters.parameters(), trainer.learning_rate)

        def factor(step: int) -> float:
            warm = min(1.0, (step + 1) / max(1, trainer.warmup_steps))
            return warm * (1.0 - 0.9 * min(1.0, step / trainer.max_steps))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


def _strangers(described: Tensor) -> Tensor:
    """To each of the encoded descriptions (B, width) that is one, the next of the batch's others.

    Rows of zeros (no description) stay; so does a description that is the only one.
    """
    known = described.abs().sum(-1) > 0
    result = described.clone()
    result[known] = described[known].roll(1, dims=0)
    return result


def _concatenate(first: Batch, second: Batch, pad: int) -> Batch:
    """Two batches as one of twice the size, padded to the longer."""
    width = max(first["input_ids"].shape[1], second["input_ids"].shape[1])

    def stack(key: str, fill: int) -> Tensor:
        parts = [b[key] for b in (first, second)]  # type: ignore[literal-required]
        return torch.cat([F.pad(p, (0, width - p.shape[1]), value=fill) for p in parts])

    return Batch(
        input_ids=stack("input_ids", pad),
        attention_mask=stack("attention_mask", 0),
        labels=stack("labels", -100),
        profiles=torch.cat([first["profiles"], second["profiles"]]),
        descriptions=first["descriptions"],
        samples=first["samples"],
    )
