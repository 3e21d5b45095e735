"""The Lightning DataModule: one order of batches for a seed, from any step on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import lightning as L
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from lightning_dpg.config import DataConfig
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.collate import Collate
from lightning_dpg.data.samples import Sample, make_samples, most_pronounced, split_samples
from lightning_dpg.errors import UserError

BUCKET = 16
"""Batches that are sorted by length together: less padding, and still a random order."""


class Samples(Dataset[Sample]):
    """A list of samples as a torch dataset."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]


class StepSampler(Sampler[list[int]]):
    """Batches as a function of seed and step, so that a resumed run goes on where it was.

    The epochs follow each other without a break: in each, every sample comes once (but for fewer
    than a batch), in batches of like length whose order is random. With several processes each
    takes its share of every step.

    Args:
        lengths: length of each sample, in any unit.
        batch_size: samples a batch and process.
        steps: batches in all.
        seed: of the order.
        start: first batch to give.
        rank: of this process.
        world: number of processes.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int,
        steps: int,
        seed: int,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.lengths, self.batch_size, self.steps = lengths, batch_size, steps
        self.seed, self.start, self.rank, self.world = seed, start, rank, world

    def __len__(self) -> int:
        return self.steps  # of the whole run: a resumed trainer counts on from `start`

    def __iter__(self) -> Iterator[list[int]]:
        batches = self._all_batches()
        for step in range(self.steps):
            batch = [next(batches) for _ in range(self.world)][self.rank]
            if step >= self.start:
                yield batch

    def _all_batches(self) -> Iterator[list[int]]:
        epoch = 0
        while True:
            order = random.Random(f"{self.seed}/{epoch}")
            indices = list(range(len(self.lengths)))
            order.shuffle(indices)
            # What fills no batch waits for the next epoch; by chance, not because it is long.
            del indices[len(indices) - len(indices) % min(self.batch_size, len(indices)) :]
            span = self.batch_size * BUCKET
            batches = []
            for i in range(0, len(indices), span):
                near = sorted(indices[i : i + span], key=lambda index: self.lengths[index])
                batches += [
                    near[j : j + self.batch_size] for j in range(0, len(near), self.batch_size)
                ]
            order.shuffle(batches)
            yield from batches
            epoch += 1


class DialogueDataModule(L.LightningDataModule):
    """Samples of a corpus as batches (`collate.Batch`).

    Args:
        corpus: labelled corpus.
        tokenizer: of the backbone.
        config: data settings.
        seed: of split and order.
        steps: training batches in all, accumulation included.
        validation_batches: how many batches a validation looks at.
        scores_in_prompt: whether prompts state the profile, as for LoRA-SFT.
        accumulate: batches a step.
        test_corpus: another corpus, whose characters are held out in place of some of this one.

    Attributes:
        split: samples of `train`, `validation` and `test`.
        left_out: how many samples lie in a region that is held out, and are in no part.

    Raises:
        UserError: no sample, too few characters to split, or regions that leave no sample.
    """

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: Any,
        config: DataConfig,
        *,
        seed: int,
        steps: int,
        validation_batches: int,
        scores_in_prompt: bool = False,
        accumulate: int = 1,
        test_corpus: Corpus | None = None,
    ) -> None:
        super().__init__()
        self.config, self.seed, self.steps = config, seed, steps
        self.validation_batches, self.accumulate = validation_batches, accumulate
        samples = _samples_of(corpus, config, "The corpus")
        others = _samples_of(test_corpus, config, "The corpus to test on") if test_corpus else None
        self.split = split_samples(samples, config, seed, others)
        kept = sum(map(len, self.split.values()))
        self.left_out = len(samples) + len(others or ()) - kept
        self.learned = most_pronounced(self.split["train"], config.pronounced)
        self.collate = Collate(tokenizer, config, scores_in_prompt)

    def train_dataloader(self) -> DataLoader[Sample]:
        """All training batches of the run as one epoch, from the trainer's step on.

        `data.batch_size` is that of a process: several at a step see as many times the samples.
        """
        trainer = self.trainer
        samples = self.learned
        sampler = StepSampler(
            [sum(len(text) for _, text in s.context) + len(s.reply) for s in samples],
            self.config.batch_size,
            self.steps * self.accumulate,
            self.seed,
            start=trainer.global_step * self.accumulate if trainer else 0,
            rank=trainer.global_rank if trainer else 0,
            world=trainer.world_size if trainer else 1,
        )
        return DataLoader(Samples(samples), batch_sampler=sampler, collate_fn=self.collate)

    def val_dataloader(self) -> DataLoader[Sample]:
        """The same random batches of held-out characters at every validation.

        Each process takes its share of them, or all where there are fewer samples than processes:
        nobody may have nothing to do while the others wait.
        """
        samples, trainer = self.split["validation"], self.trainer
        size = min(len(samples), self.validation_batches * self.config.batch_size)
        chosen = random.Random(self.seed).sample(samples, size)
        if trainer and trainer.world_size <= len(chosen):
            chosen = chosen[trainer.global_rank :: trainer.world_size]
        return DataLoader(Samples(chosen), self.config.batch_size, collate_fn=self.collate)

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Tensors move, texts stay."""
        del dataloader_idx
        return {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}


def _samples_of(corpus: Corpus, config: DataConfig, which: str) -> list[Sample]:
    samples = make_samples(corpus, config)
    if not samples:
        raise UserError(
            f"{which} holds no sample: its speeches are too short or unrated "
            "(data.min_reply_words, assessor.labels.min_words)"
        )
    return samples
