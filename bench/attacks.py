"""Bodies that would like to fill the ingest process' memory: large, deep, wide, compressed."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MOST_BYTES = 64 * 2**20
MOST_EVENTS = 10_000
EVENTS = "/api/v1/events"
LITELLM = "/api/v1/ingest/litellm"
CLOUDEVENTS = "/api/v1/ingest/cloudevents"
TRACES = "/v1/traces"


class Attack(NamedTuple):
    """One body to be sent again and again. `bytes_per_second` of one connection, 0: all at once."""

    path: str
    body: bytes
    content_type: str = "application/json"
    encoding: str = ""
    bytes_per_second: int = 0
    announced: int = 0  # a Content-Length larger than what is sent
    connections: int = 64


def event(number: int, **fields: object) -> dict[str, object]:
    return {
        "id": f"attack-{number}",
        "timestamp": datetime.now(UTC).isoformat(),
        "model": "gpt-4o",
        "provider": "openai",
        "input_tokens": 10,
        **fields,
    }


def array(events: Iterable[dict[str, object]]) -> bytes:
    return json.dumps(list(events), ensure_ascii=False).encode()


def large_events(count: int = MOST_EVENTS, size: int = MOST_BYTES) -> bytes:
    """As many events as a request may have and as many bytes: what calm must still take."""
    each = size // count - 160
    tags = {f"tag-{n:02}-{'k' * 100}": "v" * 200 for n in range(16)}
    bare = array([event(MOST_EVENTS, tags=tags)])
    filler = "x" * max(each - len(bare), 0)
    return array(event(n, tags=tags, comment=filler) for n in range(count))


def wide_events(count: int = MOST_EVENTS) -> bytes:
    """Every name as long as it may be, of characters that take four bytes in memory."""
    name = "n" * 199
    names = ("user", "feature", "team", "service", "environment", "region", "session", "variant")
    return array(
        event(n, **dict.fromkeys(names, f"{n:05}{name[:194]}𝄞"), prompt_hash="𝄞" * 64)
        for n in range(count)
    )


def many_parts(count: int = MOST_EVENTS) -> bytes:
    """Tags and stages of one letter: each takes many times its bytes."""
    tags = {chr(97 + n) + "x": "yz" for n in range(16)}
    stages = {f"s{n}": n for n in range(32)}
    return array(event(n, tags=tags, stages_ms=stages) for n in range(count))


def in_usage(value: str, size: int = MOST_BYTES) -> bytes:
    """One event whose usage block is a list of nothing."""
    start = json.dumps(event(0))[:-1] + ',"usage":{"prompt_tokens":1,"completion_tokens":1,"x":['
    times = (size - len(start) - 10) // (len(value) + 1)
    return (start + ",".join([value] * times) + "]}}").encode()


def unknown_fields(size: int = MOST_BYTES) -> bytes:
    start = json.dumps(event(0))[:-1]
    parts, length = [start], len(start)
    for number in range(10_000_000):
        part = f',"{number}":0'
        length += len(part)
        if length > size - 2:
            break
        parts.append(part)
    return ("".join(parts) + "}").encode()


def giant(field: str, size: int = MOST_BYTES) -> bytes:
    """One event with a string that takes four bytes a character in memory."""
    start = json.dumps(event(0))[:-1]
    return (start + f',"{field}":"' + "x" * (size - len(start) - 30) + '𝄞"}').encode()


def giant_tags(size: int = MOST_BYTES) -> bytes:
    start = json.dumps(event(0))[:-1] + ',"tags":{'
    times = (size - len(start)) // 14
    return (start + ",".join(f'"{n:06x}":""' for n in range(times)) + "}}").encode()


def deep(size: int = MOST_BYTES) -> bytes:
    return b"[" * (size // 2) + b"]" * (size // 2)


def litellm(count: int, size: int = 20 * 2**20) -> bytes:
    """A batch of LiteLLM's proxy with the messages left on."""
    text = "The quick, brown fox [jumps] over {the} lazy dog. " * (size // count // 51)
    return array(
        {
            "litellm_call_id": f"call-{n}",
            "call_type": "acompletion",
            "status": "success",
            "startTime": datetime.now(UTC).timestamp(),
            "endTime": datetime.now(UTC).timestamp(),
            "model": "openai/gpt-4o",
            "custom_llm_provider": "openai",
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "messages": [{"role": "user", "content": text}],
            "metadata": {"usage_object": {"prompt_tokens": 10, "completion_tokens": 5}},
        }
        for n in range(count)
    )


def litellm_lists(size: int = MOST_BYTES) -> bytes:
    """Lists of nothing where anything is read."""
    start = litellm(1, 100)[1:-2].decode() + ',"request_tags":['
    times = (size - len(start) - 4) // 3
    return (start + ",".join(["[]"] * times) + "]}").encode()


def cloudevents(count: int = MOST_EVENTS) -> bytes:
    made = (event(n) for n in range(count))
    return array(
        {
            **{"specversion": "1.0", "type": "llm.usage.v1", "source": "/attack"},
            **{"id": each.pop("id"), "time": each.pop("timestamp"), "data": each},
        }
        for each in made
    )


def tiny_spans(size: int = MOST_BYTES) -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add()
    empty_span = b"\x12\x00"
    body = empty_span * (size // 2 - 100)
    scope = b"\x12" + _varint(len(body)) + body
    return b"\x0a" + _varint(len(scope)) + scope


def model_spans(count: int, attribute: str = "") -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    now = int(datetime.now(UTC).timestamp() * 1e9)
    for number in range(count):
        span = spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=(number + 1).to_bytes(8, "big"),
            name="chat",
            start_time_unix_nano=now,
            end_time_unix_nano=now,
        )
        for name, value in (
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "gpt-4o"),
            ("gen_ai.response.id", f"chatcmpl-{number:020}"),
            ("gen_ai.input.messages", attribute),
        ):
            span.attributes.add(key=name).value.string_value = value
        span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 10
        span.attributes.add(key="gen_ai.usage.output_tokens").value.int_value = 10
    return request.SerializeToString()


def json_spans(objects: int) -> bytes:
    span = '{"attributes":[]}'
    return (
        '{"resourceSpans":[{"scopeSpans":[{"spans":[' + ",".join([span] * objects) + "]}]}]}"
    ).encode()


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


ATTACKS: dict[str, Callable[[], Attack]] = {
    "64 MiB of 10,000 events": lambda: Attack(EVENTS, large_events()),
    "the same, gzip": lambda: Attack(EVENTS, gzip.compress(large_events(), 1), encoding="gzip"),
    "gzip bomb": lambda: Attack(EVENTS, gzip.compress(b" " * 2**30, 9), encoding="gzip"),
    "zstd bomb": lambda: Attack(
        EVENTS, zstandard.ZstdCompressor(level=9).compress(b"[" + b"1," * 2**29), encoding="zstd"
    ),
    "deflated blanks": lambda: Attack(
        EVENTS, zlib.compress(b"\n" * MOST_BYTES), "application/x-ndjson", "deflate"
    ),
    "NDJSON of 64 MiB": lambda: Attack(
        EVENTS, large_events()[1:-1].replace(b"}, {", b"}\n{"), "application/x-ndjson"
    ),
    "NDJSON of empty lines": lambda: Attack(EVENTS, b"\n" * MOST_BYTES, "application/x-ndjson"),
    "NDJSON of digits": lambda: Attack(EVENTS, b"1\n" * (MOST_BYTES // 2), "application/x-ndjson"),
    "array of digits": lambda: Attack(EVENTS, b"[" + b"1," * (MOST_BYTES // 2 - 1) + b"1]"),
    "longest names": lambda: Attack(EVENTS, wide_events()),
    "many small parts": lambda: Attack(EVENTS, many_parts()),
    "lists in usage": lambda: Attack(EVENTS, in_usage("[]")),
    "objects in usage": lambda: Attack(EVENTS, in_usage("{}")),
    "texts in usage": lambda: Attack(EVENTS, in_usage('"ab"')),
    "unknown fields": lambda: Attack(EVENTS, unknown_fields()),
    "one long id": lambda: Attack(EVENTS, giant("id")),
    "one long unknown": lambda: Attack(EVENTS, giant("comment")),
    "millions of tags": lambda: Attack(EVENTS, giant_tags()),
    "deep": lambda: Attack(EVENTS, deep()),
    "small bodies of tiny events": lambda: Attack(
        EVENTS, array(event(n) for n in range(500)), connections=256
    ),
    "LiteLLM, 20 MB": lambda: Attack(LITELLM, litellm(500)),
    "LiteLLM, lists": lambda: Attack(LITELLM, litellm_lists()),
    "CloudEvents": lambda: Attack(CLOUDEVENTS, cloudevents()),
    "OTLP of empty spans": lambda: Attack(TRACES, tiny_spans(), "application/x-protobuf"),
    "OTLP of 10,000 calls": lambda: Attack(
        TRACES, model_spans(10_000, "x" * 6000), "application/x-protobuf"
    ),
    "OTLP in JSON": lambda: Attack(TRACES, json_spans(490_000)),
    "slow senders": lambda: Attack(EVENTS, large_events(), bytes_per_second=2**20, connections=64),
    "announced, never sent": lambda: Attack(
        EVENTS, b"[" * 1000, announced=MOST_BYTES, bytes_per_second=1000, connections=256
    ),
    "a thousand connections": lambda: Attack(
        EVENTS, array([event(1)]), bytes_per_second=60, connections=1000
    ),
}
