"""Doors for events in other people's formats, in the OpenAPI document."""

from __future__ import annotations

from typing import Any, NamedTuple

from ingest.doors.cloudevents import CLOUDEVENTS
from ingest.doors.litellm import LITELLM

TEXT = {"type": "string", "minLength": 1}
NUMBER = {"type": ["number", "null"]}
PAYLOAD = {
    "type": "object",
    "required": ["litellm_call_id", "startTime", "model"],
    "description": "A StandardLoggingPayload. Of its fields these are read; prompts and answers "
    "are neither read nor kept.",
    "properties": {
        "litellm_call_id": {**TEXT, "description": "The event's id; `id` where there is none."},
        "startTime": {"type": "number", "description": "Seconds since 1970."},
        "endTime": NUMBER,
        "completionStartTime": {**NUMBER, "description": "Of a stream its first token."},
        "model": TEXT,
        "custom_llm_provider": {"type": ["string", "null"]},
        "status": {"type": "string", "enum": ["success", "failure"]},
        "call_type": {"type": "string"},
        "cache_hit": {"type": ["boolean", "null"]},
        "response_cost": {**NUMBER, "description": "Kept as reported_cost, unless it is 0."},
        "request_tags": {"type": "array", "items": {"type": "string"}},
        "end_user": {"type": ["string", "null"]},
        "metadata": {
            "type": ["object", "null"],
            "description": "usage_object, the key's team and alias, spend_logs_metadata and "
            "requester_metadata are read.",
        },
    },
}
USAGE = {
    "type": "object",
    "description": "Fields of an event but for id and timestamp; or OpenMeter's tokens, model "
    "and type (input, output, cache_read, cache_write, reasoning).",
}
CLOUDEVENT = {
    "type": "object",
    "required": ["id", "source", "type", "specversion"],
    "properties": {
        "id": TEXT,
        "source": {**TEXT, "description": "Source and id together are the event's identity."},
        "type": {**TEXT, "examples": ["llm.usage.v1"]},
        "specversion": {"const": "1.0"},
        "subject": {"type": "string", "description": "The user, unless the data name one."},
        "time": {"type": "string", "format": "date-time"},
        "data": USAGE,
        "data_base64": {"type": "string"},
    },
}


class OtherDoor(NamedTuple):
    """What the document says of a door beside what it says of all."""

    path: str
    operation: str
    summary: str
    description: str
    content: dict[str, dict[str, Any]]
    never: tuple[str, ...] = ()  # statuses that other doors answer


def _many(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema, "maxItems": 10_000}


DOORS = (
    OtherDoor(
        LITELLM.path,
        "litellm",
        "Record calls that LiteLLM logs",
        "LiteLLM's generic API callback in its formats json_array, ndjson and single, all of which "
        "it sends as application/json. What is no model call is left out. A limit that is reached "
        "is answered 503, since LiteLLM sends again after nothing else.",
        {"application/json": {"oneOf": [PAYLOAD, _many(PAYLOAD)]}},
        never=("429",),
    ),
    OtherDoor(
        CLOUDEVENTS.path,
        "cloudevents",
        "Record CloudEvents",
        "CloudEvents 1.0, structured, batched, or binary with its ce- headers.",
        {
            "application/cloudevents+json": CLOUDEVENT,
            "application/cloudevents-batch+json": _many(CLOUDEVENT),
            "application/json": {"oneOf": [CLOUDEVENT, _many(CLOUDEVENT)]},
        },
    ),
)
