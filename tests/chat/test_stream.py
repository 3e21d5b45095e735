"""A streamed reply: the same as the evaluation's, in whole characters, with nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lightning_dpg.chat.stream import Listen, Pieces, Reply, stream_reply
from lightning_dpg.config import EvaluationConfig
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.arms import voice_of
from lightning_dpg.evaluation.replies import Request, generate_replies
from lightning_dpg.models.backbone import byte_tokenizer
from lightning_dpg.models.injection import install
from lightning_dpg.models.lora import LoRA
from lightning_dpg.models.module import PersonalityModule
from tests.chat.conftest import PROFILE
from tests.models.conftest import stir

REQUEST = Request(PROFILE, "A cook.", (("Mara", "Well?"), ("Someone", "你好。 Who are you?")), "zh")
LONG = replace(REQUEST, context=(("Someone", "Who goes there? " * 20),), language="en")
GREEDY = EvaluationConfig(temperature=0.0, max_new_tokens=20)
SAMPLED = replace(GREEDY, temperature=0.8)
ENDINGS = list(range(3, 30))
"""Tokens that the tiny model says soon, to end replies by."""


@pytest.fixture
def module(make_module: Any) -> PersonalityModule:
    module: PersonalityModule = make_module().eval()
    stir(module)
    return module


def stream(
    module: PersonalityModule,
    request: Request = REQUEST,
    config: EvaluationConfig = GREEDY,
    *,
    arm: Any = "dpg",
    seed: int = 0,
    listen: Listen = lambda piece: None,
    adapters: dict[str, LoRA] | None = None,
) -> Reply:
    voice = voice_of(arm, module)
    own = module.adapters_for([request.profile], [request.description])
    return stream_reply(
        module.backbone,
        request,
        config,
        brief=voice.brief(request),
        adapters=adapters or own,
        max_prompt_tokens=96,
        seed=seed,
        listen=listen,
    )


def evaluated(
    module: PersonalityModule, request: Request, config: EvaluationConfig, arm: Any, seed: int
) -> str:
    voice = voice_of(arm, module)
    return generate_replies(
        module.backbone, [request], config, voice=voice, max_prompt_tokens=96, seed=seed
    )[0]


@pytest.mark.parametrize("request_", [REQUEST, LONG], ids=["short", "cut"])
@pytest.mark.parametrize(
    ("how", "ends"),
    [
        (GREEDY, False),
        (replace(GREEDY, no_repeat_ngram=0, repetition_penalty=1.3), False),
        (SAMPLED, False),
        (SAMPLED, True),
        (replace(SAMPLED, top_k=0, top_p=0.9), False),
    ],
    ids=["greedy", "penalty", "sampled", "ends", "top-p"],
)
def test_it_is_the_reply_of_the_evaluation(
    module: PersonalityModule, request_: Request, how: EvaluationConfig, ends: bool
) -> None:
    settings: Any = module.backbone.model.generation_config
    if ends:
        settings.eos_token_id = ENDINGS
    for seed in (1, 2):
        pieces: list[str] = []
        reply = stream(module, request_, how, seed=seed, listen=pieces.append)
        assert reply.text == evaluated(module, request_, how, "dpg", seed)
        assert "".join(pieces) == reply.text and not reply.stopped
        assert len(pieces) > 1 or ends


def test_it_ends_where_the_evaluation_ends(module: PersonalityModule) -> None:
    full = stream(module, config=SAMPLED, seed=1).text
    module.backbone.model.generation_config.eos_token_id = ENDINGS
    assert len(stream(module, config=SAMPLED, seed=1).text) < len(full)


def test_an_arm_that_states_scores_states_them_here_too(make_module: Any) -> None:
    module = make_module("static", scores_in_prompt=True).eval()
    stir(module)
    reply = stream(module, arm="lora_sft")
    assert reply.text == evaluated(module, REQUEST, GREEDY, "lora_sft", 0)
    assert reply != stream(module, arm="dpg")  # of the same adapters


def test_persona_and_seed_make_a_difference(module: PersonalityModule) -> None:
    texts = {
        stream(module).text,
        stream(module, replace(REQUEST, profile=replace(PROFILE, scores=(-4.0,) * 5))).text,
        *(stream(module, config=SAMPLED, seed=seed).text for seed in (1, 2)),
    }
    assert len(texts) == 4


def test_chance_outside_is_left_as_it_was(module: PersonalityModule) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    stream(module, config=SAMPLED)
    assert torch.equal(torch.rand(3), expected)


def frozen(module: PersonalityModule) -> Tensor:
    """What the model answers outside of every scope."""
    with torch.no_grad():
        logits: Tensor = module.backbone.model(input_ids=torch.arange(5, 25)[None]).logits
    return logits


def interrupt_at(words: int, error: type[BaseException]) -> tuple[list[str], Listen]:
    pieces: list[str] = []

    def listen(piece: str) -> None:
        pieces.append(piece)
        if len(pieces) == words:
            raise error

    return pieces, listen


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ZeroDivisionError])
def test_the_model_is_as_frozen_afterwards(
    module: PersonalityModule, error: type[BaseException] | None
) -> None:
    before = frozen(module)
    _, listen = interrupt_at(2, error) if error else ([], lambda piece: None)
    if error is ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            stream(module, listen=listen)
    else:
        assert stream(module, listen=listen).stopped == (error is KeyboardInterrupt)
    assert not install(module.backbone.model, module.sites).in_use
    assert torch.equal(frozen(module), before)


def test_ctrl_c_keeps_what_was_said(module: PersonalityModule) -> None:
    whole = stream(module).text
    pieces, listen = interrupt_at(2, KeyboardInterrupt)
    reply = stream(module, listen=listen)
    assert reply.stopped and reply.text == "".join(pieces)
    assert whole.startswith(reply.text) and 0 < len(reply.text) < len(whole)
    assert stream(module).text == whole  # the next one is whole again


def test_ctrl_c_at_the_last_piece_loses_nothing(module: PersonalityModule) -> None:
    pieces: list[str] = []
    whole = stream(module, listen=pieces.append)
    _, listen = interrupt_at(len(pieces), KeyboardInterrupt)
    assert stream(module, listen=listen) == Reply(whole.text, stopped=True)


@pytest.mark.parametrize("how", [GREEDY, SAMPLED])
def test_adapters_beyond_all_numbers_are_said(
    module: PersonalityModule, how: EvaluationConfig
) -> None:
    own = module.adapters_for([PROFILE], [""])
    huge = {name: replace(lora, scale=1e38) for name, lora in own.items()}
    with pytest.raises(UserError, match="lower the strength"):
        stream(module, config=how, adapters=huge)


def put(pieces: Pieces, tokens: list[int]) -> None:
    pieces.put(torch.tensor([[5, 6, 7]]))  # the prompt
    for token in tokens:
        pieces.put(torch.tensor([token]))


Encode = Callable[[str], list[int]]
TOKENIZER: Any = byte_tokenizer()
"""Its tokens are bytes: the hardest case."""


@given(st.text())
def test_pieces_are_whole_characters_and_make_the_text(text: str) -> None:
    told: list[str] = []
    pieces = Pieces(TOKENIZER, told.append)
    put(pieces, TOKENIZER(text, add_special_tokens=False)["input_ids"])
    pieces.end()
    assert pieces.text == pieces.told == "".join(told) == " ".join(text.split())
    assert all(told)


def test_a_chinese_reply_comes_a_character_at_a_time() -> None:
    told: list[str] = []
    pieces = Pieces(TOKENIZER, told.append)
    put(pieces, TOKENIZER("你好，\n 😀吗", add_special_tokens=False)["input_ids"])
    assert told == ["你", "好", "，", " 😀", "吗"]


def test_half_a_character_waits_for_the_end() -> None:
    told: list[str] = []
    pieces = Pieces(TOKENIZER, told.append)
    put(pieces, TOKENIZER("a 你", add_special_tokens=False)["input_ids"][:-1])
    assert told == ["a"] and pieces.told == "a"  # where a reply is stopped
    pieces.end()
    assert told == ["a", " \ufffd"] and pieces.text == "a \ufffd"
