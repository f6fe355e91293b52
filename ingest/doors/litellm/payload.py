"""One StandardLoggingPayload of LiteLLM as the fields of an event.

Token totals of LiteLLM include their parts, whatever the provider.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from ingest.doors.litellm.labels import Labels, Metadata, labels, text
from ingest.rejections import Rejected
from ingest.response_ids import response_name
from ingest.usage import XAI, count, part

# Its model is what a customer called a deployment; the price card's name is the model.
_DEPLOYED = frozenset({"azure", "azure_ai", "azure_text"})
# LiteLLM's call types without their leading a → operations as OpenTelemetry names them.
_OPERATIONS = {
    "completion": "chat",
    "responses": "chat",
    "anthropic_messages": "chat",
    "text_completion": "text_completion",
    "embedding": "embeddings",
    "generate_content": "generate_content",
    "generate_content_stream": "generate_content",
}
_INFERENCE = frozenset(
    {
        *_OPERATIONS,
        *("image_generation", "image_edit", "moderation", "transcription", "speech", "rerank"),
        *("ocr", "realtime", "responses_websocket"),
    }
)
# Free at every provider, and known by no price.
_WITHOUT_TOKENS = frozenset({"moderation"})
# They report the usage of a call made before, each time they are called.
_READS_AGAIN = ("get_", "retrieve_", "video_retrieve", "list_", "cancel_")
_ABORTED = frozenset({"499", "CancelledError", "ClientDisconnect"})


class _ErrorInformation(Struct, gc=False):
    error_code: Any = None
    error_class: Any = None


class _Tier(Struct, gc=False):
    service_tier: Any = None


class _Parameters(Struct, gc=False):
    service_tier: Any = None
    user: Any = None


class _PriceCard(Struct, gc=False):
    model_map_key: Any = None


class Payload(Struct, gc=False):
    """What is read of a StandardLoggingPayload; messages and answers are skipped unread."""

    started: float = field(name="startTime")
    ended: float | None = field(name="endTime", default=None)
    first_token: float | None = field(name="completionStartTime", default=None)
    id: Any = None
    litellm_call_id: Any = None
    trace_id: Any = None
    session_id: Any = None
    call_type: str | None = None
    stream: Any = None
    status: str | None = None
    cache_hit: Any = None
    custom_llm_provider: Any = None
    model: Any = None
    model_group: Any = None
    model_map_information: _PriceCard | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    response_cost: Decimal | None = None
    cost_breakdown: _Tier | None = None
    request_tags: Any = None
    end_user: Any = None
    metadata: Metadata | None = None
    model_parameters: _Parameters | None = None
    error_information: _ErrorInformation | None = None


_NO_METADATA = Metadata()


def fields_of(payload: Payload) -> dict[str, Any] | None:
    """The native event's fields; None for what is no model call. Rejected as an event is."""
    failed = payload.status == "failure"
    metadata = payload.metadata or _NO_METADATA
    usage = metadata.usage_object or {}
    model = _model(payload)
    spent = bool(payload.response_cost or payload.prompt_tokens or payload.completion_tokens)
    call_type = _call_type(text(payload.call_type) or "completion")
    said = labels(payload.request_tags, metadata)
    if not spent and (call_type not in _INFERENCE or said.is_health_check or not model):
        return None
    if not model:
        raise Rejected("missing_model", "model: LiteLLM names no model of this call.")
    tokens = _tokens(payload, usage)
    if not (failed or payload.cache_hit is True or call_type in _WITHOUT_TOKENS or _any(tokens)):
        raise Rejected(
            "missing_usage",
            "metadata.usage_object: this call says no tokens, so its cost is not known.",
        )
    started_at = _timestamp(payload.started)
    return {
        "id": _id(payload, call_type, started_at if failed else None),
        "response_id": None if failed else _response_id(payload),
        "timestamp": started_at,
        "model": model,
        "provider": text(payload.custom_llm_provider) or None,
        "operation": _OPERATIONS.get(call_type, call_type),
        "user": _user(payload, metadata, said.fields.pop("user", "")),
        "session": text(payload.session_id) or text(payload.trace_id) or None,
        "status": _status(payload.error_information) if failed else "ok",
        "cache": (said.cache or "redis") if payload.cache_hit is True else "none",
        "reported_cost": _reported_cost(payload),
        **_durations(payload),
        **tokens,
        **said.fields,
        "tags": _tags(payload, said, model) or None,
    }


def _call_type(given: str) -> str:
    name = given.removeprefix("_")
    return name[1:] if name[:1] == "a" and name != "anthropic_messages" else name


def _model(payload: Payload) -> str:
    """The model without the provider that LiteLLM puts before it; '' where there is none."""
    provider = text(payload.custom_llm_provider)
    model = text(payload.model) or text(payload.model_group)
    card = (
        text(payload.model_map_information.model_map_key) if payload.model_map_information else ""
    )
    if provider in _DEPLOYED and card:
        model = card
    return model.removeprefix(f"{provider}/") if provider else model


def _id(payload: Payload, call_type: str, failed_at: datetime | None) -> str:
    """litellm_call_id; but attempts that failed share it with the one that did not."""
    if call_type.startswith(_READS_AGAIN):
        return text(payload.id) or text(payload.litellm_call_id)
    call_id = text(payload.litellm_call_id) or text(payload.id)
    if not call_id:
        raise Rejected("missing_id", "litellm_call_id: every payload needs one, or an id.")
    return f"{call_id}-failed-{failed_at:%Y%m%dT%H%M%S.%fZ}" if failed_at else call_id


def _response_id(payload: Payload) -> str | None:
    """The provider's, out of what LiteLLM packs it up in."""
    given = payload.id.replace("\0", "").strip() if isinstance(payload.id, str) else ""
    return text(response_name(given)) or None


def _timestamp(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise Rejected(
            "invalid_timestamp", "startTime: LiteLLM's seconds since 1970, as a number."
        ) from None


def _durations(payload: Payload) -> dict[str, float]:
    """response_time ends at the first token of a stream, so it is not asked."""
    durations = {}
    if payload.ended is not None and payload.ended >= payload.started:
        durations["latency_ms"] = round((payload.ended - payload.started) * 1000, 3)
    if payload.stream is True and payload.first_token and payload.first_token >= payload.started:
        durations["ttft_ms"] = round((payload.first_token - payload.started) * 1000, 3)
    return durations


def _tokens(payload: Payload, usage: dict[str, Any]) -> dict[str, Any]:
    if not usage:
        return {
            "input_tokens": payload.prompt_tokens or 0,
            "output_tokens": payload.completion_tokens or 0,
        }
    if text(payload.custom_llm_provider).lower() in XAI:
        # What xAI leaves out of the output LiteLLM has put in, and reading it would do so again.
        reasoning = count(part(usage, "completion_tokens_details"), "reasoning_tokens")
        whole = count(usage, "completion_tokens")
        usage = {**usage, "completion_tokens": max(whole - reasoning, 0)}
    return {"usage": {**usage, "service_tier": _tier(payload, usage)}}


def _any(tokens: dict[str, Any]) -> bool:
    """Whether there is a token among these fields, by the totals or by a part of them."""
    usage = tokens.get("usage", tokens)
    return any(value for name, value in usage.items() if name.endswith("tokens"))


def _tier(payload: Payload, usage: dict[str, Any]) -> str | None:
    """As LiteLLM priced it, else as the provider answered, else as it was asked for."""
    asked = payload.model_parameters
    return (
        (text(payload.cost_breakdown.service_tier) if payload.cost_breakdown else "")
        or text(usage.get("service_tier"))
        or (text(asked.service_tier) if asked else "")
        or None
    )


def _reported_cost(payload: Payload) -> Decimal | None:
    """None where LiteLLM does not know the cost, for which it writes 0."""
    if payload.cache_hit is True:
        return payload.response_cost
    return payload.response_cost or None


def _user(payload: Payload, metadata: Metadata, labelled: str) -> str | None:
    asked = payload.model_parameters
    return (
        text(payload.end_user)
        or text(metadata.user_api_key_end_user_id)
        or (text(asked.user) if asked else "")
        or labelled
        or text(metadata.user_api_key_user_id)
        or None
    )


def _status(error: _ErrorInformation | None) -> str:
    said = {text(error.error_code), text(error.error_class)} if error else set()
    if said & {"429", "RateLimitError"}:
        return "throttled"
    return "aborted" if said & _ABORTED else "error"


def _tags(payload: Payload, said: Labels, model: str) -> dict[str, str]:
    group = text(payload.model_group)
    return {**said.tags, "model_group": group} if group not in ("", model) else said.tags
