"""OTLP's answers: an Export…ServiceResponse, or a google.rpc.Status, in the request's encoding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

from ingest.batches import Outcome
from ingest.doors.door import JSON, Answer, Remarks, header_pairs
from ingest.problems import Problem
from ingest.rejections import Rejection

PROTOBUF_TYPES = ("application/x-protobuf", "application/protobuf")
# HTTP status → google.rpc.Code.
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 3, 415: 3, 429: 8, 503: 14}
_UNKNOWN = 2
NAMED_REASONS = 3


def spans(outcome: Outcome, remarks: Remarks, content_type: str) -> Answer:
    """Of /v1/traces: which spans were refused, if any."""
    message = traces.ExportTraceServiceResponse()
    return _export(message, "rejectedSpans", "rejected_spans", remarks.rejections, content_type)


def log_records(outcome: Outcome, remarks: Remarks, content_type: str) -> Answer:
    """Of /v1/logs: which records were refused, if any."""
    message = logs.ExportLogsServiceResponse()
    name, field = "rejectedLogRecords", "rejected_log_records"
    return _export(message, name, field, remarks.rejections, content_type)


def nothing(outcome: Outcome, remarks: Remarks, content_type: str) -> Answer:
    """Of /v1/metrics: success, with nothing to say."""
    return Answer(b"", content_type.encode()) if _is_protobuf(content_type) else Answer(b"{}")


def _export(
    message: Any, name: str, field: str, rejections: Sequence[Rejection], content_type: str
) -> Answer:
    if not rejections:
        return nothing(Outcome(0, 0), Remarks([], 0, (), ()), content_type)
    said = _sentence(rejections)
    if _is_protobuf(content_type):
        setattr(message.partial_success, field, len(rejections))
        message.partial_success.error_message = said
        return Answer(message.SerializeToString(), content_type.encode())
    partial = {name: str(len(rejections)), "errorMessage": said}
    return Answer(msgspec.json.encode({"partialSuccess": partial}))


def _sentence(rejections: Sequence[Rejection]) -> str:
    counts = Counter(rejection.reason for rejection in rejections)
    details = {rejection.reason: rejection.detail for rejection in reversed(rejections)}
    shown = [
        f"{count} × {reason} ({details[reason]})"
        for reason, count in counts.most_common(NAMED_REASONS)
    ]
    more = len(counts) - len(shown)
    return "; ".join(shown) + (f"; and {more} other reasons" if more else "")


def status(problem: Problem, content_type: str) -> Answer:
    """The problem as google.rpc.Status; in JSON where the request's encoding is not known."""
    code = _CODES.get(problem.status, _UNKNOWN)
    headers = header_pairs(problem)
    if not _is_protobuf(content_type):
        body = msgspec.json.encode({"code": code, "message": problem.detail})
        return Answer(body, JSON, problem.status, headers)
    text = problem.detail.encode()
    # Field 1 is the code, a varint below 128; field 2 the message.
    body = bytes([0x08, code, 0x12]) + _varint(len(text)) + text
    return Answer(body, content_type.encode(), problem.status, headers)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _is_protobuf(content_type: str) -> bool:
    return content_type in PROTOBUF_TYPES
