"""What `Asker.ask` gives for each manner of answer, against a real server on loopback."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lightning_dpg.artefacts import UNFINISHED
from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.prompt import Answer, Completion, Prompt
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.config import ApiConfig
from lightning_dpg.errors import UserError
from tests.assessment.asking.openai_server import Asked, Server, always, first, serve
from tests.assessment.asking.prompts import prompt, prompts

Make = Callable[..., Asker]


def scores(answers: list[Answer]) -> list[int | None]:
    return [answer.value["score"] if answer.value else None for answer in answers]


def by_number(asked: Asked) -> str:
    """The number in the prompt, modulo 6."""
    return json.dumps({"score": int(asked.body["messages"][1]["content"].split()[-1]) % 6})


def test_answers_come_in_the_order_of_the_prompts(make_asker: Make) -> None:
    with serve(answer=by_number) as server:
        answers = make_asker(server).ask(prompts(20))
    assert answers == [Answer({"score": i % 6}) for i in range(20)]


def test_nothing_is_asked_that_is_stored(make_asker: Make, store: AnswerStore) -> None:
    with serve(answer=by_number) as server:
        first_time = make_asker(server).ask(prompts(5))
        again = make_asker(server).ask([*prompts(5), prompt("text number 77")])
        assert again[:5] == first_time and scores(again)[5] == 5
        assert sum(server.seen.values()) == 6
        make_asker(server, temperature=0.7).ask(prompts(5))
        assert sum(server.seen.values()) == 11, "other settings are another question"


def test_like_prompts_are_asked_once_and_samples_each(make_asker: Make) -> None:
    told: list[int] = []
    with serve(answer=by_number) as server:
        twice = [prompt("text 1"), prompt("text 2"), prompt("text 1")]
        assert scores(make_asker(server).ask(twice, told.append)) == [1, 2, 1]
        assert sum(server.seen.values()) == 2 and sorted(told) == [1, 2]
        samples = [prompt("text 3", sample=k) for k in range(3)]
        assert scores(make_asker(server).ask(samples)) == [3, 3, 3]
        assert sum(server.seen.values()) == 5


def test_progress_counts_answers_from_the_store_too(make_asker: Make) -> None:
    told: list[int] = []
    with serve() as server:
        make_asker(server).ask(prompts(3))
        make_asker(server).ask(prompts(7), told.append)
    assert sum(told) == 7


def test_no_prompts_need_no_server(make_asker: Make, store: AnswerStore) -> None:
    assert Asker(ApiConfig(model="openai/tiny"), store).ask([]) == []


def test_a_stored_run_loads_no_litellm(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lightning_dpg.config import ApiConfig\n"
        "from lightning_dpg.assessment.asking.ask import Asker\n"
        "from lightning_dpg.assessment.asking.store import AnswerStore\n"
        f"Asker(ApiConfig(model='openai/x'), AnswerStore(Path({str(tmp_path)!r}) / 's')).ask([])\n"
        "print('litellm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_the_schema_is_sent_as_it_stands(make_asker: Make) -> None:
    with serve() as server:
        make_asker(server).ask([prompt("text 1")])
    sent = server.bodies[0]
    assert sent["model"] == "tiny" and sent["temperature"] == 0.0 and sent["max_tokens"] == 1500
    assert sent["messages"][1] == {"role": "user", "content": "text 1"}
    given = sent["response_format"]["json_schema"]
    assert given == {"name": "rating", "schema": prompt("").schema, "strict": True}


def test_a_server_without_schemas_is_asked_without_from_then_on(make_asker: Make) -> None:
    with serve(faults=always("no_schema"), answer=by_number) as server:
        asker = make_asker(server, concurrency=1)
        assert scores(asker.ask(prompts(4))) == [0, 1, 2, 3]
    assert ["response_format" in body for body in server.bodies] == [True, *[False] * 4]


def test_a_model_that_takes_no_schema_by_the_local_list_is_asked_without(make_asker: Make) -> None:
    """litellm refuses to send one to gpt-4, before anything leaves."""
    with serve(answer=by_number) as server:
        assert scores(make_asker(server, model="openai/gpt-4").ask(prompts(3))) == [0, 1, 2]
        assert ["response_format" in body for body in server.bodies] == [False] * 3


def test_a_server_that_took_a_schema_once_is_not_asked_without(make_asker: Make) -> None:
    def rejects_the_second(asked: Asked) -> str:
        return "bad_request" if "number 1" in asked.content else ""

    with serve(faults=rejects_the_second, answer=by_number) as server:
        answers = make_asker(server, concurrency=1).ask(prompts(3))
    assert scores(answers) == [0, None, 2]
    assert all("response_format" in body for body in server.bodies)


def test_wrong_values_get_one_retry_that_shows_answer_and_error(make_asker: Make) -> None:
    def mends(asked: Asked) -> str:
        return '{"score": 4}' if asked.turn else '{"score": 9}'

    with serve(answer=mends) as server:
        assert scores(make_asker(server).ask([prompt("text")])) == [4]
    first_try, second = (body["messages"] for body in server.bodies)
    assert second[:2] == first_try
    assert second[2] == {"role": "assistant", "content": '{"score": 9}'}
    assert "from -5 to 5, got 9" in second[3]["content"] and second[3]["role"] == "user"


@pytest.mark.parametrize(
    ("kind", "reason", "sent"),
    [
        ("wrong_values", "no valid answer: expected a JSON object with the field score", 2),
        ("truncated", "no valid answer: it was cut off after", 2),
        ("refusal", "refused: I cannot help with that.", 1),
        ("filtered", "refused: the provider's filter ended the answer", 1),
        ("policy", "refused: Your request was rejected as a result of our safety system", 1),
        ("flagged", "refused: tiny requires moderation. Your input was flagged", 1),
        ("guidelines", "refused: Content violates usage guidelines", 1),
    ],
)
def test_what_is_no_answer_is_final_with_its_reason(
    make_asker: Make, kind: str, reason: str, sent: int
) -> None:
    with serve(faults=always(kind)) as server:
        (answer,) = make_asker(server).ask([prompt("text")])
        assert answer.value is None and answer.reason.startswith(reason) and answer.final
        assert sum(server.seen.values()) == sent
        assert make_asker(server).ask([prompt("text")]) == [answer]
        assert sum(server.seen.values()) == sent, "final: not asked again"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("error", "HTTP 500: The server had an error"),
        ("overloaded", "HTTP 503: The model is overloaded"),
        ("rate_limit", "HTTP 429: Rate limit reached"),
        ("cut", "the connection was cut"),
        ("invalid_json", "the server's answer was no JSON: Unterminated string"),
        ("html", "the server's answer was no JSON: Empty or invalid response"),
        ("no_choices", "the server's answer was no completion: IndexError"),
    ],
)
@pytest.mark.parametrize("model", ["openai/tiny", "hosted_vllm/tiny"])
def test_failures_of_the_transport_are_retried(
    make_asker: Make, model: str, kind: str, reason: str
) -> None:
    with serve(faults=first(kind), answer=by_number) as server:
        assert scores(make_asker(server, model=model).ask([prompt("text 3")])) == [3]
        assert sum(server.seen.values()) == 2
    with serve(faults=always(kind)) as server:
        (answer,) = make_asker(server, model=model).ask([prompt("text 4")])
        assert sum(server.seen.values()) == 3
    expected = reason.split(": ")[0] if model.startswith("hosted") else reason
    assert answer.reason.startswith(f"the server failed 3 times: {expected}")
    assert answer.value is None and not answer.final


def test_a_server_that_hangs_is_given_up_after_the_timeout(make_asker: Make) -> None:
    with serve(faults=first("hang"), answer=by_number) as server:
        assert scores(make_asker(server, timeout=1.0).ask([prompt("text 3")])) == [3]
        assert server.kinds == {"hang": 1, "": 1}
    with serve(faults=always("hang")) as server:
        (answer,) = make_asker(server, timeout=0.1, attempts=2).ask([prompt("text 4")])
    assert answer.reason == "the server failed 2 times: no answer within 0.1 s"


def test_what_failed_is_asked_again_in_the_next_run(make_asker: Make) -> None:
    with serve(faults=first("error"), answer=by_number) as server:
        asker = make_asker(server, attempts=1)
        assert asker.ask([prompt("text 3")])[0].reason.startswith("the server failed once")
        assert scores(asker.ask([prompt("text 3")])) == [3]
        assert scores(asker.ask([prompt("text 3")])) == [3]
        assert sum(server.seen.values()) == 2


def test_a_rejected_request_is_neither_retried_nor_final(make_asker: Make) -> None:
    with serve(faults=always("bad_request")) as server:
        (answer,) = make_asker(server).ask([prompt("text")])
        assert sum(server.seen.values()) == 2, "with the schema and without"
        assert not answer.final
        assert answer.reason == (
            "the server rejected the request: HTTP 400: Invalid value for 'temperature'"
        )


def test_what_is_too_long_is_asked_again_of_a_server_with_more_room(make_asker: Make) -> None:
    with serve(faults=always("too_long")) as server:
        (answer,) = make_asker(server).ask([prompt("text 3")])
        assert sum(server.seen.values()) == 1, "the schema is not at fault"
    assert answer.reason == "too long for the model: maximum context length is 10 tokens"
    assert answer.reason.startswith(UNFINISHED), "a corpus is not finished with it"
    with serve(answer=by_number) as server:
        assert scores(make_asker(server).ask([prompt("text 3")])) == [3]
        assert "response_format" in server.bodies[0]


@pytest.mark.parametrize("kind", ["", "refusal"])
def test_half_a_character_is_replaced(make_asker: Make, store: AnswerStore, kind: str) -> None:
    class Halved(Server):
        def _completion(self, kind: str, asked: Asked) -> dict[str, Any]:
            whole = super()._completion(kind, asked)
            if kind:
                whole["choices"][0]["message"]["refusal"] = "No \ud83d"
            return whole | {"model": "tiny\udc00"}

    text = '{"score": 3, "why": "\\ud83d", "more": "\ud83d and \ud83d\ude00"}'
    with serve(Halved, answer=lambda asked: text, faults=always(kind)) as server:
        (answer,) = make_asker(server).ask([Prompt((("user", "x"),), {}, "r", "1", json.loads)])
        assert sum(server.paid.values()) == 1
    (kept,) = store.completions(Prompt((("user", "x"),), {}, "r", "1", json.loads).key(
        "openai/tiny", 0.0, 1500
    ))  # fmt: skip
    assert kept.model == "tiny\ufffd"
    if kind:
        assert answer.reason == "refused: No \ufffd"
    else:
        assert answer.value is not None
        assert answer.value["more"] == "\ufffd and \U0001f600"
        assert answer.value["why"] == "\ufffd", "escaped once more, so it only shows when read"


def test_half_a_character_in_what_a_server_says(make_asker: Make) -> None:
    class Halved(Server):
        def _refuse(self, kind: str, request: web.Request) -> web.Response:
            said = {"error": {"message": "Bad \ud83d", "type": "x", "code": "x"}}
            return web.json_response(said, status=400)

    with serve(Halved, faults=always("bad_request")) as server:
        (answer,) = make_asker(server).ask([prompt("text")])
    assert answer.reason.endswith("HTTP 400: Bad \ufffd")


def test_what_another_process_has_paid_for_meanwhile_is_not_sent_again(
    make_asker: Make, store: AnswerStore
) -> None:
    def another_answers(asked: Asked) -> str:
        with AnswerStore(store.path) as other:
            key = prompt("text").key("openai/tiny", 0.0, 1500)
            done = Completion('{"score": 2}', "tiny", 1, 1, None, "stop")
            other.add(key, (), done, model="m", version="v", settings={})
        return "error"

    with serve(faults=another_answers) as server:
        assert scores(make_asker(server).ask([prompt("text")])) == [2]
        assert sum(server.seen.values()) == 1


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("unauthorised", "set OPENAI_API_KEY in the environment"),
        ("forbidden", "Country not supported"),
        ("unknown_model", "set api.model to one that it serves"),
        ("quota", "top it up"),
    ],
)
def test_what_no_request_can_mend_ends_the_run_at_once(
    make_asker: Make, kind: str, says: str
) -> None:
    with serve(faults=always(kind)) as server:
        with pytest.raises(UserError, match=says):
            make_asker(server, concurrency=2).ask(prompts(50))
        assert sum(server.seen.values()) <= 2


def test_a_server_that_is_not_there_ends_the_run(make_asker: Make) -> None:
    with serve() as server:
        pass
    told: list[int] = []
    with pytest.raises(UserError, match=r"No server was reached at http://127.* in 3 attempts"):
        make_asker(server).ask(prompts(500), told.append)
    assert sum(told) <= 8


@pytest.mark.parametrize("kind", ["error", "bad_request", "too_long"])
def test_one_failure_after_the_other_ends_the_run(make_asker: Make, kind: str) -> None:
    told: list[int] = []
    with serve(faults=always(kind)) as server, pytest.raises(UserError, match="5 prompts in a row"):
        make_asker(server, concurrency=3).ask(prompts(100), told.append)
    assert sum(told) <= 8


def test_failures_among_answers_do_not_end_the_run(make_asker: Make) -> None:
    def every_second(asked: Asked) -> str:
        number = int(asked.body["messages"][1]["content"].split()[-1])
        return "error" if number % 2 else ""

    with serve(faults=every_second, answer=by_number) as server:
        answers = make_asker(server, concurrency=1, attempts=1).ask(prompts(24))
    assert [answer.value is None for answer in answers] == [bool(i % 2) for i in range(24)]


def test_a_model_of_no_provider_is_the_users_error(store: AnswerStore) -> None:
    with pytest.raises(UserError, match=r"'my-model' names no provider.*set api\.model"):
        Asker(ApiConfig(model="my-model"), store).ask([prompt("text")])


def test_a_setting_that_the_model_does_not_take(make_asker: Make) -> None:
    with serve() as server:
        with pytest.raises(UserError, match=r"gpt-5 does not take these settings.*temperature"):
            make_asker(server, model="openai/gpt-5").ask(prompts(3))
        assert not server.seen


def test_a_missing_key_is_the_users_error(
    store: AnswerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UserError, match="set OPENAI_API_KEY in the environment"):
        Asker(ApiConfig(model="openai/gpt-4o"), store).ask([prompt("text")])


def test_everything_is_kept_beside_an_answer(make_asker: Make, store: AnswerStore) -> None:
    with serve(answer=lambda asked: '{"score": 3}' if asked.turn else "three") as server:
        make_asker(server, prices=[2.0, 10.0]).ask([prompt("text")])
    db = sqlite3.connect(store.path)
    db.row_factory = sqlite3.Row
    one, two = db.execute("SELECT * FROM completions ORDER BY id").fetchall()
    assert one["key"] == two["key"] == prompt("text").key("openai/tiny", 0.0, 1500)
    assert (one["answer"], two["answer"]) == ("three", '{"score": 3}')
    assert len(json.loads(one["messages"])) == 2 and len(json.loads(two["messages"])) == 4
    assert (one["asked_model"], one["model"]) == ("openai/tiny", "tiny-2024")
    assert one["version"] == "test-1" and json.loads(one["settings"])["max_tokens"] == 1500
    for place, name in enumerate(("prompt_tokens", "completion_tokens")):
        assert one[name] + two[name] == server.tokens[place]
    assert one["cost"] == pytest.approx(one["prompt_tokens"] * 2e-6 + 2 * 1e-5)
    assert one["finish"] == "stop" and one["time"].endswith("Z")


def test_the_identity_names_model_and_settings(make_asker: Make) -> None:
    with serve() as server:
        identity = make_asker(server, temperature=0.5, max_tokens=99).identity
    assert identity == "openai/tiny/temperature=0.5/max_tokens=99"


def test_the_server_tells_its_counts_over_http(make_asker: Make) -> None:
    with serve() as server:
        make_asker(server).ask(prompts(3))
        with urllib.request.urlopen(server.url.removesuffix("v1") + "counts") as response:
            counts = json.load(response)
    assert counts["paid"] == server.paid and sum(counts["paid"].values()) == 3


@pytest.mark.slow
def test_asking_twice_prints_nothing(tmp_path: Path) -> None:
    """Not at the end of the process either: open connections, coroutines that nobody awaited."""
    code = (
        "from pathlib import Path; from lightning_dpg.config import ApiConfig\n"
        "from lightning_dpg.assessment.asking.ask import Asker\n"
        "from lightning_dpg.assessment.asking.store import AnswerStore\n"
        "from tests.assessment.asking.openai_server import serve, first\n"
        "from tests.assessment.asking.prompts import prompts\n"
        "with serve(faults=first('error')) as s, AnswerStore(Path('s')) as store:\n"
        "    for model in ('openai/tiny', 'hosted_vllm/tiny'):\n"
        "        for number in (2, 4):\n"
        "            asker = Asker(ApiConfig(model=model, base_url=s.url), store)\n"
        "            assert all(a.value for a in asker.ask(prompts(number)))\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-W", "default::ResourceWarning", "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == ""
