"""Batches: what is seen, what is learned."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from lightning_dpg.config import DataConfig
from lightning_dpg.data.collate import IGNORED, Collate
from lightning_dpg.data.prompts import INSTRUCTION, VERSION, encode_prompt, render_prompt
from lightning_dpg.data.samples import Sample
from lightning_dpg.models.backbone import byte_tokenizer
from lightning_dpg.records import TRAITS, Profile

BEFORE = (("Anna", "Are you there?"), ("Ben", "Who wants to know?"))


@pytest.fixture
def tokenizer() -> Any:
    return byte_tokenizer()


def sample(reply: str = "I am here.", **other: Any) -> Sample:
    values = {
        "character": "play/anna",
        "work": "play",
        "language": "en",
        "description": "A captain.",
        "profile": Profile((1.0, -2.0, 0.5, 4.0, -5.0)),
        "context": BEFORE,
        "reply": reply,
    }
    return Sample(**{**values, **other})


def text_of(tokenizer: Any, ids: torch.Tensor) -> str:
    return str(tokenizer.decode(ids.tolist()))


def test_the_loss_is_on_the_reply_and_its_end_of_turn_alone(tokenizer: Any) -> None:
    samples = [sample(), sample("No."), sample("A rather longer answer than the others.")]
    batch = Collate(tokenizer, DataConfig())(samples)
    for i, one in enumerate(samples):
        ids, labels = batch["input_ids"][i], batch["labels"][i]
        learned = labels != IGNORED
        assert text_of(tokenizer, labels[learned]) == one.reply + "<|im_end|>"
        assert torch.equal(labels[learned], ids[learned])
        start = int(learned.nonzero()[0])
        assert learned[start:].sum() == len(one.reply) + 1
        assert text_of(tokenizer, ids[:start]) == render_prompt(tokenizer, one.context)
        assert text_of(tokenizer, ids[:start]).endswith("<|im_start|>assistant\n")


def test_shapes_and_padding(tokenizer: Any) -> None:
    samples = [sample("Short."), sample("Long, long, long, long."), sample(context=BEFORE[:1])]
    batch = Collate(tokenizer, DataConfig())(samples)
    ids, mask, labels = batch["input_ids"], batch["attention_mask"], batch["labels"]
    assert ids.shape == mask.shape == labels.shape
    assert ids.dtype == mask.dtype == labels.dtype == torch.long
    assert batch["profiles"].shape == (3, 5)
    assert batch["profiles"].dtype == torch.float32
    assert batch["profiles"][1].tolist() == [1, -2, 0.5, 4, -5]
    assert batch["descriptions"] == ["A captain."] * 3
    assert batch["samples"] == samples
    lengths = mask.sum(1)
    assert lengths.max() == ids.shape[1]
    assert len(set(lengths.tolist())) == 3
    for i, length in enumerate(lengths.tolist()):
        assert mask[i, :length].all()
        assert not mask[i, length:].any()
        assert (ids[i, length:] == tokenizer.pad_token_id).all()
        assert (labels[i, length:] == IGNORED).all()
        assert labels[i, length - 1] == tokenizer.eos_token_id


def test_a_batch_does_not_depend_on_its_neighbours(tokenizer: Any) -> None:
    collate = Collate(tokenizer, DataConfig())
    alone = collate([sample()])
    together = collate([sample("Something else that is much longer."), sample()])
    width = alone["input_ids"].shape[1]
    for key in ("input_ids", "attention_mask", "labels"):
        assert torch.equal(alone[key][0], together[key][1, :width])


def test_scores_stand_in_the_prompt_only_when_asked(tokenizer: Any) -> None:
    with_scores, without = (
        text_of(tokenizer, Collate(tokenizer, DataConfig(), asked)([sample()])["input_ids"][0])
        for asked in (True, False)
    )
    stated = "openness +1, conscientiousness -2, extraversion +0, agreeableness +4, neuroticism -5"
    assert f"Your personality on the Big Five, from -5 to 5: {stated}." in with_scores
    assert INSTRUCTION["en"] in with_scores
    assert INSTRUCTION["en"] in without
    assert not any(trait in without for trait in TRAITS)
    assert "A captain." not in with_scores + without  # descriptions are for the hypernetwork


def test_other_profiles_change_the_prompt_and_nothing_of_the_reply(tokenizer: Any) -> None:
    collate = Collate(tokenizer, DataConfig(), scores_in_prompt=True)
    own, other = collate([sample()]), collate.encode([sample()], [[0.0, 0.0, 0.0, 0.0, 3.0]])
    assert other["profiles"].tolist() == [[0, 0, 0, 0, 3]]
    assert "neuroticism +3" in text_of(tokenizer, other["input_ids"][0])
    assert own["input_ids"].tolist() != other["input_ids"].tolist()
    for batch in (own, other):
        learned = batch["labels"][0] != IGNORED
        assert text_of(tokenizer, batch["labels"][0][learned]) == "I am here.<|im_end|>"


def test_a_long_reply_is_cut_and_has_no_end_of_turn(tokenizer: Any) -> None:
    batch = Collate(tokenizer, DataConfig(max_reply_tokens=6))([sample(), sample("Short")])
    learned = [row[row != IGNORED] for row in batch["labels"]]
    assert text_of(tokenizer, learned[0]) == "I am h"
    assert text_of(tokenizer, learned[1]) == "Short<|im_end|>"


def test_what_does_not_fit_is_cut_from_the_oldest_words(tokenizer: Any) -> None:
    words = " ".join(f"word{i}" for i in range(60))
    one = sample(context=(("Anna", "The oldest turn."), ("Ben", words)))
    for scores in (False, True):
        collate = Collate(tokenizer, DataConfig(max_prompt_tokens=60), scores)
        text = text_of(tokenizer, collate([one])["input_ids"][0])
        assert INSTRUCTION["en"] in text
        assert ("neuroticism -5" in text) == scores
        assert "word59" in text
        assert "word40" not in text
        assert "The oldest turn" not in text
        assert text.endswith("<|im_start|>assistant\nI am here.<|im_end|>")
        said = text.split("<|im_start|>user\n")[1].split("<|im_end|>")[0]
        assert said.startswith("Ben: ... ")
        assert 50 < len(said) <= 60 + len("... ")


def test_a_whole_turn_goes_before_a_word_of_a_later_one(tokenizer: Any) -> None:
    context = (("Anna", "one two three"), ("Ben", "four five"), ("Anna", "six seven"))
    said = {
        limit: text_of(tokenizer, torch.tensor(encode_prompt(tokenizer, context, max_tokens=limit)))
        for limit in (200, 40, 20)
    }
    assert "one two three" in said[200]
    assert "one" not in said[40]
    assert "Ben: four five\nAnna: six seven" in said[40]
    assert "Ben" not in said[20]
    assert "Anna: six seven" in said[20]


def test_chinese_is_asked_in_chinese_and_others_in_english(tokenizer: Any) -> None:
    collate = Collate(tokenizer, DataConfig(max_prompt_tokens=200), scores_in_prompt=True)
    texts = {
        language: text_of(tokenizer, collate([sample(language=language)])["input_ids"][0])
        for language in ("zh", "en", "de")
    }
    assert INSTRUCTION["zh"] in texts["zh"]
    assert "开放性 +1" in texts["zh"]
    assert "openness" not in texts["zh"]
    assert texts["de"] == texts["en"]


def test_prompts_have_a_version_and_this_is_its_text(tokenizer: Any) -> None:
    """Checkpoints name the version: whoever changes the text changes it too."""
    assert VERSION == "prompt-1"
    assert render_prompt(tokenizer, BEFORE, profile=[1, 0, -1, 0, 0.25]) == (
        "<|im_start|>system\nAnswer in character, in a few spoken sentences. Your personality on "
        "the Big Five, from -5 to 5: openness +1, conscientiousness +0, extraversion -1, "
        "agreeableness +0, neuroticism +0.<|im_end|>\n<|im_start|>user\nAnna: Are you there?\n"
        "Ben: Who wants to know?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_samples_are_plain() -> None:
    assert dataclasses.replace(sample(), reply="x") != sample()
    assert hash(sample()) == hash(sample())
