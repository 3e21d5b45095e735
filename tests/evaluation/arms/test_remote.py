"""The arm that asks another model: against a real server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lightning_dpg.assessment.asking import pacing
from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.config import ApiConfig, Config
from lightning_dpg.data.prompts import chat_messages
from lightning_dpg.errors import UserError
from lightning_dpg.evaluation.arms import Speaker, make_speaker, missing
from lightning_dpg.evaluation.replies import Request
from lightning_dpg.models.backbone import Backbone
from lightning_dpg.records import Profile
from tests.assessment.asking.openai_server import Asked, Server, always, first, serve

PROFILE = Profile((4.0, -2.0, 3.0, 0.0, -4.0))


def request(i: int, **other: Any) -> Request:
    return replace(Request(PROFILE, "A captain.", (("Ben", f"Question {i}?"),)), **other)


def echo(asked: Asked) -> str:
    return f"  Reply to\n{asked.body['messages'][-1]['content']} "


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        yield store


@pytest.fixture
def settings(config: Config, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setattr(pacing, "FIRST_WAIT", 0.002)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    config.evaluation.speaker = ApiConfig("openai/tiny", attempts=3, concurrency=4)
    return config


def speaker(server: Server, settings: Config, backbone: Backbone, store: AnswerStore) -> Speaker:
    settings.evaluation.speaker.base_url = server.url
    return make_speaker("api", settings, backbone, make_asker=lambda api: Asker(api, store))


def test_it_is_told_scores_and_description_in_the_words_of_the_other_arms(
    settings: Config, backbone: Backbone, store: AnswerStore
) -> None:
    long = " ".join(f"word{i}" for i in range(200))
    wanted = [
        request(0),
        request(1, language="zh", description=""),
        request(2, context=(("Ann", "Lost."), ("Ben", long)), description=long),
    ]
    settings.evaluation.max_new_tokens = 40
    with serve(answer=echo) as server:
        said = speaker(server, settings, backbone, store).speak(wanted, 0)
    assert said[:2] == ["Reply to Ben: Question 0?", "Reply to Ben: Question 1?"]
    sent = {body["messages"][-1]["content"]: body for body in server.bodies}
    for i, asked in enumerate(wanted[:2]):
        body = sent[f"Ben: Question {i}?"]
        expected = chat_messages(asked.context, asked.language, PROFILE.scores, asked.description)
        assert [(m["role"], m["content"]) for m in body["messages"]] == expected
        assert "response_format" not in body
        assert (body["max_tokens"], body["temperature"]) == (40, 0.0)
    (cut,) = [body for said, body in sent.items() if "word199" in said]
    assert "Lost." not in cut["messages"][1]["content"]
    assert len(cut["messages"][1]["content"]) < 110  # bytes are this backbone's tokens
    assert "word30 " not in cut["messages"][0]["content"]


def test_nothing_is_paid_twice_and_only_chance_makes_another_seed_ask_again(
    settings: Config, backbone: Backbone, store: AnswerStore
) -> None:
    wanted = [request(0), request(1), request(0)]
    told: list[int] = []
    with serve(answer=echo) as server:
        said = speaker(server, settings, backbone, store).speak(wanted, 0, told.append)
        assert said[0] == said[2] != said[1]
        assert sum(told) == 3
        assert speaker(server, settings, backbone, store).speak(wanted, 7) == said
        assert sum(server.paid.values()) == 2
        settings.evaluation.speaker.temperature = 0.7
        for seed, paid in ((0, 4), (7, 6), (7, 6)):
            speaker(server, settings, backbone, store).speak(wanted, seed)
            assert sum(server.paid.values()) == paid
        assert server.bodies[-1]["temperature"] == 0.7


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("truncated", "Reply to"),
        ("refusal", "I cannot help with that."),
        ("filtered", ""),
        ("policy", ""),
    ],
)
def test_a_reply_is_what_came_and_is_asked_for_once(
    settings: Config, backbone: Backbone, store: AnswerStore, kind: str, reply: str
) -> None:
    """Local arms are cut at the same length, and a refusal is a reply like any other."""
    with serve(answer=echo, faults=always(kind)) as server:
        (said,) = speaker(server, settings, backbone, store).speak([request(0)], 0)
    assert said.startswith(reply) and bool(said) == bool(reply)
    assert "Question 0?" not in said
    assert sum(server.seen.values()) == 1


def test_an_empty_reply_is_empty_and_no_error(
    settings: Config, backbone: Backbone, store: AnswerStore
) -> None:
    with serve(answer=lambda asked: "") as server:
        assert speaker(server, settings, backbone, store).speak([request(0)], 0) == [""]
    assert sum(server.seen.values()) == 1


def test_failures_are_tried_again_and_what_does_not_come_is_no_reply(
    settings: Config, backbone: Backbone, store: AnswerStore
) -> None:
    wanted = [request(i) for i in range(3)]
    with serve(answer=echo, faults=first("error", "rate_limit")) as server:
        assert len(speaker(server, settings, backbone, store).speak(wanted, 0)) == 3
    later = [request(9), request(10)]
    with (
        serve(
            answer=echo, faults=lambda asked: "error" if "Question 10" in asked.content else ""
        ) as server,
        pytest.raises(UserError, match=r"1 of 2 replies did not come .*HTTP 500"),
    ):
        speaker(server, settings, backbone, store).speak(later, 0)
    with serve(answer=echo) as server:
        assert len(speaker(server, settings, backbone, store).speak(later, 0)) == 2
    assert sum(server.paid.values()) == 1  # what was answered was kept


def test_it_says_why_it_cannot_speak(
    settings: Config, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = settings.evaluation.speaker
    assert missing("api", settings) == (
        "no key for openai/tiny: the environment has no OPENAI_API_KEY (evaluation.speaker.model)"
    )
    api.base_url = "http://localhost:1/v1"
    assert missing("api", settings) is None  # a server of one's own may need none
    api.base_url = None
    api.model = "ollama/tiny"
    assert missing("api", settings) is None  # looked for where it usually is
    api.model = "nobody-knows/tiny"
    assert "names no provider" in str(missing("api", settings))
    api.model = ""
    assert missing("api", settings) == (
        "no model is named, such as openai/gpt-4o (evaluation.speaker.model)"
    )
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789-SECRET")
    api.model, api.budget = "openai/tiny", 1.0
    assert "A budget needs prices" in str(missing("api", settings))
    api.prices = [0.1, 0.1]
    assert missing("api", settings) is None
    with pytest.raises(AssertionError, match="over a network"):
        make_speaker("api", settings, backbone)
