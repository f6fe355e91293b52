"""Payloads as LiteLLM's generic API callback sends them, written by hand: the fields that matter,
and of the others some that must not be kept."""

from __future__ import annotations

import time
from copy import deepcopy
from typing import Any

import httpx

PATH = "/api/v1/ingest/litellm"
_START = int(time.time()) - 1800 + 0.25
_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 350,
    "total_tokens": 1550,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 200, "audio_tokens": 0},
}
FIRST: dict[str, Any] = {
    "id": "chatcmpl-of-the-provider",
    "litellm_call_id": "5a3f1f0e-0000-4000-8000-000000000001",
    "trace_id": "conversation-7",
    "session_id": "",
    "call_type": "acompletion",
    "cache_hit": None,
    "stream": None,
    "status": "success",
    "custom_llm_provider": "openai",
    "model": "gpt-4o",
    "model_group": "",
    "model_id": "",
    "model_map_information": {"model_map_key": "gpt-4o", "model_map_value": {"max_tokens": 4096}},
    "startTime": _START,
    "endTime": _START + 1.5,
    "completionStartTime": _START + 1.5,
    "response_time": 1.5,
    "prompt_tokens": 1200,
    "completion_tokens": 350,
    "total_tokens": 1550,
    "response_cost": 0.00522,
    "cost_breakdown": {"total_cost": 0.00522, "service_tier": None},
    "request_tags": ["team:payments"],
    "end_user": None,
    "model_parameters": {},
    "metadata": {
        "user_api_key_alias": None,
        "user_api_key_team_id": None,
        "user_api_key_team_alias": None,
        "user_api_key_user_id": None,
        "user_api_key_end_user_id": None,
        "spend_logs_metadata": None,
        "requester_metadata": None,
        "usage_object": _USAGE,
    },
    "messages": [{"role": "user", "content": "A question."}],
    "response": {"id": "chatcmpl-of-the-provider", "usage": _USAGE},
    "hidden_params": {"litellm_model_name": "openai/gpt-4o"},
    "error_str": None,
    "error_information": {"error_code": "", "error_class": ""},
}


def payload(**changed: Any) -> dict[str, Any]:
    """One call with other values; metadata are added to its own."""
    fresh = deepcopy(FIRST)
    fresh["metadata"].update(changed.pop("metadata", {}))
    return {**fresh, **changed}


def post(http: httpx.Client, key: str, content: bytes) -> httpx.Response:
    """As LiteLLM does, whatever its log format."""
    headers = {
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "user-agent": "litellm/1.106.2",
    }
    return http.post(PATH, content=content, headers=headers)
