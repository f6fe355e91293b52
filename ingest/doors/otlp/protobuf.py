"""OTLP in protobuf: walked down to single spans, each parsed by itself and reduced at once.

Two bytes can stand for an empty message, and parsed it takes a hundred: so bodies are not parsed
whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from ingest.buffers import Body
from ingest.doors.otlp.records import Group, Pairs, Record, Value
from ingest.doors.otlp.vocabulary import KNOWN, TAG_PREFIXES
from ingest.problems import Problem

MAX_RECORDS = 100_000
MAX_RESOURCES = 10_000
MAX_ATTRIBUTES = 10_000  # and events; SDKs stop at 128
# A larger span is parsed without its largest attributes: prompts and answers, as a rule.
LARGE_SPAN_BYTES = 2**20
LARGE_FIELD_BYTES = 2**16
INFERENCE_EVENT = "gen_ai.client.inference.operation.details"
FIRST_TOKEN = "First Token Stream Event"
_FAILED = Status.STATUS_CODE_ERROR
_DAMAGED = "The body is no OTLP in protobuf"


def read_traces(body: Body) -> Iterator[Group]:
    """Every group of the body; Problem 400 when it cannot be read, as soon as that is seen."""
    for resource, spans in _groups(body):
        yield Group(resource, map(_span, spans))


def read_logs(body: Body) -> Iterator[Group]:
    """The same of log records that are inference events; all others are passed over."""
    for resource, entries in _groups(body):
        records = (_log(entry) for entry in entries)
        yield Group(resource, (record for record in records if record))


def too_many_records() -> Problem:
    return Problem(413, f"More than {MAX_RECORDS} spans or records; send several requests.")


def _groups(body: Body) -> Iterator[tuple[Pairs, Iterator[bytes]]]:
    counted = [0]
    for number, (at, start, end) in enumerate(_fields(body, 0, len(body))):
        if number > MAX_RESOURCES:
            raise too_many_records()
        if at == 1:
            yield _resource(body, start, end), _leaves(body, start, end, counted)


def _leaves(body: Body, start: int, end: int, counted: list[int]) -> Iterator[bytes]:
    """The spans or log records of one resource; what carries them counts as well."""
    for at, start_of_scope, end_of_scope in _fields(body, start, end):
        if at != 2:
            continue
        for within, first, last in _fields(body, start_of_scope, end_of_scope):
            counted[0] += 1
            if counted[0] > MAX_RECORDS:
                raise too_many_records()
            if within == 2:
                small = last - first <= LARGE_SPAN_BYTES
                yield body[first:last] if small else _pruned(body, first, last)
        counted[0] += 1


def _pruned(body: Body, start: int, end: int) -> bytes:
    """A large message without its large fields, and with no more fields than may be large."""
    kept: list[bytes] = []
    size, begins = 0, start
    for number, (_, first, last) in enumerate(_fields(body, start, end)):
        if number > MAX_RECORDS:
            raise too_many_records()
        if last - first <= LARGE_FIELD_BYTES and size < LARGE_SPAN_BYTES:
            kept.append(body[begins:last])
            size += last - begins
        begins = last
    return b"".join(kept)


def _fields(body: Body, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(field number, first byte, end) of every field of a message; Problem 400 when damaged."""
    at = start
    while at < end:
        tag, at = _varint(body, at, end)
        kind = tag & 7
        if kind == 2:
            length, at = _varint(body, at, end)
        elif kind == 0:
            _, past = _varint(body, at, end)
            length = past - at
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise Problem(400, f"{_DAMAGED}: a field of an unknown kind.")
        if at + length > end:
            raise Problem(400, f"{_DAMAGED}: it ends too early.")
        yield tag >> 3, at, at + length
        at += length


def _varint(body: Body, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 64:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Problem(400, f"{_DAMAGED}: it ends too early.")


def _parsed(message: Any, data: bytes) -> Any:
    try:
        return message.FromString(data)
    except DecodeError:
        raise Problem(400, f"{_DAMAGED}: a {message.__name__} cannot be parsed.") from None


def _resource(body: Body, start: int, end: int) -> Pairs:
    for at, first, last in _fields(body, start, end):
        if at == 1:
            small = last - first <= LARGE_FIELD_BYTES
            data = body[first:last] if small else _pruned(body, first, last)
            return [(pair.key, _value(pair.value)) for pair in _parsed(Resource, data).attributes]
    return []


def _span(data: bytes) -> Record:
    span = _parsed(Span, data)
    pairs = _pairs(span)
    first_token, exception = 0, ""
    if pairs and span.events:
        first_token, exception = _told_by_events(span)
    status = span.status
    return Record(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        status.code == _FAILED,
        status.message,
        exception,
        first_token,
        pairs,
    )


def _log(data: bytes) -> Record | None:
    entry = _parsed(LogRecord, data)
    named = {entry.event_name}
    if not entry.event_name:
        named = {pair.value.string_value for pair in entry.attributes if pair.key == "event.name"}
        named |= {pair.value.string_value for pair in entry.attributes if pair.key == "event_name"}
    if INFERENCE_EVENT not in named:
        return None
    start = entry.time_unix_nano or entry.observed_time_unix_nano
    ids = entry.trace_id.hex(), entry.span_id.hex()
    return Record(*ids, "", start, 0, False, "", "", 0, _pairs(entry))


def _pairs(message: Any) -> Pairs:
    pairs: Pairs = []
    for attribute in islice(message.attributes, MAX_ATTRIBUTES):
        name = attribute.key
        if name in KNOWN or name.startswith(TAG_PREFIXES):
            value = attribute.value  # the text or number of another kind is empty
            pairs.append((name, value.string_value or value.int_value or _value(value)))
    return pairs


def _told_by_events(span: Any) -> tuple[int, str]:
    first_token, exception = 0, ""
    for event in islice(span.events, MAX_ATTRIBUTES):
        if event.name == FIRST_TOKEN and not first_token:
            first_token = event.time_unix_nano
        elif event.name == "exception" and not exception:
            types = [each for each in event.attributes if each.key == "exception.type"]
            exception = types[0].value.string_value if types else ""
    return first_token, exception


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind is None or kind == "bytes_value":
        return None
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return {each.key: _value(each.value) for each in value.kvlist_value.values}
    return getattr(value, kind)
