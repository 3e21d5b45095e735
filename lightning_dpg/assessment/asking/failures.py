"""Why a request brought no completion, from the exceptions that litellm raises for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from lightning_dpg.assessment.asking.pacing import LONGEST_PAUSE, retry_after
from lightning_dpg.assessment.asking.prompt import well_formed
from lightning_dpg.assessment.asking.reading import excerpt
from lightning_dpg.config import ApiConfig
from lightning_dpg.errors import UserError

NOT_REACHED = {"ConnectError", "ConnectTimeout", "ClientConnectorError", "gaierror"}
CUT = {"ReadError", "WriteError", "RemoteProtocolError", "ClientPayloadError"}
CUT |= {"ServerDisconnectedError", "ClientOSError", "ConnectionResetError"}
NO_ANSWER = {"Timeout", "TimeoutError", "ReadTimeout", "APITimeoutError"}
NO_COMPLETION = ("Empty or invalid response", "Unable to get json response")
"""What litellm says of an answer of HTTP 200 that is no chat completion."""
TOO_LONG = ("context_length_exceeded", "ContextWindowExceeded")
POLICY = (
    "content_policy",
    "content_filter",
    "ContentPolicyViolation",
    "input was flagged",  # OpenRouter, with HTTP 403
    "violates usage guidelines",  # xAI, with HTTP 403
)
"""What is said of a text that the provider will not have its model answer."""
NO_CREDIT = ("insufficient_quota", "insufficient_balance", "credit balance is too low")
NO_KEY = re.compile(r"missing\b.{0,40}?(credentials|api.key)", re.IGNORECASE)
"""What clients say when they have no key, some of them as if a server had failed."""
SECRET = re.compile("KEY|TOKEN|SECRET|PASSW|CREDENTIAL")
SHORTEST_SECRET = 6
PREFIX = re.compile(r"^(?:litellm\.)?\w*(?:Error|Timeout)\w*: (?:.*?Exception - )?", re.DOTALL)
USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


class Failure(Exception):
    """A request that may go better when it is sent again.

    Attributes:
        reason: what happened.
        wait: seconds that the server asks to wait, or None.
        limited: by a rate limit, which holds for the other requests too.
        reached: False where there was no server to talk to.
        doubtful: the server may have answered, and charged, although nothing usable came.
    """

    def __init__(
        self,
        reason: str,
        *,
        wait: float | None = None,
        limited: bool = False,
        reached: bool = True,
        doubtful: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason, self.wait, self.limited = reason, wait, limited
        self.reached, self.doubtful = reached, doubtful


class Rejected(Exception):
    """A request that the server will not answer however often it is sent; others it may.

    Attributes:
        reason: what the server says.
        final: the text is refused; else another server, or the same one with other settings, may
            answer, and the next run asks again.
        mendable: it may be the schema that the server does not take.
    """

    def __init__(self, reason: str, *, final: bool = False, mendable: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.final, self.mendable = reason, final, mendable


def failure_of(error: Exception, api: ApiConfig, provider: str) -> Failure | Rejected | UserError:
    """What an exception from litellm means: try again, leave this prompt, or end the run.

    Args:
        error: as raised.
        api: the settings of the request.
        provider: litellm's name of it, for the name of its key.
    """
    names = {kind.__name__ for link in _chain(error) for kind in type(link).__mro__}
    said, words = str(error), _words(error)
    if names & NOT_REACHED:
        return Failure(f"no server was reached at {place(api)}", reached=False)
    if names & NO_ANSWER:
        return Failure(f"no answer within {api.timeout:g} s", doubtful=True)
    if names & CUT:
        return Failure("the connection was cut", doubtful=True)
    status = getattr(error, "status_code", None)
    if "JSONDecodeError" in names or any(mark in said for mark in NO_COMPLETION):
        return Failure(f"the server's answer was no JSON: {words}", doubtful=True)
    if not isinstance(status, int) or status < 400:
        kind = type(error).__name__
        return Failure(f"the server's answer was no completion: {kind}: {words}", doubtful=True)
    body = _body(error) + said + type(error).__name__
    if "UnsupportedParamsError" in body and "response_format" in body:
        # litellm's own, and nothing was sent.
        return Rejected(f"the server rejected the request: {words}", mendable=True)
    moderated = status == 403 and _has(body, POLICY)
    if not moderated and (ending := _ending(status, error, words, api, provider)) is not None:
        return ending
    if status < 500 and status not in (408, 409, 425, 429):
        return _rejected(status, body, words)
    wait = retry_after(_header(error, "retry-after"))
    if wait is not None and wait > LONGEST_PAUSE:
        return UserError(
            f"The server for {api.model} asks to wait {wait / 60:.0f} minutes (HTTP {status}: "
            f"{words}): run the same command again then; what was answered is kept"
        )
    return Failure(f"HTTP {status}: {words}", wait=wait, limited=status == 429)


def _ending(
    status: int, error: Exception, words: str, api: ApiConfig, provider: str
) -> UserError | None:
    """The error that ends the run, where no request can go better."""
    key = f"{provider.upper()}_API_KEY"
    told = f"(HTTP {status}: {words})"
    if type(error).__name__ == "UnsupportedParamsError":
        return UserError(f"{api.model} does not take these settings: {words}")
    if NO_KEY.search(words):
        return UserError(f"No key for {api.model}: set {key} in the environment ({words})")
    if status in (401, 403):
        return UserError(
            f"The server for {api.model} lets nobody in with this key {told}: set {key} in the "
            "environment to a key that may use the model"
        )
    if status in (404, 405):
        return UserError(
            f"The server at {place(api)} knows no model {api.model} {told}: set api.model to one "
            "that it serves, and api.base_url to its address (often with /v1 at the end)"
        )
    if status == 402 or (status == 429 and _has(_body(error) + str(error), NO_CREDIT)):
        return UserError(
            f"The account for {api.model} has no credit left {told}: top it up, then run the same "
            "command again; what was answered is kept"
        )
    return None


def _rejected(status: int, body: str, words: str) -> Rejected:
    if _has(body, POLICY):
        return Rejected(f"refused: {words}", final=True)
    if _has(body, TOO_LONG):
        # Not final: the same model may be served with a larger context.
        return Rejected(f"too long for the model: {words}")
    return Rejected(f"the server rejected the request: HTTP {status}: {words}", mendable=True)


def _has(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that it came of."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _header(error: Exception, name: str) -> str | None:
    headers: Any = getattr(error, "litellm_response_headers", None) or {}
    value: str | None = headers.get(name)
    return value


def _body(error: Exception) -> str:
    return str(getattr(error, "body", None) or "")


def _words(error: Exception) -> str:
    """What the server says, without litellm's words around it and without any key."""
    text = PREFIX.sub("", str(getattr(error, "message", None) or error))
    text = PREFIX.sub("", text)
    try:
        inner = json.loads(text)["error"]["message"]
        text = inner if isinstance(inner, str) else text
    except (ValueError, TypeError, KeyError):
        pass
    return excerpt(redacted(well_formed(text)))


def place(api: ApiConfig) -> str:
    """Where the server is, for a message."""
    return redacted(api.base_url) if api.base_url else f"the provider of {api.model}"


def redacted(text: str) -> str:
    """A text without the values of keys in the environment, as some servers repeat them."""
    values = {value for name, value in os.environ.items() if SECRET.search(name.upper())}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= SHORTEST_SECRET:
            text = text.replace(value, "***")
    return USERINFO.sub("***@", text)
