"""OTLP in JSON: hex ids, 64-bit numbers as numbers or as text, unknown fields passed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from mmap import mmap
from typing import TypeVar

import msgspec
from msgspec import DecodeError, Struct, ValidationError

from ingest.buffers import Body
from ingest.doors.otlp import large_text
from ingest.doors.otlp.protobuf import FIRST_TOKEN, INFERENCE_EVENT
from ingest.doors.otlp.records import Group, Pairs, Record, Value
from ingest.doors.otlp.vocabulary import KNOWN, TAG_PREFIXES
from ingest.doors.surrogates import without_unpaired_surrogates
from ingest.problems import Problem

Number = int | float | str
# Every object opens with one, so what a body decodes to is bounded by their number.
MAX_BRACES = 500_000
MAX_WHOLE = 2**64 - 1


class _Message(Struct, rename="camel", gc=False):
    pass


class AnyValue(Struct, rename="camel"):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Number | None = None
    double_value: Number | None = None
    array_value: Values | None = None
    kvlist_value: Attributes | None = None


class Values(Struct):
    values: list[AnyValue] | None = None


class KeyValue(_Message):
    key: str = ""
    value: AnyValue | None = None


class Attributes(Struct):
    values: list[KeyValue] | None = None


class Resource(_Message):
    attributes: list[KeyValue] | None = None


class SpanEvent(_Message):
    time_unix_nano: Number | None = None
    name: str | None = None
    attributes: list[KeyValue] | None = None


class SpanStatus(_Message):
    code: int | str | None = None
    message: str | None = None


class Span(_Message):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    start_time_unix_nano: Number | None = None
    end_time_unix_nano: Number | None = None
    attributes: list[KeyValue] | None = None
    events: list[SpanEvent] | None = None
    status: SpanStatus | None = None


class LogRecord(_Message):
    trace_id: str | None = None
    span_id: str | None = None
    time_unix_nano: Number | None = None
    observed_time_unix_nano: Number | None = None
    event_name: str | None = None
    attributes: list[KeyValue] | None = None


class ScopeSpans(_Message):
    spans: list[Span] | None = None


class ScopeLogs(_Message):
    log_records: list[LogRecord] | None = None


class ResourceSpans(_Message):
    resource: Resource | None = None
    scope_spans: list[ScopeSpans] | None = None


class ResourceLogs(_Message):
    resource: Resource | None = None
    scope_logs: list[ScopeLogs] | None = None


class Traces(_Message):
    resource_spans: list[ResourceSpans] | None = None


class Logs(_Message):
    resource_logs: list[ResourceLogs] | None = None


_TRACES = msgspec.json.Decoder(Traces)
_LOGS = msgspec.json.Decoder(Logs)
_SPAN = msgspec.json.Decoder(Span)
_LOG_RECORD = msgspec.json.Decoder(LogRecord)
_RESOURCE = msgspec.json.Decoder(Resource)


def read_traces(body: Body) -> Iterator[Group]:
    """Every group of the body. Raises MsgspecError, UnicodeDecodeError, Rejected, RecursionError
    where it cannot be read."""
    if not isinstance(body, bytes):
        for resource, records in _read_large(body):
            yield Group(resource, (_span(_SPAN.decode(raw)) for raw in records))
        return
    found = _decoded(_TRACES, body)
    for group in found.resource_spans or ():
        spans = [span for scope in group.scope_spans or () for span in scope.spans or ()]
        yield Group(_resource(group.resource), map(_span, spans))


def read_logs(body: Body) -> Iterator[Group]:
    """The same of log records that are inference events; all others are passed over."""
    if not isinstance(body, bytes):
        for resource, records in _read_large(body):
            told = (_LOG_RECORD.decode(raw) for raw in records)
            yield Group(resource, map(_log, filter(_tells_inference, told)))
        return
    found = _decoded(_LOGS, body)
    for group in found.resource_logs or ():
        entries = [entry for scope in group.scope_logs or () for entry in scope.log_records or ()]
        yield Group(_resource(group.resource), map(_log, filter(_tells_inference, entries)))


_Read = TypeVar("_Read")


def _decoded(decoder: msgspec.json.Decoder[_Read], body: bytes) -> _Read:
    if body.count(b"{") > MAX_BRACES:
        raise too_many_objects()
    try:
        return decoder.decode(body)
    except ValidationError:
        raise
    except DecodeError:
        return decoder.decode(without_unpaired_surrogates(body))


def too_many_objects() -> Problem:
    return Problem(413, f"More than {MAX_BRACES} objects; send several requests.")


def _read_large(body: mmap) -> Iterator[tuple[Pairs, Iterator[bytes]]]:
    if large_text.objects(body) > MAX_BRACES:
        raise too_many_objects()
    for resource, records in large_text.read(body):
        yield _resource(_RESOURCE.decode(resource) if resource else None), records


def _resource(resource: Resource | None) -> Pairs:
    attributes = resource.attributes if resource else None
    return [(pair.key, _value(pair.value)) for pair in attributes or ()]


def _span(span: Span) -> Record:
    pairs = _pairs(span.attributes)
    first_token, exception = _told_by_events(span.events or ()) if pairs else (0, "")
    status = span.status
    return Record(
        (span.trace_id or "").lower(),
        (span.span_id or "").lower(),
        (span.parent_span_id or "").lower(),
        _whole(span.start_time_unix_nano),
        _whole(span.end_time_unix_nano),
        status is not None and status.code in (2, "2", "STATUS_CODE_ERROR"),
        (status.message if status else "") or "",
        exception,
        first_token,
        pairs,
    )


def _tells_inference(entry: LogRecord) -> bool:
    if entry.event_name:
        return entry.event_name == INFERENCE_EVENT
    told = {pair.key: _value(pair.value) for pair in entry.attributes or ()}
    return INFERENCE_EVENT in (told.get("event.name"), told.get("event_name"))


def _log(entry: LogRecord) -> Record:
    start = _whole(entry.time_unix_nano) or _whole(entry.observed_time_unix_nano)
    ids = (entry.trace_id or "").lower(), (entry.span_id or "").lower()
    return Record(*ids, "", start, 0, False, "", "", 0, _pairs(entry.attributes))


def _pairs(attributes: Sequence[KeyValue] | None) -> Pairs:
    return [
        (pair.key, _value(pair.value))
        for pair in attributes or ()
        if pair.key in KNOWN or pair.key.startswith(TAG_PREFIXES)
    ]


def _told_by_events(events: Sequence[SpanEvent]) -> tuple[int, str]:
    begun = [_whole(event.time_unix_nano) for event in events if event.name == FIRST_TOKEN]
    types = [
        str(_value(pair.value) or "")
        for event in events
        if event.name == "exception"
        for pair in event.attributes or ()
        if pair.key == "exception.type"
    ]
    return (begun or [0])[0], (types or [""])[0]


def _whole(number: Number | None) -> int:
    try:
        whole = int(number or 0)
    except (ValueError, OverflowError):
        whole = MAX_WHOLE + 1
    if abs(whole) > MAX_WHOLE:
        given = repr(number)[:40]
        raise Problem(400, f"The body is no OTLP in JSON: {given} is no whole number of 64 bits.")
    return whole


def _value(value: AnyValue | None) -> Value:
    if value is None:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        return _whole(value.int_value)
    if value.bool_value is not None:
        return value.bool_value
    if value.double_value is not None:
        return _double(value.double_value)
    if value.array_value is not None:
        return [_value(each) for each in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return {each.key: _value(each.value) for each in value.kvlist_value.values or ()}
    return None


def _double(number: Number) -> float | None:
    try:
        return float(number)
    except (ValueError, OverflowError):
        return None
