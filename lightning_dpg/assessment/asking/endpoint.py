"""One request to a language model through litellm: the only file that knows litellm.

A cloud's API, a local vLLM or Ollama and a test server differ in `model` and `base_url` alone.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import logging
import os
import warnings
from typing import Any

from lightning_dpg.assessment.asking.budget import MILLION, Budget, Prices
from lightning_dpg.assessment.asking.failures import Rejected, failure_of
from lightning_dpg.assessment.asking.prompt import Completion, Messages, Prompt, well_formed
from lightning_dpg.config import ApiConfig
from lightning_dpg.errors import UserError

NO_KEY = "no-key"
"""Sent to a local server where the environment has no key: clients insist on some key."""
GRACE = 5.0
"""Seconds after our own time limit at which litellm's would strike: ours counts from the start to
the last byte, theirs from byte to byte."""


@functools.cache
def load_litellm() -> Any:
    """The package, silenced. Importing it takes seconds, so that only asking does."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or importing it fetches a price list
    # pydantic says so of litellm's own types, some of which are made at the first request.
    warnings.filterwarnings("ignore", "Items? '.*ReadOnly", UserWarning)
    # A request that is interrupted before it has begun.
    warnings.filterwarnings("ignore", "coroutine '.*completion' was never", RuntimeWarning)
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False  # a setting that a model does not take is an error, not a silence
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm


class Endpoint:
    """The model that is asked.

    Args:
        api: which, where, and its settings.

    Attributes:
        prices: dollars a token of prompt and answer, from the settings or litellm's list.
        lacking: variables that the environment lacks and the provider asks for (some providers are
            content with one of several); none where a server of one's own is asked.

    Raises:
        UserError: the model's name says no provider; or a budget without known prices.
    """

    def __init__(self, api: ApiConfig) -> None:
        self.api, self.litellm = api, load_litellm()
        try:
            _, self.provider, _, _ = self.litellm.get_llm_provider(model=api.model)
        except Exception:
            raise UserError(
                f"The model {api.model!r} names no provider that litellm knows, expected such as "
                "openai/gpt-4o, hosted_vllm/NAME or ollama/NAME: set api.model"
            ) from None
        self.prices = self._prices()
        if api.budget is not None and self.prices is None:
            raise UserError(
                f"A budget needs prices, and none are known for {api.model}: set api.prices to "
                "dollars for a million tokens of prompt and of answer, such as [0.15,0.60]"
            )
        missing = self.litellm.validate_environment(model=api.model)["missing_keys"]
        # Without an address a local server is looked for where it usually is.
        lacking = [n for n in missing if not n.endswith("_API_BASE") and n not in os.environ]
        self.lacking = [] if api.base_url else lacking
        lacks_key = any(name.endswith("_API_KEY") for name in missing)
        self._key = NO_KEY if api.base_url and lacks_key else None
        # A server of one's own is tried: litellm's list knows no models of one's own.
        self._structured = bool(api.base_url) or self.litellm.supports_response_schema(
            model=api.model
        )
        self._proven = False

    async def complete(self, prompt: Prompt, messages: Messages, budget: Budget) -> Completion:
        """Send one request and wait for its completion.

        A server, or litellm before it, that rejects the first requests with a schema and takes
        them without gets none any more.

        Args:
            prompt: whose schema goes along.
            messages: to send.
            budget: gives costs.

        Raises:
            Failure: it may go better another time.
            Rejected: this prompt has no answer here.
            UserError: no prompt has.
        """
        worst = budget.worst(messages, prompt.schema)

        async def send(response_format: dict[str, Any] | None) -> Completion:
            return await self._send(messages, response_format, budget, worst)

        if prompt.schema is None or not self._structured:
            return await send(None)
        schema = {"name": prompt.name, "schema": prompt.schema, "strict": True}
        try:
            completion = await send({"type": "json_schema", "json_schema": schema})
            self._proven = True
        except Rejected as error:
            if self._proven or not error.mendable:
                raise
            completion = await send(None)
            self._structured = False
        return completion

    async def _send(
        self,
        messages: Messages,
        response_format: dict[str, Any] | None,
        budget: Budget,
        worst: float,
    ) -> Completion:
        api = self.api
        optional = {
            "base_url": api.base_url,
            "api_key": self._key,
            "response_format": response_format,
        }
        try:
            async with asyncio.timeout(api.timeout):
                response = await self.litellm.acompletion(
                    model=api.model,
                    messages=[{"role": role, "content": text} for role, text in messages],
                    temperature=api.temperature,
                    max_tokens=api.max_tokens,
                    timeout=api.timeout + GRACE,
                    num_retries=0,  # retries are ours: litellm's would not be counted or stored
                    max_retries=0,
                    **{name: value for name, value in optional.items() if value is not None},
                )
            return _completion(response, budget, worst)
        except Exception as error:
            failure = failure_of(error, api, self.provider)
        # Raised out here so that it does not carry litellm's exception, which may hold the key.
        raise failure

    def _prices(self) -> Prices | None:
        if self.api.prices:
            return self.api.prices[0] / MILLION, self.api.prices[1] / MILLION
        try:
            known = self.litellm.get_model_info(model=self.api.model)
        except Exception:  # litellm raises a bare Exception for a model that is not on its list
            return None
        prices = known.get("input_cost_per_token"), known.get("output_cost_per_token")
        if prices[0] is None or prices[1] is None:
            return None
        return float(prices[0]), float(prices[1])

    async def close(self) -> None:
        """Close connections: litellm keeps clients, which are of no use to another event loop."""
        await self.litellm.close_litellm_async_clients()
        self.litellm.in_memory_llm_clients_cache.flush_cache()


def unable(api: ApiConfig) -> str | None:
    """Why a model cannot be asked, as far as that shows before anything is sent; None if it can."""
    if not api.model:
        return "no model is named, such as openai/gpt-4o"
    try:
        lacking = Endpoint(api).lacking
    except UserError as error:
        return str(error)
    if not lacking:
        return None
    return f"no key for {api.model}: the environment has no {', '.join(lacking)}"


def _completion(response: Any, budget: Budget, worst: float) -> Completion:
    choice, usage = response.choices[0], getattr(response, "usage", None)
    used = (int(usage.prompt_tokens or 0), int(usage.completion_tokens or 0)) if usage else (0, 0)
    cost = None
    if budget.prices is not None:
        # A server that does not say what it used is taken to have used the most.
        cost = budget.cost(*used) if any(used) else worst
    refusal = getattr(choice.message, "refusal", None)
    return Completion(
        text=well_formed(str(refusal or choice.message.content or "")),
        model=well_formed(str(response.model or "")),
        prompt_tokens=used[0],
        completion_tokens=used[1],
        cost=cost,
        finish="refusal" if refusal else well_formed(str(choice.finish_reason or "stop")),
    )
