"""OTLP/HTTP over the wire: what is answered, in which encoding, and what is never kept."""

from __future__ import annotations

import gzip
import time
import zlib
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_server import Door, until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from otlp_attributes import NEW
from otlp_bodies import JSON, LOGS, METRICS, PROTOBUF, TRACES, Exporter, encoded, logs, span, traces
from test_otlp_same_call import record

from ingest.doors.door import Decoded
from ingest.doors.otlp.protobuf import MAX_RECORDS
from ingest.problems import Problem

ENCODINGS = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}
NO_MODEL = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 5}


def send(
    door: Door, content: bytes, path: str = TRACES, content_type: str = JSON, **headers: str
) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return door.http.post(
        path,
        content=content,
        headers={
            "authorization": f"Bearer {door.key}",
            "content-type": content_type,
            **given,
        },
        follow_redirects=False,
    )


def status(response: httpx.Response) -> tuple[int, str]:
    """Code and message of a google.rpc.Status, in the encoding that the answer names."""
    if response.headers["content-type"] == JSON:
        said = response.json()
        return said["code"], said["message"]
    assert response.headers["content-type"] == PROTOBUF
    body = response.content
    assert (body[0], body[2]) == (0x08, 0x12)
    length, begins = body[3], 4
    if length > 0x7F:
        length, begins = length & 0x7F | body[4] << 7, 5
    assert len(body) == begins + length
    return body[1], body[begins:].decode()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_spans_are_stored_and_the_answer_says_nothing_more(
    door: Door, content_type: str, encoding: str
) -> None:
    content = ENCODINGS[encoding](encoded(traces(span(attributes=NEW)), content_type))
    response = send(door, content, content_type=content_type, content_encoding=encoding)
    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert response.content == (b"{}" if content_type == JSON else b"")
    row = door.row()
    assert (row["model"], row["uncached_input_tokens"]) == ("gpt-4o-2024-08-06", 1200)
    assert [batch["format"] for batch in door.batches()] == [
        "otlp-json" if content_type == JSON else "otlp-protobuf"
    ]


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_what_is_refused_is_a_partial_success(door: Door, content_type: str) -> None:
    spans = span(attributes=NEW), span(attributes=NO_MODEL), span(attributes=NO_MODEL)
    response = send(door, encoded(traces(*spans), content_type), content_type=content_type)
    assert response.status_code == 200
    if content_type == JSON:
        partial = response.json()["partialSuccess"]
        rejected, message = int(partial["rejectedSpans"]), partial["errorMessage"]
    else:
        told = ExportTraceServiceResponse.FromString(response.content).partial_success
        rejected, message = told.rejected_spans, told.error_message
    assert rejected == 2
    assert "2 × missing_model" in message
    assert len(door.rows()) == 1


def test_refused_log_records_are_told_too(door: Door) -> None:
    body = encoded(logs(record(span(attributes=NO_MODEL))), PROTOBUF)
    response = send(door, body, LOGS, PROTOBUF)
    told = ExportLogsServiceResponse.FromString(response.content).partial_success
    assert told.rejected_log_records == 1


@pytest.mark.parametrize("path", [TRACES, LOGS, METRICS])
def test_an_empty_request_succeeds(door: Door, path: str) -> None:
    assert send(door, b"", path, PROTOBUF).status_code == 200
    assert send(door, b"{}", path).json() == {}
    assert door.batches() == []


def test_metrics_are_answered_and_never_billed(door: Door) -> None:
    assert send(door, b'{"resourceMetrics": [{"scopeMetrics": []}]}', METRICS).json() == {}
    assert door.rows() == []


def test_spans_that_are_no_calls_are_not_refused(door: Door) -> None:
    assert send(door, encoded(traces(span(), span()))).json() == {}
    assert door.batches() == []


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
@pytest.mark.parametrize("path", [TRACES, LOGS])
def test_a_body_that_cannot_be_read_is_a_status(door: Door, path: str, content_type: str) -> None:
    response = send(door, b'\x0a\xffnot {"otlp"', path, content_type)
    assert response.status_code == 400
    code, message = status(response)
    assert (code, bool(message)) == (3, True)


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_other_refusals_are_statuses_as_well(door: Door, content_type: str) -> None:
    response = send(door, b"", content_type=content_type, authorization="Bearer nobody")
    assert (response.status_code, status(response)[0]) == (401, 16)
    response = send(door, b"", content_type=content_type, content_encoding="br")
    assert (response.status_code, status(response)[0]) == (415, 3)
    response = door.http.get(TRACES, headers={"content-type": content_type})
    assert (response.status_code, status(response)[0]) == (405, 12)
    assert response.headers["allow"] == "POST"


def test_an_unknown_content_type_is_told_in_json(door: Door) -> None:
    response = send(door, b"", content_type="text/plain")
    assert response.status_code == 415
    assert "application/x-protobuf" in status(response)[1]


def test_a_key_at_its_limit_waits(door: Door) -> None:
    door.database.execute(
        "UPDATE ingest_key SET events_per_minute = 1 WHERE service = %s", [door.source]
    )

    def is_limited() -> httpx.Response | None:
        response = send(door, encoded(traces(span(attributes=NEW)), PROTOBUF), TRACES, PROTOBUF)
        return response if response.status_code == 429 else None

    response = until(is_limited)
    assert int(response.headers["retry-after"]) > 0
    assert status(response)[0] == 8


def test_too_many_spans_are_sent_back_at_once() -> None:
    scope = b"\x12\x00" * (MAX_RECORDS + 1)
    length = len(scope)
    varint = bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14])
    within = b"\x12" + varint + scope
    length = len(within)
    varint = bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14])
    with pytest.raises(Problem) as refused:
        decode(PROTOBUF, b"\x0a" + varint + within)
    assert refused.value.status == 413


def test_a_span_of_megabytes_is_read_without_its_prompts() -> None:
    prompts = {f"gen_ai.input.messages.{number}": "secret " * 40_000 for number in range(6)}
    [event] = Exporter(PROTOBUF).events(span(attributes=prompts | NEW))
    assert (event.input_tokens, event.output_tokens) == (1200, 350)


def test_prompts_are_nowhere_not_even_in_examples(door: Door) -> None:
    secret = "the patient said"
    texts = {
        "gen_ai.input.messages": secret,
        "gen_ai.output.messages": secret,
        "gen_ai.prompt.0.content": secret,
        "input.value": secret,
        "output.value": f'{{"choices": "{secret}"}}',
        "llm.input_messages.0.message.content": secret,
    }
    bodies = [span(attributes=NEW | texts), span(attributes=NO_MODEL | texts)]
    send(door, encoded(traces(*bodies)))
    assert len(door.rows()) == 1
    kept = until(
        lambda: door.database.execute(
            "SELECT rejected_example.* FROM rejected_example JOIN ingest_key ON ingest_key.id = "
            "key_id WHERE service = %s",
            [door.source],
        ).fetchall()
    )
    assert kept[0]["reason"] == "missing_model"
    assert secret not in f"{kept}{door.rows()}{door.batches()}"


@pytest.mark.parametrize("odd", ["\0nul", "x" * 5000, "🙂" * 300])
def test_an_odd_name_costs_no_call(door: Door, odd: str) -> None:
    names = {"user.id": odd, "session.id": odd, "gen_ai.agent.name": odd, "team": odd}
    assert send(door, encoded(traces(span(attributes=NEW | names)))).json() == {}
    assert len(door.rows()) == 1


def test_half_an_emoji_spoils_nothing(door: Door) -> None:
    body = encoded(traces(span(attributes=NEW | {"user.id": "HALF"}))).replace(b"HALF", b"\\ud83d")
    assert send(door, body).json() == {}
    assert len(door.rows()) == 1


def test_a_span_from_tomorrow_is_refused_and_its_neighbours_are_not(door: Door) -> None:
    ahead = span(attributes=NEW, startTimeUnixNano=str(time.time_ns() + 2 * 10**14))
    partial = send(door, encoded(traces(ahead, span(attributes=NEW)))).json()["partialSuccess"]
    assert "timestamp_in_future" in partial["errorMessage"]
    assert len(door.rows()) == 1


def decode(content_type: str, body: bytes, path: str = TRACES) -> Decoded:
    return Exporter().doors[path].formats[content_type].decode(body, {}, "a source")


@pytest.mark.parametrize("depth", [50, 400, 600, 900, 5000])
def test_values_within_values_are_read_or_refused(depth: int) -> None:
    odd = span(attributes=NEW | {"tag.tags": "DEEP"})
    deep = b'{"arrayValue":{"values":[' * depth + b"{}" + b"]}}" * depth
    with suppress(Problem):
        decode(JSON, encoded(traces(odd)).replace(b'{"stringValue": "DEEP"}', deep))


READ = encoded(traces(span(attributes=NEW)), PROTOBUF)


@settings(max_examples=300, deadline=None)
@given(
    start=st.integers(0, len(READ)),
    changed=st.binary(max_size=12),
    length=st.integers(0, 12),
    path=st.sampled_from([TRACES, LOGS]),
)
def test_damaged_protobuf_is_read_or_refused(
    start: int, changed: bytes, length: int, path: str
) -> None:
    with suppress(Problem):
        decode(PROTOBUF, READ[:start] + changed + READ[start + length :], path)


anything: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "value", "stringValue", "intValue"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(
        ["traceId", "startTimeUnixNano", "endTimeUnixNano", "attributes", "events", "status"]
    ),
    odd=anything,
    attribute=st.sampled_from(sorted(NEW)),
    given=anything,
)
def test_odd_json_is_read_or_refused(name: str, odd: Any, attribute: str, given: Any) -> None:
    odd_span = {**span(attributes=NEW), name: odd}
    odd_value = span(attributes=NEW)
    odd_value["attributes"] += [{"key": attribute, "value": given}]
    for each in (odd_span, odd_value):
        with suppress(Problem):
            decode(JSON, encoded(traces(each)))
