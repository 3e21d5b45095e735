"""The LightningModule: both arms, the contrast by hand, checkpointing, chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor

from lightning_dpg.config import Config
from lightning_dpg.data.collate import Batch
from lightning_dpg.data.prompts import encode_prompt, encode_reply
from lightning_dpg.data.samples import Sample
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.hypernetwork import Hypernetwork
from lightning_dpg.models.injection import injected
from lightning_dpg.models.linear import LinearLoRA
from lightning_dpg.models.lora import StaticLoRA
from lightning_dpg.models.module import PersonalityModule
from lightning_dpg.records import Profile
from tests.models.conftest import Batches, MakeModule, stir, trainer

SOURCES = ["hypernetwork", "linear", "static"]

pytestmark = pytest.mark.filterwarnings("ignore:.*self.trainer. reference is not registered")


@pytest.fixture
def chosen(samples: list[Sample]) -> list[Sample]:
    """Three samples of different lengths, one of them with a description."""
    described = next(i for i, sample in enumerate(samples) if sample.description)
    return [samples[i] for i in (described, (described + 1) % len(samples), described - 2)]


def nll_by_hand(
    module: PersonalityModule, sample: Sample, profile: Sequence[float], told: Sequence[float]
) -> tuple[float, int]:
    """One reply alone under a profile's adapters: a loop over the logits of its tokens.

    `told` is the profile that the prompt states, where prompts state one.
    """
    tokenizer, data = module.backbone.tokenizer, module.config.data
    stated = told if module.collate.scores_in_prompt else None
    prompt = encode_prompt(tokenizer, sample.context, "en", stated, data.max_prompt_tokens)
    reply = encode_reply(tokenizer, sample.reply, data.max_reply_tokens)
    adapters = module(torch.tensor([list(profile)]), [sample.description])
    with torch.no_grad(), injected(module.backbone.model, adapters):
        logits = module.backbone.model(input_ids=torch.tensor([prompt + reply])).logits[0]
    total = 0.0
    for i, token in enumerate(reply):
        total -= float(logits[len(prompt) + i - 1].double().log_softmax(-1)[token])
    return total, len(reply)


def loss_by_hand(
    module: PersonalityModule, samples: Sequence[Sample], step: int
) -> tuple[float, float]:
    """Cross-entropy per token, and the mean of ln(1 + exp(-(other - own) / sqrt(tokens)))."""
    own_total, token_total, contrasts = 0.0, 0, []
    for i, sample in enumerate(samples):
        scores = sample.profile.scores
        other = [-score for score in scores] if step % 2 == 0 else samples[i - 1].profile.scores
        own_nll, tokens = nll_by_hand(module, sample, scores, scores)
        other_nll, _ = nll_by_hand(module, sample, other, other)
        own_total, token_total = own_total + own_nll, token_total + tokens
        contrasts.append(math.log1p(math.exp(-(other_nll - own_nll) / math.sqrt(tokens))))
    return own_total / token_total, sum(contrasts) / len(contrasts)


@pytest.mark.parametrize(
    ("source", "kind"),
    [("hypernetwork", Hypernetwork), ("linear", LinearLoRA), ("static", StaticLoRA)],
)
def test_all_arms_share_the_module_the_sites_the_rank_and_the_scale(
    make_module: MakeModule, source: str, kind: type
) -> None:
    module = make_module(source)
    assert type(module) is PersonalityModule and type(module.adapters) is kind
    adapters = module(torch.ones(1, 5), [""])
    assert list(adapters) == [
        f"model.layers.{layer}.self_attn.{kind}_proj" for layer in (0, 1) for kind in ("q", "v")
    ]
    for lora in adapters.values():
        assert lora.a.shape[1] == lora.b.shape[2] == 2 and lora.scale == 4.0 / 2


@pytest.mark.parametrize("source", SOURCES)
def test_only_the_adapters_are_parameters_of_the_module(
    make_module: MakeModule, source: str
) -> None:
    module = make_module(source)
    assert {id(p) for p in module.parameters()} == {id(p) for p in module.adapters.parameters()}
    assert {name.split(".")[0] for name in module.state_dict()} == {"adapters", "dial"}


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("first_layer", [0, 1])
@pytest.mark.parametrize(
    ("source", "scores_in_prompt"),
    [("hypernetwork", False), ("hypernetwork", True), ("linear", False)],
)
def test_the_loss_equals_a_computation_by_hand(
    make_module: MakeModule,
    config: Config,
    chosen: list[Sample],
    step: int,
    first_layer: int,
    source: str,
    scores_in_prompt: bool,
) -> None:
    config.lora.first_layer = first_layer
    config.objective.other_profile, config.objective.other_description = "alternate", "own"
    module = make_module(source, contrast=0.5, scores_in_prompt=scores_in_prompt)
    stir(module)
    cross_entropy, contrast = loss_by_hand(module, chosen, step)
    assert abs(contrast - math.log(2)) > 1e-3  # there is something to compare
    loss = module.training_step(module.collate(chosen), step)
    assert float(loss.detach()) == pytest.approx(cross_entropy + 0.5 * contrast, rel=1e-5)


def implausibility_by_hand(module: PersonalityModule, samples: Sequence[Sample]) -> float:
    """Mean over tokens of -sum q log p: q under the opposite profile, p without adapters."""
    tokenizer, model, values = module.backbone.tokenizer, module.backbone.model, []
    for sample in samples:
        prompt = encode_prompt(
            tokenizer, sample.context, "en", max_tokens=module.config.data.max_prompt_tokens
        )
        reply = encode_reply(tokenizer, sample.reply, module.config.data.max_reply_tokens)
        ids, asked = torch.tensor([prompt + reply]), slice(len(prompt) - 1, -1)
        opposite = module(torch.tensor([[-s for s in sample.profile.scores]]), [sample.description])
        with torch.no_grad():
            p = model(input_ids=ids).logits[0, asked].double().log_softmax(-1)
            with injected(model, opposite):
                q = model(input_ids=ids).logits[0, asked].double().softmax(-1)
        values += (-(q * p).sum(-1)).tolist()
    return sum(values) / len(values)


def test_implausibility_is_the_opposite_profiles_and_has_its_weight(
    make_module: MakeModule, config: Config, chosen: list[Sample]
) -> None:
    config.objective.other_description = "own"
    module = make_module(contrast=0.5)
    stir(module)
    without = float(module.training_step(module.collate(chosen), 0).detach())
    config.objective.plausibility_weight = 0.25
    loss = float(module.training_step(module.collate(chosen), 0).detach())
    expected = implausibility_by_hand(module, chosen)
    assert loss == pytest.approx(without + 0.25 * expected, rel=1e-5)
    flipped = [replace(s, profile=Profile(tuple(-x for x in s.profile.scores))) for s in chosen]
    assert abs(implausibility_by_hand(module, flipped) - expected) > 1e-3  # of one profile alone


def test_prompts_with_scores_know_no_implausibility(
    make_module: MakeModule, config: Config, chosen: list[Sample]
) -> None:
    config.objective.plausibility_weight = 0.25
    module = make_module("static", contrast=0.5, scores_in_prompt=True)
    assert set(module._terms(module.collate(chosen), 0)) == {"cross_entropy", "contrast"}


def test_the_other_profile_is_the_opposite_unless_another_sample_takes_turns(
    make_module: MakeModule, config: Config
) -> None:
    module = make_module(contrast=0.5)
    profiles = torch.tensor([[1.0, 2, 3, 4, 5], [-1.0, 0, 1, 0, -1]])
    nobody = torch.zeros(2, 3)
    for step in (0, 1):
        assert torch.equal(module._others(profiles, nobody, step)[0], -profiles)
    config.objective.other_profile = "alternate"
    assert torch.equal(module._others(profiles, nobody, 0)[0], -profiles)
    assert torch.equal(module._others(profiles, nobody, 1)[0], profiles.flip(0))
    assert torch.equal(module._others(profiles[:1], nobody[:1], 1)[0], -profiles[:1])  # nobody else


def test_the_other_has_somebody_elses_description_or_the_own_one(
    make_module: MakeModule, config: Config
) -> None:
    module, profiles = make_module(contrast=0.5), torch.ones(4, 5)
    described = torch.tensor([[1.0, 1.0], [0.0, 0.0], [2.0, 2.0], [3.0, 3.0]])
    _, strangers = module._others(profiles, described, 0)
    assert strangers.tolist() == [[3.0, 3.0], [0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]
    config.objective.other_description = "own"
    assert torch.equal(module._others(profiles, described, 0)[1], described)


@pytest.mark.parametrize("stranger", ["own", "another"])
def test_a_strangers_description_changes_the_other_branch_alone(
    make_module: MakeModule, config: Config, chosen: list[Sample], stranger: str
) -> None:
    config.objective.other_description = stranger  # type: ignore[assignment]
    config.hypernetwork.description_dropout = 0.0
    module = make_module(contrast=0.5)
    stir(module)
    seen: list[Tensor] = []
    module.adapters.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    batch = module.collate(chosen)
    batch["descriptions"] = [f"Keeps {i + 1} bees." for i in range(len(chosen))]
    module.training_step(batch, 0)
    own, other = seen[0].chunk(2)
    assert torch.equal(own, module.describe(batch["descriptions"]))
    assert torch.equal(own, other) == (stranger == "own")


def test_the_dial_stands_between_what_is_asked_and_the_adapters(make_module: MakeModule) -> None:
    module, profile = make_module(), Profile((4.0, -2.0, 0.0, 1.0, 5.0))
    stir(module)
    module.dial.matrix.fill_diagonal_(2.0)
    module.dial.offset[2] = -1.5
    turned = torch.tensor([[8.0, -4.0, -1.5, 2.0, 8.0]])  # cut at the limit
    got, expected = module.adapters_for([profile], [""]), module(turned, [""])
    for name, lora in expected.items():
        torch.testing.assert_close(got[name].b, lora.b)
    plain = module(torch.tensor([profile.scores]), [""])
    assert (got[name].b - plain[name].b).abs().max() > 1e-2
    module.dial.described[1] = -2.0
    text, guidance = "Keeps bees.", module.config.hypernetwork.guidance
    got = module.adapters_for([profile, profile], [text, ""])
    both = torch.cat([turned - torch.tensor([[0.0, 2.0, 0.0, 0.0, 0.0]]), turned])
    for name, lora in module(both, [text, ""], guidance).items():
        torch.testing.assert_close(got[name].b, lora.b)


def test_a_prompt_states_where_the_dial_stands_within_the_scale(make_module: MakeModule) -> None:
    module = make_module("static", scores_in_prompt=True)
    assert module.stated(Profile((1.0, 2.0, 3.0, 4.0, 5.0))).scores == (1.0, 2.0, 3.0, 4.0, 5.0)
    module.dial.offset[0] = 2.0
    module.dial.offset[4] = 2.0
    assert module.stated(Profile((1.0, 2.0, 3.0, 4.0, 5.0))).scores == (3.0, 2.0, 3.0, 4.0, 5.0)


def test_the_weight_of_the_contrast_counts_and_zero_leaves_it_out(
    make_module: MakeModule, chosen: list[Sample]
) -> None:
    losses = {}
    for weight in (0.0, 0.5, 2.0):
        module = make_module(contrast=weight)
        stir(module)
        losses[weight] = float(module.training_step(module.collate(chosen), 0).detach())
    cross_entropy, contrast = loss_by_hand(module, chosen, 0)
    for weight, loss in losses.items():
        assert loss == pytest.approx(cross_entropy + weight * contrast, rel=1e-5)


def test_contrast_is_the_logarithm_of_two_at_the_start_and_then_falls(
    make_module: MakeModule, chosen: list[Sample]
) -> None:
    module = make_module(contrast=2.0)
    module.config.trainer.learning_rate, module.config.trainer.warmup_steps = 1e-2, 0
    seen: list[dict[str, float]] = []

    class Record(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            seen.append({k: float(v) for k, v in trainer.callback_metrics.items()})

    samples = chosen * 30
    trainer(30, callbacks=[Record()]).fit(module, Batches(module, samples))
    assert seen[0]["train/contrast"] == pytest.approx(math.log(2), abs=1e-6)
    assert seen[0]["train/loss"] == pytest.approx(
        seen[0]["train/cross_entropy"] + 2.0 * math.log(2), rel=1e-6
    )
    assert seen[-1]["train/contrast"] < 0.6
    assert seen[-1]["train/cross_entropy"] < seen[0]["train/cross_entropy"]


def test_a_step_is_logged_as_the_mean_over_its_micro_batches(
    make_module: MakeModule, config: Config, samples: list[Sample]
) -> None:
    config.objective.other_description, config.trainer.learning_rate = "own", 0.0
    module = make_module(contrast=0.5)
    stir(module)
    logged: list[tuple[float, ...]] = []

    class Record(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            if not trainer.fit_loop._should_accumulate():
                names = ("train/loss", "train/contrast")
                logged.append(tuple(float(trainer.callback_metrics[n]) for n in names))

    run = trainer(2, accumulate_grad_batches=2, callbacks=[Record()])
    run.fit(module, Batches(module, samples[:12]))
    by_hand = [loss_by_hand(module, samples[i : i + 3], 0) for i in range(0, 12, 3)]
    assert len(logged) == 2
    for seen, micro_batches in zip(logged, (by_hand[:2], by_hand[2:]), strict=True):
        cross_entropy, contrast = (sum(terms) / 2 for terms in zip(*micro_batches, strict=True))
        assert seen == pytest.approx((cross_entropy + 0.5 * contrast, contrast), rel=1e-5)
        assert micro_batches[0] != pytest.approx(micro_batches[1], rel=1e-3)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("scores_in_prompt", [False, True])
def test_validation_logs_the_loss_and_how_often_the_own_profile_is_preferred(
    make_module: MakeModule, chosen: list[Sample], source: str, scores_in_prompt: bool
) -> None:
    module = make_module(source, scores_in_prompt=scores_in_prompt)
    stir(module)
    own_total, token_total, preferred = 0.0, 0, 0
    for sample in chosen:
        scores = sample.profile.scores
        opposite = [-score for score in scores]
        own, tokens = nll_by_hand(module, sample, scores, scores)
        other, _ = nll_by_hand(module, sample, opposite, opposite)
        own_total, token_total, preferred = (
            own_total + own,
            token_total + tokens,
            preferred + (own < other),
        )
    run = trainer(limit_val_batches=1)
    run.validate(module, Batches(module, chosen), verbose=False)
    assert float(run.callback_metrics["val/loss"]) == pytest.approx(
        own_total / token_total, rel=1e-5
    )
    if source != "static" or scores_in_prompt:  # else both sides are the same number
        assert float(run.callback_metrics["val/own_preferred"]) == pytest.approx(preferred / 3)


def test_the_profile_changes_dpg_and_the_linear_map_and_not_lora_sft(
    make_module: MakeModule, chosen: list[Sample]
) -> None:
    for source, differs in (("hypernetwork", True), ("linear", True), ("static", False)):
        module = make_module(source)
        stir(module)
        scores = chosen[0].profile.scores
        own, _ = nll_by_hand(module, chosen[0], scores, scores)
        other, _ = nll_by_hand(module, chosen[0], [-s for s in scores], scores)
        assert (own != other) is differs


@pytest.mark.parametrize("scores_in_prompt", [False, True])
def test_prompts_state_the_scores_for_lora_sft_alone(
    make_module: MakeModule, chosen: list[Sample], scores_in_prompt: bool
) -> None:
    module = make_module("static", contrast=0.0, scores_in_prompt=scores_in_prompt)
    batch = module.collate(chosen)
    negated = module._restated(batch, -batch["profiles"])
    text, other = (
        module.backbone.tokenizer.decode(b["input_ids"][0][b["attention_mask"][0] == 1])
        for b in (batch, negated)
    )
    score = chosen[0].profile.scores[0]
    assert (f"openness {score:+.0f}" in text) is scores_in_prompt
    assert (f"openness {-score:+.0f}" in other) is scores_in_prompt
    assert (text != other) is scores_in_prompt


@pytest.mark.parametrize("contrast", [0.0, 0.5])
@pytest.mark.parametrize("first_layer", [0, 1])
def test_gradient_checkpointing_gives_the_same_loss_and_gradients(
    make_module: MakeModule,
    make_backbone: Any,
    config: Config,
    chosen: list[Sample],
    contrast: float,
    first_layer: int,
) -> None:
    config.lora.first_layer = first_layer
    results = []
    for checkpointing in (False, True):
        config.backbone.gradient_checkpointing = checkpointing
        backbone = make_backbone()
        runs: list[int] = []
        module = make_module(on=backbone, contrast=contrast)
        stir(module)
        backbone.model.get_submodule(module.sites[0].name).register_forward_hook(
            lambda *_, runs=runs: runs.append(1)
        )
        loss = module.training_step(module.collate(chosen), 0)
        forward_runs = len(runs)
        with torch.no_grad():
            module(torch.ones(1, 5), ["Another description."])  # runs the backbone, too
        loss.backward()
        assert (len(runs) > forward_runs + 1) is checkpointing
        results.append((loss.detach(), [p.grad for p in module.adapters.parameters()]))
    (loss, gradients), (same_loss, same_gradients) = results
    torch.testing.assert_close(same_loss, loss)
    for gradient, same in zip(gradients, same_gradients, strict=True):
        assert (gradient is None) == (same is None)
        if gradient is not None:
            torch.testing.assert_close(same, gradient, rtol=1e-4, atol=1e-6)


CASES = [(scores, description) for scores in (True, False) for description in (True, False)]


@pytest.mark.parametrize(("scores", "description"), CASES)
@pytest.mark.parametrize("output", ["dial", "core"])
def test_adapters_depend_on_what_is_read_alone(
    make_module: MakeModule, config: Config, scores: bool, description: bool, output: str
) -> None:
    """With neither there is one static adapter for everybody."""
    h = config.hypernetwork
    h.reads_scores, h.reads_description, h.output = scores, description, output  # type: ignore[assignment]
    h.imprint, h.guidance = 0.5, 2.0
    module = make_module().eval()
    texts = ["A captain.", "A cook."]
    module.know_descriptions([*texts, "A clerk who counts."])
    stir(module)
    profile, other = Profile((4.0, -2.0, 0.0, 1.0, 5.0)), Profile((-3.0, 1.0, 2.0, -1.0, 0.0))
    made = module.adapters_for([profile, other, profile], [texts[0], texts[0], texts[1]])
    for lora in made.values():
        first, profile_changed, description_changed = lora.b
        assert ((first - profile_changed).abs().max() > 1e-2) == scores
        assert ((first - description_changed).abs().max() > 1e-2) == description
    assert (module.reads_scores, module.reads_description) == (scores, description)


@pytest.mark.parametrize(("scores", "description"), CASES)
def test_the_contrast_runs_between_what_is_read(
    make_module: MakeModule,
    config: Config,
    chosen: list[Sample],
    scores: bool,
    description: bool,
) -> None:
    h = config.hypernetwork
    h.reads_scores, h.reads_description = scores, description
    config.objective.other_description = "another"
    module = make_module(contrast=0.5)
    stir(module)
    batch = module.collate(chosen)
    batch["descriptions"] = [f"Keeps {i + 1} bees." for i in range(len(chosen))]
    contrast = module._terms(batch, 0)["contrast"]
    nothing = torch.tensor(math.log(2.0))  # own and other are as likely
    assert ((contrast - nothing).abs() > 1e-4) == (scores or description)


@pytest.mark.parametrize(
    ("source", "scores_in_prompt", "scores", "description"),
    [
        ("static", False, False, False),
        ("static", True, True, False),
        ("linear", False, True, False),
        ("hypernetwork", False, True, True),
    ],
)
def test_what_reaches_each_arm(
    make_module: MakeModule, source: str, scores_in_prompt: bool, scores: bool, description: bool
) -> None:
    module = make_module(source, scores_in_prompt=scores_in_prompt)
    assert (module.reads_scores, module.reads_description) == (scores, description)


@pytest.mark.parametrize("source", SOURCES)
def test_every_parameter_receives_gradient_through_the_model(
    make_module: MakeModule, chosen: list[Sample], source: str
) -> None:
    module = make_module(source)
    stir(module)
    module.training_step(module.collate(chosen), 0).backward()
    missing = [n for n, p in module.named_parameters() if p.grad is None or not p.grad.any()]
    assert not missing


def draws(module: PersonalityModule, batch: Batch, steps: Sequence[int]) -> list[float]:
    found = []
    for step in steps:
        module.on_train_batch_start(batch, step)
        found.append(float(torch.rand(())))
    return found


def test_chance_in_a_step_is_a_function_of_seed_and_step(
    make_module: MakeModule, config: Config, chosen: list[Sample]
) -> None:
    module = make_module()
    batch = module.collate(chosen)
    first = draws(module, batch, [0, 1, 2])
    torch.manual_seed(99)
    assert draws(module, batch, [2, 0, 1]) == [first[2], first[0], first[1]]
    assert len(set(first)) == 3
    config.seed = 1
    assert not set(draws(module, batch, [0, 1, 2])) & set(first)


def test_description_dropout_is_shared_by_both_profiles_of_a_contrast(
    make_module: MakeModule, config: Config, chosen: list[Sample]
) -> None:
    config.hypernetwork.description_dropout = 0.5
    module = make_module().train()
    seen: list[Tensor] = []
    module.adapters.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    batch = module.collate([chosen[0]] * 40)  # all described
    module.on_train_batch_start(batch, 0)
    module.training_step(batch, 0)
    own, other = seen[0].chunk(2)
    assert torch.equal(own, other)
    assert 10 <= (own.abs().sum(1) == 0).sum() <= 30
    module.eval()
    assert (module._described(batch["descriptions"]).abs().sum(1) > 0).all()


def test_a_step_with_dropped_descriptions_is_repeated_exactly(
    make_module: MakeModule, config: Config, chosen: list[Sample]
) -> None:
    config.hypernetwork.description_dropout = 0.5
    module = make_module().train()
    stir(module)
    batch = module.collate([chosen[0]] * 4)  # all described

    def losses(before: int) -> list[float]:
        torch.manual_seed(before)
        found = []
        for step in range(0, 8, 2):
            module.on_train_batch_start(batch, step)
            found.append(float(module.training_step(batch, step).detach()))
        return found

    first = losses(1)
    assert losses(2) == first
    assert len(set(first)) > 1


def test_two_trainings_with_one_seed_are_the_same_and_another_seed_differs(
    make_module: MakeModule, make_backbone: Any, config: Config, samples: list[Sample]
) -> None:
    config.hypernetwork.description_dropout = 0.5

    def train(seed: int) -> Tensor:
        config.seed = seed
        module = make_module(on=make_backbone(), seed=0)
        torch.manual_seed(torch.seed())  # whatever came before
        trainer(4).fit(module, Batches(module, samples[:12]))
        return torch.cat([p.detach().flatten() for p in module.adapters.parameters()])

    first = train(0)
    assert torch.equal(train(0), first)
    assert not torch.equal(train(1), first)


def test_adapters_for_equal_the_forward_pass_in_eval_mode_and_leave_the_mode(
    make_module: MakeModule, config: Config
) -> None:
    config.hypernetwork.description_dropout = 1.0  # for training alone
    module = make_module()
    stir(module)
    profiles = [Profile((1.0, -2.0, 3.0, -4.0, 5.0)), Profile((0.0,) * 5)]
    texts = ["A captain.", "A cook."]
    scores = torch.tensor([p.scores for p in profiles])
    expected = module.eval()(scores, texts)
    for training in (True, False):
        module.train(training)
        got = module.adapters_for(profiles, texts)
        assert module.training is training
        for name, lora in expected.items():
            torch.testing.assert_close(got[name].b, lora.b.detach())
            assert not got[name].b.requires_grad


def test_guidance_is_for_generating_alone(
    make_module: MakeModule, config: Config, chosen: list[Sample]
) -> None:
    config.hypernetwork.imprint, config.hypernetwork.guidance = 0.5, 3.0
    module = make_module().eval()
    texts = ["A captain.", "A cook."]
    module.know_descriptions([*texts, "A clerk who counts."])
    stir(module)
    profiles = [Profile((0.0,) * 5)] * 2
    once = module(torch.zeros(2, 5), texts)
    spoken = module.adapters_for(profiles, texts)
    for name, lora in once.items():
        torch.testing.assert_close(spoken[name].b[..., -1], 3 * lora.b[..., -1].detach())
        torch.testing.assert_close(spoken[name].b[..., :-1], lora.b[..., :-1].detach())
    batch = module.collate(chosen)
    batch["descriptions"] = [texts[0]] * len(chosen)
    asked, described = batch["profiles"], module.describe(batch["descriptions"])
    before = module._nll(batch, asked, described)[0]
    config.hypernetwork.guidance = 9.0
    assert torch.equal(module._nll(batch, asked, described)[0], before)


def test_training_goes_on_after_generating_in_between(
    make_module: MakeModule, chosen: list[Sample]
) -> None:
    module = make_module()
    stir(module)
    module.adapters_for([s.profile for s in chosen], [s.description for s in chosen])
    module.training_step(module.collate(chosen), 0).backward()
    assert all(p.grad is not None for p in module.adapters.parameters())


def test_the_learning_rate_warms_up_and_falls_to_a_tenth(
    make_module: MakeModule, config: Config
) -> None:
    config.trainer.max_steps, config.trainer.warmup_steps = 100, 10
    config.trainer.learning_rate = 0.5
    made = make_module().configure_optimizers()
    optimizer, scheduler = made["optimizer"], made["lr_scheduler"]["scheduler"]
    assert made["lr_scheduler"]["interval"] == "step"
    rates = []
    for _ in range(101):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates[0] == pytest.approx(0.05)
    assert rates[9] == pytest.approx(0.5 * (1 - 0.9 * 0.09))
    assert max(rates) == rates[9]
    assert rates[100] == pytest.approx(0.05)


def test_two_modules_share_a_backbone(
    make_module: MakeModule, backbone: Backbone, chosen: list[Sample]
) -> None:
    dpg, sft = make_module("hypernetwork"), make_module("static")
    stir(dpg)
    stir(sft, seed=1)
    scores = chosen[0].profile.scores
    first, _ = nll_by_hand(dpg, chosen[0], scores, scores)
    other, _ = nll_by_hand(sft, chosen[0], scores, scores)
    assert first != other
    assert nll_by_hand(dpg, chosen[0], scores, scores)[0] == first
