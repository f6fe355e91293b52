"""The ingest door in the OpenAPI document: it is served by another process, from its own schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from finops.api.other_doors import DOORS
from ingest.events import Correction, Event
from ingest.rejections import REASONS

EVENTS_PATH = "/api/v1/events"
PROBLEM = {"$ref": "#/components/schemas/Problem"}
REFERENCE = "#/components/schemas/{name}"
RESULT = {
    "type": "object",
    "required": ["accepted", "duplicates", "rejected"],
    "properties": {
        "accepted": {"type": "integer"},
        "duplicates": {"type": "integer"},
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "id", "reason", "detail"],
                "properties": {
                    "index": {"type": "integer"},
                    "id": {"type": ["string", "null"]},
                    "reason": {"type": "string", "enum": sorted(REASONS)},
                    "detail": {"type": "string"},
                },
            },
        },
        "unknown_fields": {
            "type": "integer",
            "minimum": 1,
            "description": "Fields of accepted or duplicate events that the schema does not know "
            "and that were ignored; left out when there are none.",
        },
        "unknown_field_names": {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": 5,
            "description": "The first of them; there with unknown_fields.",
        },
    },
}
ERRORS = {
    "400": "The body cannot be read.",
    "401": "No key, or an unknown or revoked one.",
    "403": "The key may not do this.",
    "405": "Only POST is taken here; Allow says so.",
    "413": "More than 64 MiB decompressed, or more than 10,000 events.",
    "415": "A content type or encoding that is not taken here.",
    "429": "Too many requests; see Retry-After.",
    "503": "The database is away or overloaded; nothing is written, send again after Retry-After.",
}


def add_ingest(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook."""
    (reference, settlement), components = msgspec.json.schema_components(
        [Event, Correction], ref_template=REFERENCE
    )
    result["components"]["schemas"].update(components)
    result["components"].setdefault("securitySchemes", {}).update(
        {
            "ingestKey": {"type": "http", "scheme": "bearer", "description": "An ingest key."},
            "ingestKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
    )
    result["paths"][EVENTS_PATH] = {"post": events({"anyOf": [reference, settlement]})}
    for door in DOORS:
        content = {name: {"schema": schema} for name, schema in door.content.items()}
        result["paths"][door.path] = {
            "post": operation(door.operation, door.summary, door.description, content, door.never)
        }
    return result


def events(event: dict[str, Any]) -> dict[str, Any]:
    many = {"type": "array", "items": event, "maxItems": 10_000}
    wrapped = {"type": "object", "required": ["events"], "properties": {"events": many}}
    return operation(
        "events",
        "Record events",
        "One event, an array, or {events: […]}; NDJSON too; gzip, deflate or zstd. "
        "Answered only after the rows are committed. One bad event never spoils its neighbours; "
        "unknown fields are ignored and counted. An event with `corrects` replaces the figures of "
        "the event of that id, once that is there.",
        {
            "application/json": {"schema": {"oneOf": [event, many, wrapped]}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    )


def operation(
    name: str,
    summary: str,
    description: str,
    content: dict[str, Any],
    never: Collection[str] = (),
) -> dict[str, Any]:
    """What holds at every door, but for the statuses that this one never answers."""
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "tags": ["v1"],
        "security": [{"ingestKey": []}, {"ingestKeyHeader": []}],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {
                "description": "What became of the events.",
                "content": {"application/json": {"schema": RESULT}},
            },
            **problems({key: why for key, why in ERRORS.items() if key not in never}),
        },
    }


def problems(errors: Mapping[str, str]) -> dict[str, Any]:
    """Answers of these statuses, by why they are given."""
    return {
        status: {"description": why, "content": {"application/problem+json": {"schema": PROBLEM}}}
        for status, why in errors.items()
    }
