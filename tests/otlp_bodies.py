"""OTLP bodies for tests: written as readable attributes, encoded as JSON or protobuf."""

from __future__ import annotations

import asyncio
import base64
import copy
import itertools
import json
import time
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest.doors.door import Decoded
from ingest.doors.otlp import doors
from ingest.events import Event

JSON, PROTOBUF = "application/json", "application/x-protobuf"
TRACES, LOGS, METRICS = "/v1/traces", "/v1/logs", "/v1/metrics"
_numbers = itertools.count(time.time_ns() // 1000)


def value(given: Any) -> dict[str, Any]:
    """As an AnyValue in JSON."""
    if isinstance(given, bool):
        return {"boolValue": given}
    if isinstance(given, int):
        return {"intValue": str(given)}
    if isinstance(given, float):
        return {"doubleValue": given}
    if isinstance(given, list):
        return {"arrayValue": {"values": [value(each) for each in given]}}
    return {"stringValue": given}


def attributes(given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": value(each)} for name, each in given.items()]


def new_id(digits: int) -> str:
    return f"{next(_numbers):0{digits}x}"[-digits:]


def span(
    parent: dict[str, Any] | None = None,
    *,
    failed: str = "",
    milliseconds: int = 500,
    **more: Any,
) -> dict[str, Any]:
    """A span of a minute ago; its attributes are given as `attributes={…}`."""
    started = time.time_ns() - 60 * 10**9
    given = more.pop("attributes", {})
    made = {
        "traceId": parent["traceId"] if parent else new_id(32),
        "spanId": new_id(16),
        "name": "a span",
        "startTimeUnixNano": str(started),
        "endTimeUnixNano": str(started + milliseconds * 10**6),
        "attributes": attributes(given),
        **more,
    }
    if parent:
        made["parentSpanId"] = parent["spanId"]
    if failed:
        made["status"] = {"code": 2, "message": failed}
    return made


def traces(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes(resource or {})},
                "scopeSpans": [{"scope": {"name": "tests"}, "spans": list(spans)}],
            }
        ]
    }


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}


def encoded(body: dict[str, Any], content_type: str = JSON) -> bytes:
    """The body as a client would send it."""
    if content_type == JSON:
        return json.dumps(body).encode()
    message: Any = ExportLogsServiceRequest() if "resourceLogs" in body else None
    message = message or ExportTraceServiceRequest()
    # Protobuf's own JSON has ids in base64; OTLP's has them in hex.
    given = copy.deepcopy(body)
    for group in given.get("resourceSpans", []) + given.get("resourceLogs", []):
        for scope in group.get("scopeSpans", []) + group.get("scopeLogs", []):
            for record in scope.get("spans", []) + scope.get("logRecords", []):
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in record:
                        record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    json_format.ParseDict(given, message)
    return bytes(message.SerializeToString())


class Exporter:
    """Sends one body after another to the doors of one process, without its server."""

    def __init__(self, content_type: str = JSON) -> None:
        self.doors = {door.path: door for door in doors()}
        self.content_type = content_type

    def decode(self, body: dict[str, Any], source: str = "a source") -> Decoded:
        """What is read of a body, which is then stored."""
        decoded = self.read(body, source)
        assert decoded.ties
        refused = [rejection.index for rejection in decoded.rejections]
        assert asyncio.run(decoded.ties.keep(refused))
        return decoded

    def read(self, body: dict[str, Any], source: str = "a source") -> Decoded:
        """What is read of a body, of which nobody knows yet whether it is stored."""
        path = LOGS if "resourceLogs" in body else TRACES
        known = self.doors[path].formats[self.content_type]
        return known.decode(encoded(body, self.content_type), {}, source)

    def events(self, *spans: dict[str, Any], **resource: Any) -> list[Event]:
        """The events of one body of these spans, none of which may be refused."""
        decoded = self.decode(traces(*spans, resource=resource))
        assert decoded.rejections == []
        return list(decoded.events)
