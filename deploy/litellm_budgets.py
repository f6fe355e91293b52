"""Asks Farthing before each call of LiteLLM's proxy whether its budgets allow it.

Put this file beside the proxy's config.yaml, with FARTHING_URL and INGEST_KEY in its environment:

    litellm_settings:
      callbacks: ["farthing", "litellm_budgets.gate"]

"farthing" is the callback that sends the calls themselves (README, Point LiteLLM here). Give both
the key of one service: what is reserved here ends by itself when that call's event is in the
figures, because both know it by LiteLLM's id of the call.

A blocked call is LiteLLM's BudgetExceededError, a throttled one its RateLimitError, with
Retry-After; so is one of a proxy that asks more often than its key may. While Farthing does not
answer, calls go through; with FARTHING_FAIL_CLOSED=true they do not. A request with a field that
Farthing refuses, such as the name of a user of more than 200 characters, or another team than that
of a team's key, is a BadRequestError either way: give a proxy of several teams a key of no team.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

import httpx
import litellm
from litellm.integrations.custom_logger import CustomLogger

log = logging.getLogger("farthing")

SECONDS = 0.5
# Expected where a request does not say how much it wants at most.
OUTPUT_TOKENS = 1_000
CHARACTERS_PER_TOKEN = 3  # rather too few: an estimate should not be too low
# Longer than any call takes: a call that never ends holds so long.
TTL_SECONDS = 600


class Gate(CustomLogger):
    def __init__(self) -> None:
        super().__init__()
        self._http: httpx.AsyncClient | None = None

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        answer = await self._post("/api/v1/authorize", question(user_api_key_dict, data))
        if answer is None:
            if os.environ.get("FARTHING_FAIL_CLOSED", "").lower() == "true":
                raise refusal("Budgets cannot be asked about, as Farthing is away.", 5, data)
            return data
        if answer["decision"] == "block":
            raise litellm.BudgetExceededError(
                current_cost=0.0, max_budget=0.0, message=because(answer)
            )
        if answer["decision"] == "throttle":
            raise refusal(because(answer), answer["retry_after"], data)
        if answer["reservation"]:
            data.setdefault("metadata", {})["farthing_reservation"] = answer["reservation"]
        return data

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> None:
        """A call that failed costs nothing, or what its own event says."""
        metadata = request_data.get("metadata") or {}
        if reservation := metadata.get("farthing_reservation"):
            await self._post(f"/api/v1/authorize/{reservation}/release", {})

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if self._http is None:
            self._http = httpx.AsyncClient(
                base_url=os.environ.get("FARTHING_URL", "http://127.0.0.1:8000"),
                headers={"X-API-Key": os.environ["INGEST_KEY"]},
                timeout=SECONDS,
            )
        try:
            response = await self._http.post(path, json=body)
        except httpx.HTTPError as error:
            log.warning("Farthing does not answer: %r", error)
            return None
        if response.is_success:
            answer: dict[str, Any] = response.json()
            return answer
        log.warning("Farthing answers %d: %s", response.status_code, response.text[:500])
        # It is there: who asks too often, or about a wrong field, asks nobody and passes nobody.
        if response.status_code == 429:
            seconds = int(response.headers.get("retry-after", 1))
            raise refusal(f"Budgets cannot be asked about: {response.text[:500]}", seconds, body)
        is_wrong = response.status_code == 403 and b'"errors"' in response.content
        if response.status_code == 400 or is_wrong:
            raise litellm.BadRequestError(
                message=f"Budgets cannot be asked about: {response.text[:500]}",
                model=str(body.get("model") or ""),
                llm_provider="farthing",
            )
        return None


def question(key: Any, data: dict[str, Any]) -> dict[str, Any]:
    """What is asked of one request, in the words that its event will have."""
    metadata = data.get("metadata") or {}
    tags = [tag for tag in metadata.get("tags") or () if isinstance(tag, str)]
    labels = dict(tag.split(":", 1) for tag in tags if ":" in tag)
    model, provider = deployment(data.get("model") or "")
    asked = data.get("messages") or data.get("input") or data.get("prompt") or ""
    wanted = data.get("max_completion_tokens") or data.get("max_tokens")
    given = {
        "model": model,
        "provider": provider,
        "user": data.get("user")
        or getattr(key, "end_user_id", None)
        or labels.get("user")
        or getattr(key, "user_id", None),
        "team": getattr(key, "team_alias", None)
        or getattr(key, "team_id", None)
        or labels.get("team"),
        "feature": labels.get("feature"),
        "input_tokens": len(json.dumps(asked, default=str)) // CHARACTERS_PER_TOKEN,
        "output_tokens": 0 if "embed" in model else int(wanted or OUTPUT_TOKENS),
        "reserve": True,
        "ttl_seconds": TTL_SECONDS,
        "event_id": data.get("litellm_call_id"),
    }
    return {name: value for name, value in given.items() if value is not None}


def deployment(name: str) -> tuple[str, str | None]:
    """The model and its provider; of the proxy's public names those of the first deployment."""
    proxy = sys.modules.get("litellm.proxy.proxy_server")
    router = getattr(proxy, "llm_router", None)
    for each in (router.get_model_list(model_name=name) or ()) if router else ():
        name = each["litellm_params"]["model"]
        break
    try:
        model, provider, *_ = litellm.get_llm_provider(name)
    except Exception:
        return name, None
    return model, provider


def because(answer: dict[str, Any]) -> str:
    said = [each for each in answer["reasons"] if each["decision"] == answer["decision"]]
    return "; ".join(f"{each['name'] or 'A budget'}: {each['detail']}" for each in said)


def refusal(message: str, seconds: int | None, data: dict[str, Any]) -> Exception:
    error = litellm.RateLimitError(
        message=message, llm_provider="farthing", model=data.get("model") or ""
    )
    error.headers = {"retry-after": str(seconds or 1)}  # type: ignore[attr-defined]
    return error


gate = Gate()
