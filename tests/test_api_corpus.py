"""`dpg corpus build` with a language model behind a real server: labels, judge, budget, store."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lightning_dpg import __main__
from lightning_dpg.corpus.store import Corpus
from lightning_dpg.records import TRAITS
from tests.assessment.asking.openai_server import Asked, Server, serve, share

PLAY = """
【The ledge】

NORA: Leave the window open, Basil, I want to hear the whole street sing tonight.
BASIL: Nora, I have counted the spoons three times and I will count them again before supper.
NORA: Then count me in as well, I am the one who polishes them and loses them.
BASIL: You lose everything you love and you love everything you lose, it is a system.

【The cellar】

BASIL: The list says twelve jars, and here are twelve jars, and still I am afraid.
NORA: Basil, come up, there is dancing and nobody has asked the postman yet.
"""


def answer(asked: Asked) -> str:
    """What a model that follows the schema would say, a function of the question."""
    own = random.Random(asked.body["messages"][-1]["content"])
    wanted = asked.body["response_format"]["json_schema"]["schema"]["properties"]
    if "coherence" in wanted:
        scores = {"coherence": own.randint(3, 5), "integrity": own.randint(3, 5)}
        return json.dumps({"reason": "Turns follow each other.", **scores})
    rating = {"evidence": [], "facets": "", "insufficient_evidence": False, "confidence": 0.5}
    fields = wanted[TRAITS[0]]["properties"]
    return json.dumps(
        {
            trait: {k: v for k, v in rating.items() if k in fields} | {"score": own.randint(-5, 5)}
            for trait in wanted
        }
    )


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(answer=answer) as running:
        yield running


Build = Callable[..., int]


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Server) -> Build:
    """Runs the command in this process; gives its exit status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-of-a-test")
    monkeypatch.setattr("lightning_dpg.run.corpus.CACHE", tmp_path / "cache")
    monkeypatch.setattr("lightning_dpg.run.assessors.ANSWERS", tmp_path / "answers.sqlite")
    monkeypatch.setattr("lightning_dpg.assessment.asking.pacing.FIRST_WAIT", 0.01)
    (tmp_path / "ledge.txt").write_text(PLAY, encoding="utf-8")
    api = {"model": "openai/tiny", "base_url": server.url, "prices": "[1.0,2.0]"}
    settings = ["assessor=api"]
    for who in ("labels", "dialogues"):
        settings += [f"assessor.{who}.api.{name}={value}" for name, value in api.items()]

    def run(out: str, *arguments: str) -> int:
        given = [part for setting in settings for part in ("--set", setting)]
        command = ["dpg", "corpus", "build", "ledge.txt", "--out", out, *given, *arguments]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            __main__.main()
        return int(ended.value.code or 0)

    return run


def test_a_model_judges_and_labels_and_is_not_asked_again(
    build: Build, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build("first") == 0
    assert "$0.0" in capsys.readouterr().out  # what it has cost stands beside the bar
    corpus = Corpus.load(tmp_path / "first")
    rows = list(corpus.utterances)
    assert all(row["reply_scores"] and row["coherence"] for row in rows)
    assert "openai/tiny" in corpus.card["labels"] and "knowledge" in corpus.card["labels"]
    said = json.dumps([body["messages"] for body in server.bodies])
    assert "spoons" in said
    for name in ("NORA", "Nora", "BASIL", "Basil"):
        assert name not in said
    paid = sum(server.paid.values())
    # Dialogues, speeches, and parts; one of them is a speech that nothing came before.
    assert paid == 2 + len(rows) + 3
    last = server.bodies[-1]["messages"][-1]["content"]
    assert "Speaker A" in said and "context" in said and "Rate the speaker" in last
    assert max(server.paid.values()) == 1
    assert build("again") == 0
    assert build("filtered", "--set", "data.filters.max_distance=0.5") == 0
    assert sum(server.paid.values()) == paid
    assert Corpus.load(tmp_path / "again").card == corpus.card


def test_what_shows_of_a_speech_is_kept_where_something_does_not(
    build: Build, server: Server, tmp_path: Path
) -> None:
    def without_openness(asked: Asked) -> str:
        given = json.loads(answer(asked))
        if TRAITS[0] in given:
            given[TRAITS[0]] |= {"insufficient_evidence": True, "score": None}
        return json.dumps(given)

    server.answer = without_openness
    assert build("partly") == 0
    for row in Corpus.load(tmp_path / "partly").utterances:
        assert row["reply_scores"][0] is None and None not in row["reply_scores"][1:]
        assert TRAITS[0] in row["reason"]


def test_the_budget_ends_a_build_and_a_larger_one_goes_on(
    build: Build, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one_at_a_time = [
        part
        for who in ("labels", "dialogues")
        for part in ("--set", f"assessor.{who}.api.concurrency=1")
    ]
    assert build("poor", "--budget", "0.03", *one_at_a_time) == 2
    told = capsys.readouterr().err
    assert "$" in told and "budget" in told
    some = sum(server.paid.values())
    cost = (server.tokens[0] * 1.0 + server.tokens[1] * 2.0) / 1e6
    assert 2 < some < 12 and 0 < cost <= 0.03  # dialogues and labels out of one purse
    assert not (tmp_path / "poor").exists()
    assert build("poor", "--budget", "5", *one_at_a_time) == 0
    assert max(server.paid.values()) == 1


def test_a_server_with_faults_gives_the_same_corpus(
    build: Build, server: Server, tmp_path: Path
) -> None:
    assert build("sound") == 0
    sound = Corpus.load(tmp_path / "sound")
    (tmp_path / "answers.sqlite").unlink()
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            path.unlink()
    server.seen.clear()
    server.faults = share(0.3, seed=2, weights={"rate_limit": 1, "error": 1, "cut": 1})
    assert build("faulty") == 0
    assert sum(server.kinds[kind] for kind in ("rate_limit", "error", "cut")) > 1
    assert list(Corpus.load(tmp_path / "faulty").utterances) == list(sound.utterances)
