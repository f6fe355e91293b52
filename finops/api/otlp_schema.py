"""The OTLP/HTTP doors in the OpenAPI document: OpenTelemetry's own messages, in both encodings."""

from __future__ import annotations

from typing import Any

from ingest.doors.otlp import doors

PROTOBUF = {"type": "string", "format": "binary"}
EXPORTED = {"type": "object", "description": "As opentelemetry-proto maps it to JSON; ids in hex."}
STATUS = {
    "type": "object",
    "description": "google.rpc.Status",
    "required": ["code", "message"],
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
}
SUMMARIES = {
    "/v1/traces": "Record model calls told by spans",
    "/v1/logs": "Record model calls told by inference events",
    "/v1/metrics": "Acknowledge metrics, which are never billed",
}
REJECTED = {"/v1/traces": "rejectedSpans", "/v1/logs": "rejectedLogRecords"}
DESCRIPTION = (
    "OTLP/HTTP in protobuf or JSON; gzip, deflate or zstd. At most 64 MiB decompressed and 10,000 "
    "model calls. Spans and records that are no model call are passed over; what is one and cannot "
    "be taken is told in partialSuccess. The answer has the encoding of the request."
)
ERRORS = {
    "400": "The body cannot be read.",
    "401": "No key, or an unknown one.",
    "403": "The key is revoked or has stopped.",
    "405": "Only POST is taken here; Allow says so.",
    "413": "Too large, or too many spans; send several requests.",
    "415": "A content type or encoding that is not taken here.",
    "429": "The key is at its limit; send again after Retry-After.",
    "503": "The database is away or overloaded; nothing is written, send again after Retry-After.",
}


def add_otlp(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook; runs after that of the ingest door's keys."""
    for door in doors():
        result["paths"][door.path] = {"post": _operation(door.path)}
    return result


def _operation(path: str) -> dict[str, Any]:
    return {
        "operationId": f"otlp_{path.rpartition('/')[2]}",
        "summary": SUMMARIES[path],
        "description": DESCRIPTION,
        "tags": ["OpenTelemetry"],
        "security": [{"ingestKey": []}, {"ingestKeyHeader": []}],
        "requestBody": {"required": True, "content": _both(EXPORTED)},
        "responses": {
            "200": {"description": "What was refused, if anything.", "content": _both(_done(path))},
            **{
                status: {"description": why, "content": _both(STATUS)}
                for status, why in ERRORS.items()
            },
        },
    }


def _both(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "application/json": {"schema": schema},
        "application/x-protobuf": {"schema": PROTOBUF},
    }


def _done(path: str) -> dict[str, Any]:
    if path not in REJECTED:
        return {"type": "object", "maxProperties": 0}
    partial = {REJECTED[path]: {"type": "string"}, "errorMessage": {"type": "string"}}
    return {
        "type": "object",
        "properties": {"partialSuccess": {"type": "object", "properties": partial}},
    }
