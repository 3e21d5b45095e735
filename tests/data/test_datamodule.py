"""The order of batches: from a seed, from any step, over any number of processes."""

from __future__ import annotations

import random
from collections import Counter
from itertools import chain
from typing import Any

import pytest
import torch

from lightning_dpg.config import DataConfig
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.data.datamodule import BUCKET, DialogueDataModule, StepSampler
from lightning_dpg.data.samples import most_pronounced
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import byte_tokenizer
from lightning_dpg.regions import Region
from tests.data.test_samples import LONG, corpus_of, row

LENGTHS = random.Random(0).choices(range(5, 400), k=203)


def order(
    lengths: list[int] = LENGTHS, batch_size: int = 7, steps: int = 29, seed: int = 1, **other: int
) -> list[list[int]]:
    return list(StepSampler(lengths, batch_size, steps, seed, **other))


def test_each_sample_comes_once_an_epoch() -> None:
    epoch = 203 // 7
    batches = order(steps=3 * epoch)
    for start in range(0, 3 * epoch, epoch):
        seen = list(chain(*batches[start : start + epoch]))
        assert sorted(seen) == list(range(203))


def test_epochs_differ() -> None:
    batches = order(steps=58)
    first, second = batches[:29], batches[29:]
    assert first != second
    assert sorted(map(sorted, first)) != sorted(map(sorted, second))


@pytest.mark.parametrize("samples", [100, 7 * BUCKET + 1])  # the last stretch too short by itself
def test_what_fills_no_batch_waits_for_another_epoch(samples: int) -> None:
    epoch = samples // 7
    batches = order(LENGTHS[:samples], steps=epoch * 30)
    assert {len(batch) for batch in batches} == {7}
    counts = Counter(chain(*batches))
    assert set(counts) == set(range(samples))
    assert 20 <= min(counts.values()) <= max(counts.values()) <= 30


@pytest.mark.parametrize("size", [1, 3, 6])
def test_fewer_samples_than_a_batch_make_a_small_batch(size: int) -> None:
    batches = order(LENGTHS[:size], steps=4)
    assert [sorted(batch) for batch in batches] == [list(range(size))] * 4


def test_the_order_follows_from_the_seed() -> None:
    assert order() == order()
    assert order(seed=1) != order(seed=2)


def test_a_sampler_can_be_read_twice() -> None:
    sampler = StepSampler(LENGTHS, 7, 10, 1)
    assert list(sampler) == list(sampler)
    assert len(sampler) == 10


@pytest.mark.parametrize("start", [1, 13, 29, 40, 57])
@pytest.mark.parametrize("world", [1, 2])
def test_a_resumed_run_goes_on_where_it_was(start: int, world: int) -> None:
    for rank in range(world):
        whole = order(steps=58, rank=rank, world=world)
        assert order(steps=58, start=start, rank=rank, world=world) == whole[start:]


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_every_step(world: int) -> None:
    ranks = [order(steps=9, rank=rank, world=world) for rank in range(world)]
    alone = order(steps=9 * world)
    assert [batch for step in zip(*ranks, strict=True) for batch in step] == alone
    for step in zip(*ranks, strict=True):
        assert len(set(chain(*step))) == 7 * world  # within an epoch nobody meets a sample twice


def test_batches_are_of_like_length_in_random_order() -> None:
    lengths = random.Random(1).choices(range(5, 400), k=7 * BUCKET)
    batches = order(lengths, steps=BUCKET)
    spread = [max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in batches]
    assert sum(spread) / len(spread) < 60
    means = [sum(lengths[i] for i in b) / 7 for b in batches]
    assert means != sorted(means)
    assert means != sorted(means, reverse=True)


def make(corpus: Corpus, **settings: Any) -> DialogueDataModule:
    steps = settings.pop("steps", 5)
    other = ("accumulate", "scores_in_prompt", "test_corpus")
    more = {k: settings.pop(k) for k in other if k in settings}
    config = DataConfig(batch_size=2, validation_fraction=0.2, test_fraction=0.2, **settings)
    tokenizer = byte_tokenizer()
    return DialogueDataModule(
        corpus, tokenizer, config, seed=0, steps=steps, validation_batches=1, **more
    )


def test_training_sees_the_training_part_alone(corpus: Corpus) -> None:
    data = make(corpus)
    batches = list(data.train_dataloader())
    assert len(batches) == 5
    seen = [sample for batch in batches for sample in batch["samples"]]
    assert set(seen) <= set(data.split["train"])
    assert not {s.character for s in seen} & {s.character for s in data.split["test"]}


def test_training_keeps_to_the_most_pronounced(corpus: Corpus) -> None:
    data = make(corpus, pronounced=0.2, steps=60)
    chosen = most_pronounced(data.split["train"], 0.2)
    assert 2 <= len(chosen) < len(data.split["train"])
    seen = {s for batch in data.train_dataloader() for s in batch["samples"]}
    assert seen == set(chosen)


def test_accumulation_draws_more_batches(corpus: Corpus) -> None:
    assert len(list(make(corpus, accumulate=3).train_dataloader())) == 15


def test_validation_sees_the_same_batches_every_time(corpus: Corpus) -> None:
    data = make(corpus)
    first, second = (
        [batch["input_ids"].tolist() for batch in data.val_dataloader()] for _ in range(2)
    )
    assert first == second
    assert len(first) == 1
    (batch,) = data.val_dataloader()
    assert set(batch["samples"]) <= set(data.split["validation"])


def test_all_arms_see_the_same_samples_in_the_same_order(corpus: Corpus) -> None:
    with_scores, without = make(corpus, scores_in_prompt=True), make(corpus)
    for one, other in zip(with_scores.train_dataloader(), without.train_dataloader(), strict=True):
        assert one["samples"] == other["samples"]
        assert one["input_ids"].shape != other["input_ids"].shape


def test_moving_a_batch_keeps_its_texts(corpus: Corpus) -> None:
    data = make(corpus)
    batch = next(iter(data.train_dataloader()))
    moved = data.transfer_batch_to_device(batch, torch.device("meta"), 0)
    assert moved["input_ids"].device.type == moved["profiles"].device.type == "meta"
    assert moved["samples"] == batch["samples"]


def test_a_corpus_without_samples_is_named(corpus: Corpus) -> None:
    with pytest.raises(UserError, match=r"The corpus holds no sample: .*data.min_reply_words"):
        make(corpus, min_reply_words=500)


def test_what_lies_in_a_region_is_counted_and_never_seen(corpus: Corpus) -> None:
    whole = make(corpus)
    assert whole.left_out == 0
    region = Region.of(whole.split["train"][0].profile, 2.0)
    held = make(corpus, held_out_regions=[str(region)], steps=60)
    inside = [
        s for part in ("train", "validation") for s in whole.split[part] if s.profile in region
    ]
    assert held.left_out == len(inside) > 0
    seen = {s for batch in held.train_dataloader() for s in batch["samples"]}
    seen |= {s for batch in held.val_dataloader() for s in batch["samples"]}
    assert seen and not any(s.profile in region for s in seen)


def test_another_corpus_is_the_test(corpus: Corpus) -> None:
    other = corpus_of(row("zed", "Who is there?"), row("ann", LONG), row("zed", f"{LONG}, too"))
    data, alone = make(corpus, test_corpus=other), make(corpus)
    assert [s.reply for s in data.split["test"]] == [LONG, f"{LONG}, too"]
    assert data.split["validation"] == alone.split["validation"]
    learned = set(alone.split["train"] + alone.split["test"])
    assert set(data.split["train"]) == learned
    assert data.left_out == 0
    seen = {s for batch in data.train_dataloader() for s in batch["samples"]}
    assert seen <= learned


def test_another_corpus_without_samples_is_named(corpus: Corpus) -> None:
    with pytest.raises(UserError, match="The corpus to test on holds no sample: "):
        make(corpus, test_corpus=corpus_of(row("ann", LONG)))
