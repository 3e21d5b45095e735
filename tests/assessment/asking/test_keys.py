"""Keys stay in the environment: not in the store, an error, a log, or what is printed."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

import pytest

from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.failures import place, redacted
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.config import ApiConfig
from lightning_dpg.errors import UserError
from tests.assessment.asking.conftest import KEY
from tests.assessment.asking.openai_server import always, serve
from tests.assessment.asking.prompts import prompts

Make = Callable[..., Asker]


@pytest.mark.parametrize("model", ["openai/tiny", "hosted_vllm/tiny"])
@pytest.mark.parametrize("kind", ["unauthorised", "echo_error", "echo_rejected", ""])
def test_a_key_is_sent_and_shows_up_nowhere(
    make_asker: Make,
    store: AnswerStore,
    model: str,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    shown = ""
    with serve(faults=always(kind)) as server:
        asker = make_asker(server, model=model)
        try:
            shown += str(asker.ask(prompts(2)))
        except UserError as error:
            shown += "".join(traceback.format_exception(error)) + repr(error.__context__)
        assert server.keys == {f"Bearer {KEY}"}, "the key arrives"
    store.close()
    files = b"".join(path.read_bytes() for path in store.path.parent.glob("answers.sqlite*"))
    printed = capfd.readouterr()
    for text in (shown, caplog.text, printed.out, printed.err, files.decode(errors="replace")):
        assert KEY not in text
    assert kind == "" or "***" in shown, "the server did repeat it"
    assert asker.identity.find(KEY) < 0


def test_a_server_without_a_key_is_asked_with_a_placeholder(
    make_asker: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with serve() as server:
        assert all(answer.value for answer in make_asker(server).ask(prompts(2)))
        assert server.keys == {"Bearer no-key"}


def test_a_password_in_an_address_is_not_shown(store: AnswerStore) -> None:
    api = ApiConfig("openai/tiny", "http://me:hunter2@127.0.0.1:9/v1", attempts=1)
    assert place(api) == "http://***@127.0.0.1:9/v1"
    assert "hunter2" not in str(Asker(api, store).ask(prompts(1)))


def test_longer_keys_are_replaced_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHORT_API_KEY", "abcdef")
    monkeypatch.setenv("LONG_API_KEY", "abcdefghij")
    monkeypatch.setenv("TINY_API_KEY", "no")
    assert redacted("no abcdefghij abcdef") == "no *** ***"
