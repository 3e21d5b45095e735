"""A real HTTP server on loopback that speaks OpenAI's chat completions and misbehaves on command.

What it *answers* depends on the messages alone, as a model at temperature 0 would; how the
*transport* fails may depend on how often the same messages came. It counts what it answered.

    with serve(faults=share(0.3, seed=1)) as server:
        ...  # ApiConfig(model="openai/any", base_url=server.url)
        server.paid  # how often each content was answered, by digest
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Asked:
    """A request as rules see it.

    Attributes:
        body: the JSON that was posted.
        content: its messages as JSON text.
        attempt: how often these messages have come, this time included.
    """

    body: dict[str, Any]
    content: str
    attempt: int

    @property
    def turn(self) -> int:
        """0 for a first question, 1 for one that shows the model its own answer, and so on."""
        return sum(message["role"] == "assistant" for message in self.body["messages"])


Faults = Callable[[Asked], str]
"""From a request to the kind of fault; empty for a right answer."""

UNPAID = ("rate_limit", "error", "cut", "invalid_json", "html", "no_choices", "hang")
PAID = ("wrong_values", "refusal", "truncated", "slow")


def digest(content: str) -> str:
    """The name under which the server counts messages."""
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def no_faults(asked: Asked) -> str:
    """Right answers only."""
    return ""


def always(kind: str) -> Faults:
    """The same fault for every request."""
    return lambda asked: kind


def first(*kinds: str) -> Faults:
    """These faults in turn for the first requests of each content, then right answers."""
    return lambda asked: kinds[asked.attempt - 1] if asked.attempt <= len(kinds) else ""


def share(rate: float, seed: int, weights: Mapping[str, float] | None = None) -> Faults:
    """Faults for about `rate` of the requests, decided by content, attempt and seed.

    Args:
        rate: share of the requests.
        seed: of the decision.
        weights: of the kinds; all of `UNPAID` and `PAID` alike by default. Kinds in `PAID`
            depend on the content alone, so that a repeated request is answered alike.
    """
    weights = dict.fromkeys((*UNPAID, *PAID), 1.0) if weights is None else weights
    paid = {kind: weight for kind, weight in weights.items() if kind in PAID}
    unpaid = {kind: weight for kind, weight in weights.items() if kind not in PAID}
    total = sum(weights.values())

    def decide(asked: Asked) -> str:
        for kinds, what in ((unpaid, (asked.content, asked.attempt)), (paid, asked.content)):
            own = random.Random(f"{seed} {what}")
            if kinds and own.random() < rate * sum(kinds.values()) / total:
                return own.choices(list(kinds), list(kinds.values()))[0]
        return ""

    return decide


def valid_answer(asked: Asked) -> str:
    """JSON that fits the schema of the request, a function of the messages."""
    schema = asked.body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return json.dumps(_example(schema, random.Random(asked.body["messages"][-1]["content"])))


def _example(schema: dict[str, Any], own: random.Random) -> Any:
    if "enum" in schema:
        return own.choice(schema["enum"])
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: _example(inner, own) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_example(schema["items"], own) for _ in range(schema.get("minItems", 1))]
    if kind in ("integer", "number"):
        return own.randint(int(schema.get("minimum", 0)), int(schema.get("maximum", 5)))
    return True if kind == "boolean" else "some words"


@dataclass
class Server:
    """What the server does and what it has counted.

    Attributes:
        answer: from a request to the text of the right answer.
        faults: from a request to a kind of fault.
        latency: seconds before an answer; five times as many when `slow`.
        retry_after: header of a 429; None leaves it out.
        gather: how many requests must be under way before the oldest of them is answered, or 0.
            `full` counts those answered so and `short` those that waited for `patience` seconds.
        paid: completions by digest of their messages.
        seen: requests by digest of their messages.
        kinds: requests by fault.
        tokens: prompt tokens and completion tokens that were charged.
        under_way, most: requests now, and the most at a time.
        keys: what came as `Authorization`.
        bodies: the requests.
    """

    answer: Callable[[Asked], str] = valid_answer
    faults: Faults = no_faults
    latency: float = 0.0
    retry_after: str | None = "0"
    gather: int = 0
    patience: float = 1.0
    url: str = ""
    paid: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    under_way: int = 0
    most: int = 0
    full: int = 0
    short: int = 0
    keys: set[str] = field(default_factory=set)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.closing = asyncio.Event()
        self.waiting: list[asyncio.Event] = []

    def counts(self) -> dict[str, Any]:
        """What `GET /counts` gives."""
        names = ("paid", "seen", "kinds", "tokens", "under_way", "most", "full", "short")
        return {name: getattr(self, name) for name in names}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        body = await request.json()
        content = json.dumps(body["messages"], ensure_ascii=False)
        self.seen[digest(content)] += 1
        self.keys.add(request.headers.get("Authorization", ""))
        self.bodies.append(body)
        asked = Asked(body, content, self.seen[digest(content)])
        kind = self.faults(asked)
        self.kinds[kind] += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self._wait(kind)
            return await self._respond(kind, asked, request)
        finally:
            self.under_way -= 1

    async def _wait(self, kind: str) -> None:
        if self.gather:
            turn = asyncio.Event()
            self.waiting.append(turn)
            if self.under_way >= self.gather:
                self.waiting.pop(0).set()
            try:
                await asyncio.wait_for(turn.wait(), self.patience)
                self.full += 1
            except TimeoutError:
                self.short += 1
                if turn in self.waiting:
                    self.waiting.remove(turn)
        await asyncio.sleep(self.latency * (5 if kind == "slow" else 1))

    async def _respond(self, kind: str, asked: Asked, request: web.Request) -> web.StreamResponse:
        if kind in ("", *PAID, "filtered"):
            return web.json_response(self._completion(kind, asked))
        if kind == "hang":
            while request.transport and not self.closing.is_set():
                await asyncio.sleep(0.02)
        if kind in ("hang", "cut"):
            return await _cut(request)
        if kind == "html":
            return web.Response(text="<html>Welcome to the portal</html>", content_type="text/html")
        if kind == "invalid_json":
            return web.Response(text='{"choices": [{"mess', content_type="application/json")
        if kind == "no_choices":
            return web.json_response({"object": "chat.completion", "choices": []})
        if kind == "no_schema":
            if "response_format" not in asked.body:
                return web.json_response(self._completion("", asked))
            return _error(400, "response_format of type json_schema is not supported", "invalid")
        return self._refuse(kind, request)

    def _refuse(self, kind: str, request: web.Request) -> web.Response:
        if kind == "rate_limit":
            headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return _error(429, "Rate limit reached", "rate_limit_exceeded", headers)
        if kind == "unauthorised":  # a server that echoes the key, as some do
            key = request.headers.get("Authorization", "")
            return _error(401, f"Incorrect API key provided: {key}", "invalid_api_key")
        if kind in ("echo_error", "echo_rejected"):
            said = f"Bad key {request.headers.get('Authorization', '')}"
            return _error(500 if kind == "echo_error" else 400, said, "strange")
        status, message, code = {
            "error": (500, "The server had an error", "server_error"),
            "overloaded": (503, "The model is overloaded", "overloaded"),
            "quota": (429, "You exceeded your current quota", "insufficient_quota"),
            "forbidden": (403, "Country not supported", "unsupported_country"),
            "flagged": (403, "tiny requires moderation. Your input was flagged for \"rudeness\"",
                        "403"),
            "guidelines": (403, "Content violates usage guidelines. Failed check: BIO",
                           "permission-denied"),
            "unknown_model": (404, "The model does not exist", "model_not_found"),
            "bad_request": (400, "Invalid value for 'temperature'", "invalid_value"),
            "too_long": (400, "maximum context length is 10 tokens", "context_length_exceeded"),
            "policy": (400, "Your request was rejected as a result of our safety system",
                       "content_policy_violation"),
        }[kind]  # fmt: skip
        return _error(status, message, code)

    def _completion(self, kind: str, asked: Asked) -> dict[str, Any]:
        text = '{"unexpected": 99}' if kind == "wrong_values" else self.answer(asked)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        finish = "stop"
        if kind == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that."}
        elif kind == "truncated":
            message["content"], finish = text[: len(text) // 2], "length"
        elif kind == "filtered":
            message["content"], finish = "", "content_filter"
        used = (len(asked.content) // 4, len(text) // 4 + 1)
        self.paid[digest(asked.content)] += 1
        self.tokens[0] += used[0]
        self.tokens[1] += used[1]
        return {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1,
            "model": asked.body["model"] + "-2024",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": used[0], "completion_tokens": used[1],
                      "total_tokens": sum(used)},
        }  # fmt: skip


def _error(
    status: int, message: str, code: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    error = {"error": {"message": message, "type": code, "code": code}}
    return web.json_response(error, status=status, headers=headers)


async def _cut(request: web.Request) -> web.StreamResponse:
    """Promise more than is sent, and hang up."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    if request.transport is not None:
        await response.prepare(request)
        await response.write(b'{"choices": [')
        if request.transport is not None:
            request.transport.abort()
    return response


@contextmanager
def serve(kind: type[Server] = Server, **settings: Any) -> Iterator[Server]:
    """Run a server in a thread while the block runs; `settings` are those of `Server`."""
    loop = asyncio.new_event_loop()
    ready, server = threading.Event(), kind(**settings)

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", server.handle)
        app.router.add_get("/counts", lambda _: _counts(server))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        ready.set()
        await server.closing.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(server.closing.set)
        thread.join()
        loop.close()


async def _counts(server: Server) -> web.Response:
    return web.json_response(server.counts())
