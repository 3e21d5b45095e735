"""The local assessor: what it reads from a model, and whether it can tell people apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from lightning_dpg.assessment.base import count_words
from lightning_dpg.assessment.local import MAX_TOKENS, LocalAssessor
from lightning_dpg.assessment.markers import AFTER, BEFORE, MARKERS, VERSION
from lightning_dpg.assessment.reference import Reference
from lightning_dpg.config import BackboneConfig
from lightning_dpg.corpus.sources import Sources, character_id, read_sources
from lightning_dpg.errors import UserError
from lightning_dpg.models.backbone import Backbone, load_backbone
from lightning_dpg.records import TRAITS

WORDS = [word for poles in MARKERS.values() for pole in poles for word in pole]
SAID = "come in sit down the ferry was late and it rained all night so we sang".split()
TEXTS = [
    " ".join(np.random.default_rng(seed).choice(SAID, size=3 + 2 * seed)) for seed in range(24)
]


def word_tokenizer(missing: tuple[str, ...] = ()) -> PreTrainedTokenizerFast:
    """A tokenizer of whole words; those in `missing` share the unknown token."""
    words = [
        w
        for w in dict.fromkeys([*WORDS, *SAID, *BEFORE.split(), *AFTER.split()])
        if w not in missing
    ]
    vocabulary = {token: i for i, token in enumerate(["<pad>", "<s>", "<unk>", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", unk_token="<unk>"
    )


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    config = LlamaConfig(
        vocab_size=200, num_attention_heads=4, num_key_value_heads=2, pad_token_id=0, **shape
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)  # so that texts matter
    return model


def assessor(model: LlamaForCausalLM, **settings: int) -> LocalAssessor:
    return LocalAssessor(model, word_tokenizer(), "tiny", **{"min_words": 8, **settings})


def alone(texts: Sequence[str]) -> list[list[str]]:
    """Each text as all that a person said."""
    return [[text] for text in texts]


def test_log_probabilities_equal_a_plain_forward_pass(model: LlamaForCausalLM) -> None:
    local = assessor(model, batch_size=5)
    found = local.logprobs(TEXTS)
    tokenizer = word_tokenizer()
    for text, row in zip(TEXTS, found, strict=True):
        whole = f"{BEFORE} {text} {AFTER}"
        ids = [1, *tokenizer(whole, add_special_tokens=False)["input_ids"]]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1].double()
        expected = logits - logits.logsumexp(0)
        chosen = [expected[tokenizer(word)["input_ids"][-1]].item() for word in WORDS]
        assert row.tolist() == pytest.approx(chosen, abs=1e-4)
    assert np.ptp(found, axis=0).max() > 0.5  # the text makes a difference


def test_order_and_batch_size_change_nothing(model: LlamaForCausalLM) -> None:
    one, many = assessor(model, batch_size=1), assessor(model, batch_size=32)
    one.fit(alone(TEXTS))
    many.fit(alone(TEXTS[::-1]))
    expected = one.rate(alone(TEXTS))
    for got, wanted in zip(reversed(many.rate(alone(TEXTS[::-1]))), expected, strict=True):
        assert got.reason == wanted.reason
        if wanted.complete:
            assert got.scores == pytest.approx(wanted.scores, abs=1e-2)
    assert len({rating.scores for rating in expected}) > 15


def test_scores_can_be_put_on_the_scale_of_more_passages(model: LlamaForCausalLM) -> None:
    local = assessor(model)
    local.fit([[text] for text in TEXTS for _ in range(2)])
    assert local.reference is not None
    persons = [TEXTS[i : i + 2] for i in range(0, len(TEXTS) - 1, 2)]
    between = np.array(local.reference.between)
    ratio = np.sqrt((between + (1 - between) / 2) / (between + (1 - between) / 12))
    compared = 0
    for plain, scaled in zip(local.rate(persons), local.rate(persons, read=12), strict=True):
        for trait in range(5):
            one, other = plain.scores[trait], scaled.scores[trait]
            if one is not None and other is not None and abs(other) < 5:
                assert other == pytest.approx(one * ratio[trait])
                compared += abs(other - one) > 0.1
    assert compared > 5


def test_ratings_come_from_norms_and_contrast(model: LlamaForCausalLM) -> None:
    local = assessor(model)
    logprobs = local.logprobs(TEXTS)
    reference = local.fit(alone(TEXTS))
    assert reference == local.reference
    words, people = [count_words(t) for t in TEXTS], [str(i) for i in range(len(TEXTS))]
    assert reference == Reference.fit(logprobs, words, people, local.contrast)
    scores = [reference.score(row[None]) for row in reference.readings(logprobs, words)]
    for rating, row, text in zip(local.rate(alone(TEXTS)), scores, TEXTS, strict=True):
        if count_words(text) >= 8:
            assert rating.scores == tuple(row)
        else:
            assert rating.scores == (None,) * 5
            words = f"{count_words(text)} words, 8 are needed"
            assert rating.reason == f"insufficient evidence: {words}"
    assert sum(rating.complete for rating in local.rate(alone(TEXTS))) == 21


def test_passages_are_read_apart_and_averaged(model: LlamaForCausalLM) -> None:
    local = assessor(model)
    reference = local.fit([TEXTS[i : i + 4] for i in range(0, len(TEXTS), 4)])
    passages = TEXTS[:5]
    readings = reference.readings(local.logprobs(passages), [count_words(t) for t in passages])
    together, shuffled, joined = local.rate([passages, passages[::-1], [" ".join(passages)]])
    assert together.scores == pytest.approx(reference.score(readings), abs=1e-3)
    assert together.scores == pytest.approx(shuffled.scores, abs=1e-3)
    assert together.scores != pytest.approx(joined.scores, abs=0.1)
    apart = local.rate([passages[:2], passages[2:]])
    assert apart[1].scores == pytest.approx(reference.score(readings[2:]), abs=1e-3)


def test_the_words_of_all_passages_count(model: LlamaForCausalLM) -> None:
    local = assessor(model)
    local.fit(alone(TEXTS))
    short, enough = local.rate(
        [["one two three"], ["one two three four", "five six", "seven eight"]]
    )
    assert short.reason == "insufficient evidence: 3 words, 8 are needed"
    assert enough.complete


def test_the_contrast_weighs_poles_alike(model: LlamaForCausalLM) -> None:
    contrast = assessor(model).contrast
    assert contrast.shape == (5, len(WORDS))
    for trait, poles in enumerate(MARKERS.values()):
        weights = dict(zip(WORDS, contrast[trait], strict=True))
        for pole, sign in zip(poles, (1, -1), strict=True):
            each = [weights.pop(word) for word in pole]
            assert each == pytest.approx([sign / len(pole)] * len(pole))
        assert not any(weights.values())


def test_markers_that_share_a_token_are_left_out(model: LlamaForCausalLM) -> None:
    gone = MARKERS["openness"][0][:5]
    local = LocalAssessor(model, word_tokenizer(gone), "tiny")
    assert local.contrast.shape == (5, len(WORDS) - 5)
    assert local.contrast[0].sum() == pytest.approx(0)
    assert local.contrast[0].max() == pytest.approx(1 / 7)
    assert len(set(local.tokens)) == len(local.tokens)


class Stuttering:
    """Cuts some words short: their first token is a piece of them."""

    def __init__(self, pieces: dict[str, str]) -> None:
        self.whole, self.pieces = word_tokenizer(), pieces

    def __call__(self, text: str, **options: bool) -> dict[str, list[int]]:
        word = text.strip()
        if word not in self.pieces:
            return dict(self.whole(text, **options))
        return {"input_ids": [10_000 + list(self.pieces).index(word)]}

    def decode(self, ids: list[int]) -> str:
        if ids[0] < 10_000:
            return str(self.whole.decode(ids))
        return list(self.pieces.values())[ids[0] - 10_000]


def test_markers_of_which_a_fragment_is_read_are_left_out(model: LlamaForCausalLM) -> None:
    high, low = MARKERS["openness"]
    local = LocalAssessor(
        model, Stuttering({high[0]: high[0][:2], low[0]: low[0][:4], low[1]: "other"}), "tiny"
    )
    assert (local.contrast[0] > 0).sum() == len(high) - 1
    assert (local.contrast[0] < 0).sum() == len(low) - 1


def test_a_tokenizer_with_too_few_markers_is_refused(model: LlamaForCausalLM) -> None:
    gone = MARKERS["agreeableness"][1][:10]
    with pytest.raises(UserError) as caught:
        LocalAssessor(model, word_tokenizer(gone), "babbler")
    message = "The tokenizer of babbler tells only 2 markers of the low pole of agreeableness apart"
    assert message in str(caught.value)
    assert "assessor.judge.kind" in str(caught.value)


def test_a_tokenizer_of_bytes_is_refused(backbone: Backbone) -> None:
    with pytest.raises(
        UserError, match="The tokenizer of tiny-random-llama@seed=0/none/float32 tells"
    ):
        LocalAssessor(backbone.model, backbone.tokenizer, backbone.identity)


def test_of_a_long_text_the_last_words_are_read(model: LlamaForCausalLM) -> None:
    local = assessor(model)
    room = MAX_TOKENS - len(BEFORE.split()) - len(AFTER.split()) - 1
    words = list(np.random.default_rng(0).choice(SAID, size=room + 90))
    whole, end, start = local.logprobs(
        [" ".join(part) for part in (words, words[-room:], words[:room])]
    )
    assert whole == pytest.approx(end, abs=1e-5)
    assert whole != pytest.approx(start, abs=1e-3)


def test_without_norms_nothing_is_rated(model: LlamaForCausalLM) -> None:
    with pytest.raises(RuntimeError, match="call fit with a corpus first"):
        assessor(model).rate(alone(TEXTS))


def test_the_instrument_has_a_name(model: LlamaForCausalLM) -> None:
    assert assessor(model).identity == f"local/{VERSION}/tiny/min_words=8"


def test_progress_is_told(model: LlamaForCausalLM) -> None:
    done: list[int] = []
    assessor(model, batch_size=7).logprobs(TEXTS, done.append)
    assert done == [7, 7, 7, 3]


def test_no_text_is_no_rating(model: LlamaForCausalLM) -> None:
    local = assessor(model)
    local.fit(alone(TEXTS))
    assert local.rate([]) == []
    nobody, silent = local.rate([[], ["...", ""]])
    assert nobody.reason == silent.reason == "insufficient evidence: 0 words, 8 are needed"


# On the real model.


def speeches(sources: Sources, count: int) -> dict[str, list[str]]:
    """The longest speeches of each character that has so many of eight words or more."""
    said: dict[str, list[str]] = defaultdict(list)
    for dialogue in sources.dialogues:
        for utterance in dialogue.utterances:
            key = character_id(dialogue, utterance.speaker)
            if key in sources.characters and count_words(utterance.text) >= 8:
                said[key].append(utterance.text)
    longest = {key: sorted(spoken, key=lambda t: -len(t))[:count] for key, spoken in said.items()}
    return {key: spoken for key, spoken in longest.items() if len(spoken) == count}


@pytest.fixture(scope="module")
def real() -> Iterator[LocalAssessor]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    backbone = load_backbone(BackboneConfig())
    yield LocalAssessor(backbone.model, backbone.tokenizer, backbone.identity)
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_the_authors_poles_are_told_apart(real: LocalAssessor) -> None:
    """Known groups: a guard, not evidence, for the markers were chosen on these characters."""
    sources = read_sources(["bundled"], ["en"])
    said = speeches(sources, 16)
    real.fit(list(said.values()))
    scores = {
        character: [
            rating.scores for rating in real.rate([spoken[i : i + 8] for i in range(0, 16, 8)])
        ]
        for character, spoken in said.items()
    }
    auc = {}
    for trait, name in enumerate(TRAITS):
        means = {c: np.mean([row[trait] for row in rows]) for c, rows in scores.items()}
        poles = {c: sources.characters[c].poles[trait] for c in means}
        high = [means[c] for c in means if poles[c] > 0]
        low = [means[c] for c in means if poles[c] < 0]
        assert min(len(high), len(low)) >= 8
        ranks = rankdata([*high, *low])[: len(high)]
        auc[name] = (ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(high) * len(low))
    assert min(auc.values()) >= 0.8, auc


@pytest.mark.slow
def test_on_the_real_model_order_and_batch_size_matter_little(real: LocalAssessor) -> None:
    sources = read_sources(["bundled"], ["en"])
    people = list(speeches(sources, 6).values())[:18]
    real.fit(people)
    expected = np.array([rating.scores for rating in real.rate(people)], dtype=float)
    # Another reader: what one has read it does not read again.
    anew = LocalAssessor(
        real.model, real.tokenizer, real.name, batch_size=5, reference=real.reference
    )
    other = np.array([rating.scores for rating in anew.rate(people[::-1])], dtype=float)[::-1]
    assert np.abs(other - expected).mean() < 0.15
    assert expected.std() > 1.0
    shuffled = np.random.default_rng(0).permutation(expected)
    assert np.abs(shuffled - expected).mean() > 1.0


@pytest.mark.slow
def test_the_real_tokenizer_knows_most_markers(real: LocalAssessor) -> None:
    assert len(real.tokens) >= 0.8 * len(WORDS)


def test_a_text_is_read_once(model: LlamaForCausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, read = assessor(model), []
    once = reader._last_logprobs

    def count(rows: list[list[int]], opening: object) -> object:
        read.append(len(rows))
        return once(rows, opening)

    monkeypatch.setattr(reader, "_last_logprobs", count)
    told: list[int] = []
    first = reader.logprobs([TEXTS[0], TEXTS[1], TEXTS[0]], told.append)
    again = reader.logprobs([TEXTS[1], TEXTS[2]], told.append)
    assert sum(read) == 3 and sum(told) == 5
    assert np.array_equal(first[0], first[2]) and np.array_equal(first[1], again[0])
    assert not np.allclose(first[0], again[1])
