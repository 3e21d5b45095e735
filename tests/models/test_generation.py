"""Generating with adapters in force: cache, padding, seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from lightning_dpg.config import EvaluationConfig
from lightning_dpg.data.prompts import encode_prompt
from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.replies import (
    Brief,
    Request,
    Voice,
    _decode,
    _openings,
    ask_personas,
    generate_replies,
    pad_left,
    say_nothing,
)
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.models.injection import injected, install
from lightning_dpg.models.lora import Adapters, LoRA, Site, expand_adapters, find_sites
from lightning_dpg.records import Profile
from tests.models.conftest import random_adapters

PROMPTS = ["Hello.", "How was your day at the harbour?", "Why?", "Sing!"]
NEW = 12
GREEDY = EvaluationConfig(temperature=0.0, max_new_tokens=NEW, batch_size=8)
SAMPLED = EvaluationConfig(temperature=1.0, max_new_tokens=NEW, batch_size=8)

Generate = Callable[[Sequence[Profile], Sequence[str]], Adapters]


@pytest.fixture(autouse=True)
def short_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every reply below takes several stages."""
    monkeypatch.setattr("lightning_dpg.evaluation.replies.STAGE", 5)


@pytest.fixture
def sites(backbone: Backbone) -> list[Site]:
    sites = find_sites(backbone.model, ["q", "k", "v", "o"])
    install(backbone.model, sites)
    return sites


def requests(count: int = 4) -> list[Request]:
    return [
        Request(Profile((float(i), 0.0, 0.0, 0.0, 0.0)), "", (("Ben", PROMPTS[i % 4]),))
        for i in range(count)
    ]


def persona_adapters(sites: list[Site]) -> Generate:
    """Adapters that depend on the first score alone, as a hypernetwork's would on the profile."""
    all_of_them = random_adapters(sites, 6, seed=3)
    for name, lora in all_of_them.items():
        all_of_them[name] = LoRA(lora.a.detach(), lora.b.detach(), 3.0)

    def make(profiles: Sequence[Profile], descriptions: Sequence[str]) -> Adapters:
        assert len(profiles) == len(descriptions)
        index = torch.tensor([int(profile.scores[0]) for profile in profiles])
        return expand_adapters(all_of_them, index)

    return make


def replies(
    backbone: Backbone,
    wanted: Sequence[Request],
    config: EvaluationConfig,
    adapters: Any | None,
    seed: int = 0,
) -> list[str]:
    return generate_replies(
        backbone,
        wanted,
        config,
        voice=Voice(adapters),
        max_prompt_tokens=96,
        seed=seed,
    )


def greedy_by_hand(backbone: Backbone, prompt: list[int], adapters: Adapters | None) -> list[int]:
    """The oracle: no cache, no padding, no `generate`; one prompt, all of it at every step."""
    ids = list(prompt)
    with torch.no_grad(), injected(backbone.model, adapters):
        for _ in range(NEW):
            logits = backbone.model(input_ids=torch.tensor([ids]), use_cache=False).logits
            ids.append(int(logits[0, -1].argmax()))
    return ids[len(prompt) :]


def generate_ids(backbone: Backbone, ids: Tensor, mask: Tensor, use_cache: bool) -> list[list[int]]:
    with torch.inference_mode():
        output = backbone.model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=False,
            use_cache=use_cache,
            max_new_tokens=NEW,
            min_new_tokens=NEW,
            eos_token_id=None,
            pad_token_id=0,
        )
    return output[:, ids.shape[1] :].tolist()


@pytest.mark.parametrize("use_cache", [True, False])
def test_a_padded_batch_of_personas_equals_each_alone_by_hand(
    backbone: Backbone, sites: list[Site], use_cache: bool
) -> None:
    adapters = persona_adapters(sites)([r.profile for r in requests()], PROMPTS)
    prompts = [encode_prompt(backbone.tokenizer, r.context) for r in requests()]
    assert len({len(prompt) for prompt in prompts}) > 1
    ids, mask = pad_left(prompts, 0, backbone.device)
    with injected(backbone.model, adapters):
        got = generate_ids(backbone, ids, mask, use_cache)
    base = generate_ids(backbone, ids, mask, use_cache)
    for i, prompt in enumerate(prompts):
        own = expand_adapters(adapters, torch.tensor([i]))
        assert got[i] == greedy_by_hand(backbone, prompt, own)
        assert base[i] == greedy_by_hand(backbone, prompt, None)
        assert got[i] != base[i]


def test_a_batch_of_personas_equals_each_alone(backbone: Backbone, sites: list[Site]) -> None:
    adapters = persona_adapters(sites)
    together = replies(backbone, requests(), GREEDY, adapters)
    alone = [replies(backbone, [request], GREEDY, adapters)[0] for request in requests()]
    assert together == alone
    assert len(set(together)) == 4


def test_what_prompts_share_is_read_once_for_each_persona(
    backbone: Backbone, sites: list[Site]
) -> None:
    adapters = persona_adapters(sites)
    speakers = requests()[:2]
    wanted = [
        Request(s.profile, s.description, ((("A"), text),)) for text in PROMPTS for s in speakers
    ]
    prompts = [encode_prompt(backbone.tokenizer, r.context) for r in wanted]
    shared = next(i for i, column in enumerate(zip(*prompts, strict=False)) if len(set(column)) > 1)
    assert shared > 10
    sizes: list[tuple[int, int]] = []
    layer = backbone.model.model.layers[0]
    handle = layer.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[:2]))
    found = replies(backbone, wanted, replace(GREEDY, no_repeat_ngram=0), adapters)
    handle.remove()
    assert sizes[0] == (2, shared)
    assert sizes[1] == (len(wanted), max(map(len, prompts)) - shared)
    for request, prompt, reply in zip(wanted, prompts, found, strict=True):
        own = adapters([request.profile], [request.description])
        tokens = greedy_by_hand(backbone, prompt, own)
        text = backbone.tokenizer.decode(tokens, skip_special_tokens=True)
        assert reply == " ".join(text.split())
    assert len(set(found)) == len(found)


SHOT = ((("Ann", "Is it late?"),), "Later than you think.")


def test_prompts_of_different_openings_and_languages_are_answered_as_each_alone(
    backbone: Backbone, sites: list[Site]
) -> None:
    """Openings of different lengths, one of them for a single prompt, padded twice."""
    adapters = persona_adapters(sites)
    briefs = {
        0.0: Brief((1.0, -2.0, 3.0, -4.0, 5.0), "A captain.", (SHOT,)),
        1.0: Brief(description="A cook who knows everybody and says so at length."),
        2.0: Brief(),
    }
    asked = [(0.0, "en"), (1.0, "en"), (1.0, "zh"), (0.0, "en"), (1.0, "zh"), (2.0, "zh")]
    wanted = [
        Request(Profile((who, 0.0, 0.0, 0.0, 0.0)), "", (("Ben", PROMPTS[i % 4]),), language)
        for i, (who, language) in enumerate(asked)
    ]
    voice = Voice(adapters, lambda request: briefs[request.profile.scores[0]])
    config = replace(GREEDY, no_repeat_ngram=0)
    sizes: list[tuple[int, int]] = []
    layer = backbone.model.model.layers[0]
    handle = layer.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[:2]))
    found = generate_replies(backbone, wanted, config, voice=voice, max_prompt_tokens=96, seed=0)
    handle.remove()
    assert sizes[0][0] == 4  # a persona in each of its languages
    assert sizes[1][0] == 6 and sizes[1][1] < sizes[0][1]
    for request, reply in zip(wanted, found, strict=True):
        brief = briefs[request.profile.scores[0]]
        prompt = encode_prompt(
            backbone.tokenizer,
            request.context,
            request.language,
            brief.scores,
            description=brief.description,
            shots=brief.shots,
        )
        tokens = greedy_by_hand(backbone, prompt, adapters([request.profile], [""]))
        text = str(backbone.tokenizer.decode(tokens, skip_special_tokens=True))
        assert reply == " ".join(text.split())
    assert len(set(found)) == len(found)


def test_openings_are_what_all_prompts_of_a_persona_begin_with() -> None:
    prompts = [[1, 2, 3, 4], [1, 2, 9, 4, 5], [7, 8, 9], [7, 8], [1, 2, 3, 4, 5, 6]]
    assert _openings(prompts, [0, 0, 1, 1, 2]) == [[1, 2], [7], [1, 2]]
    assert _openings(prompts[:1], [0]) == [[]]  # nobody to share it with
    assert _openings([[1, 2], [1, 2]], [0, 0]) == [[1]]  # something is left of each
    assert _openings([[1, 2], [3]], [0, 0]) == [[]]


def test_personas_are_asked_in_one_language() -> None:
    persona = Persona("a", "drawn", "A", "A cook.", Profile((1.0,) * 5))
    question = ("Ann", "Who?")
    (request,) = ask_personas([persona], [[question]], "zh")
    assert request == Request(persona.target, "A cook.", (question,), "zh")
    assert ask_personas([persona], [[question]])[0].language == "en"


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("stage", [1, 5, NEW])
def test_replies_that_have_ended_leave_the_batch_and_the_others_go_on(
    backbone: Backbone,
    sites: list[Site],
    monkeypatch: pytest.MonkeyPatch,
    stage: int,
    several: bool,
) -> None:
    adapters = persona_adapters(sites)
    own = adapters([r.profile for r in requests()], [""] * 4)
    whole = []
    for i, request in enumerate(requests()):
        prompt = encode_prompt(backbone.tokenizer, request.context)
        alone = expand_adapters(own, torch.tensor([i]))
        whole.append(greedy_by_hand(backbone, prompt, alone))
    # A token that some reply says early and another never, as what ends a reply.
    end = next(t for t in whole[1][1:4] if any(t not in tokens for tokens in whole))
    cut = [tokens[: tokens.index(end)] if end in tokens else tokens for tokens in whole]
    assert len({len(tokens) for tokens in cut}) > 1
    ends = [0, end] if several else end
    monkeypatch.setattr(backbone.model.generation_config, "eos_token_id", ends)
    monkeypatch.setattr("lightning_dpg.evaluation.replies.STAGE", stage)
    sizes: list[int] = []
    hook = backbone.model.register_forward_pre_hook(
        lambda module, args, options: sizes.append(len(options["input_ids"])), with_kwargs=True
    )
    prompts = [encode_prompt(backbone.tokenizer, r.context) for r in requests()]
    ids, mask = pad_left(prompts, 0, backbone.device)
    options = {"do_sample": False, "max_new_tokens": NEW, "pad_token_id": 0}
    got = _decode(backbone.model, ids, mask, own, options)
    hook.remove()
    ended = [tokens[: tokens.index(end)] if end in tokens else tokens for tokens in got]
    assert ended == cut
    assert sizes[0] == 4
    assert (sizes[-1] < 4) == (stage < NEW)


@pytest.mark.parametrize("end", [0, None])
def test_the_end_may_be_token_nought_or_none(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, end: int | None
) -> None:
    ids = torch.tensor([[5, 6, 7], [8, 9, 10]])
    monkeypatch.setattr(backbone.model.generation_config, "eos_token_id", end)
    steps = iter([0, 20, 21, 22])  # what the first of the two rows says; the other never ends

    def say(input_ids: Tensor, scores: Tensor) -> Tensor:
        token = next(steps) if len(input_ids) == 2 and int(input_ids[0, 0]) == 5 else 30
        chosen = torch.tensor([token, 30])[-len(input_ids) :]
        return torch.full_like(scores, -torch.inf).scatter(1, chosen[:, None], 0.0)

    monkeypatch.setattr("lightning_dpg.evaluation.replies.STAGE", 1)
    options = {"do_sample": False, "max_new_tokens": 4, "logits_processor": [say]}
    got = _decode(backbone.model, ids, torch.ones_like(ids), None, options | {"pad_token_id": 3})
    assert got[1] == [30] * 4
    assert got[0] == ([0] if end == 0 else [0, 20, 21, 22])


def test_padding_with_the_end_token_changes_nothing(backbone: Backbone, sites: list[Site]) -> None:
    adapters, tokenizer = persona_adapters(sites), backbone.tokenizer
    expected = replies(backbone, requests(), GREEDY, adapters)
    tokenizer.pad_token = tokenizer.eos_token  # as of models that have none: no mask to guess from
    assert replies(backbone, requests(), GREEDY, adapters) == expected


def test_the_size_of_batches_does_not_matter_to_greedy_replies(
    backbone: Backbone, sites: list[Site]
) -> None:
    adapters, wanted = persona_adapters(sites), requests(5)
    whole = replies(backbone, wanted, GREEDY, adapters)
    assert replies(backbone, wanted, replace(GREEDY, batch_size=2), adapters) == whole


def test_replies_differ_from_the_frozen_models_and_from_another_personas(
    backbone: Backbone, sites: list[Site]
) -> None:
    base = replies(backbone, requests(), GREEDY, None)
    adapted = replies(backbone, requests(), GREEDY, persona_adapters(sites))
    assert all(a != b for a, b in zip(adapted, base, strict=True))
    others = [replace(r, profile=Profile((5.0, 0, 0, 0, 0))) for r in requests()]
    changed = replies(backbone, others, GREEDY, persona_adapters(sites))
    assert all(a != b for a, b in zip(adapted, changed, strict=True))
    assert replies(backbone, requests(), GREEDY, None) == base  # nothing is left behind


def test_the_same_seed_gives_the_same_replies_and_another_does_not(
    backbone: Backbone, sites: list[Site]
) -> None:
    adapters = persona_adapters(sites)
    first = replies(backbone, requests(), SAMPLED, adapters, seed=1)
    torch.rand(7)
    assert replies(backbone, requests(), SAMPLED, adapters, seed=1) == first
    assert replies(backbone, requests(), SAMPLED, adapters, seed=2) != first


def test_equal_requests_in_later_batches_are_answered_anew(backbone: Backbone) -> None:
    wanted = [requests(1)[0]] * 4
    got = replies(backbone, wanted, replace(SAMPLED, batch_size=2), None)
    assert got[:2] != got[2:]


@pytest.mark.parametrize("config", [GREEDY, SAMPLED])
def test_the_callers_random_state_is_untouched(
    backbone: Backbone, sites: list[Site], config: EvaluationConfig
) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    replies(backbone, requests(), config, persona_adapters(sites))
    assert torch.equal(torch.get_rng_state(), before)


def test_scores_in_the_prompt_change_the_reply_of_the_frozen_model(backbone: Backbone) -> None:
    def ask(brief: Any) -> list[str]:
        return generate_replies(
            backbone,
            requests(),
            GREEDY,
            voice=Voice(brief=brief),
            max_prompt_tokens=96,
            seed=0,
        )

    asked: list[Request] = []

    def turned(request: Request) -> Brief:
        asked.append(request)
        return Brief((5.0, -5.0, 5.0, -5.0, 5.0))

    as_asked = ask(lambda request: Brief(request.profile.scores))
    assert as_asked != ask(say_nothing)
    assert as_asked != ask(turned)
    assert asked == requests()


def test_progress_is_told_of_every_reply(backbone: Backbone) -> None:
    told: list[int] = []
    config = replace(GREEDY, batch_size=2, max_new_tokens=1)
    generate_replies(
        backbone,
        requests(5),
        config,
        voice=Voice(),
        max_prompt_tokens=96,
        seed=0,
        advance=told.append,
    )
    assert told == [2, 2, 1]  # five in batches of at most two


def test_pad_left() -> None:
    ids, mask = pad_left([[5], [6, 7, 8]], 0, torch.device("cpu"))
    assert ids.tolist() == [[0, 0, 5], [6, 7, 8]]
    assert mask.tolist() == [[0, 0, 1], [1, 1, 1]]
